// The page: takes a clip, follows its job, shows the verdict.

import { ServiceTrouble, follow, forget, service, start, verdictWords } from "/page/api.js";
import { byId, bytes, el } from "/page/dom.js";
import { evidenceList, fileFacts, findingTitle, verdictCard } from "/page/evidence.js";
import { manifestTree } from "/page/manifest.js";
import { fileStem, save } from "/page/report.js";
import { timeline } from "/page/timeline.js";
import { WORDS, fill } from "/page/words.js";

const PICTURES = 12;
const STEPS = ["credentials", "mark", "ledger", "classifier"];

const state = { language: "en", words: WORDS.en, table: null, service: null, shown: null, current: null };

function show(...ids) {
  for (const id of ["ask", "work", "trouble", "result"]) byId(id).hidden = !ids.includes(id);
}

function say(text) {
  byId("live").textContent = text;
}

// ---- language

function firstLanguage() {
  try {
    const kept = localStorage.getItem("language");
    if (kept in WORDS) return kept;
  } catch { /* no storage: the browser's language will do */ }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

async function setLanguage(language) {
  state.language = language;
  state.words = WORDS[language];
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  for (const node of document.querySelectorAll("[data-word]")) {
    const size = state.service ? bytes(state.service.max_upload_bytes) : "";
    node.textContent = fill(state.words[node.dataset.word], { size });
  }
  state.table = await verdictWords(language);
  if (state.shown) showResult(state.shown);
}

// ---- asking

function ask({ file, url }) {
  const { words } = state;
  const limit = state.service?.max_upload_bytes ?? Infinity;
  if (file && file.size > limit) {
    showTrouble(new ServiceTrouble("FileTooLarge", fill(words.tooLarge, { size: bytes(limit) }), words.tooLargeHint));
    return;
  }
  if (url !== undefined && !/^https?:\/\/\S+$/i.test(url)) {
    showTrouble(new ServiceTrouble("BadUrl", words.badUrl, words.badUrlHint));
    return;
  }
  run({ file, url });
}

async function run({ file, url }) {
  const stop = new AbortController();
  const key = byId("key").value.trim();
  const name = file ? file.name : url;
  state.current?.stop.abort();
  state.current = { stop, job: null };
  state.shown = null;
  const mine = state.current;
  show("work");
  byId("work-title").textContent = fill(state.words.working, { name });
  byId("work-title").focus();
  showProgress({ file, sent: 0, job: null });
  try {
    const common = { key, signal: stop.signal };
    let job = await start({
      file, url, language: state.language, pictures: PICTURES, ...common,
      onUpload: (sent) => showProgress({ file, sent, job: null }),
    });
    mine.job = job;
    // An answer that came at once is forgotten already.
    const later = !["done", "failed"].includes(job.state);
    job = await follow(job, { ...common, onProgress: (now) => showProgress({ file, sent: 1, job: now }) });
    mine.job = null;
    if (later) forget(job, key);
    if (mine !== state.current) return;
    if (!job.verdict) {
      const error = job.error ?? { kind: "Unknown", message: "", hint: "" };
      showTrouble(new ServiceTrouble(error.kind, error.message, error.hint));
      return;
    }
    state.shown = { job, file };
    showResult(state.shown);
    byId("finding").focus({ preventScroll: true });
    window.scrollTo(0, 0);
    say(fill(state.words.ready, { title: findingTitle(job.verdict, state.table) }));
  } catch (error) {
    if (mine !== state.current) return;
    if (error.name === "AbortError") show("ask");
    else if (error instanceof ServiceTrouble) showTrouble(error);
    else throw error;
  }
}

function cancel() {
  const { current } = state;
  if (!current) return;
  current.stop.abort();
  if (current.job) forget(current.job, byId("key").value.trim());
  show("ask");
  byId("file").focus();
}

// ---- showing

function showProgress({ file, sent, job }) {
  const { words, table } = state;
  const running = job?.state === "running";
  const done = running && job.progress.total ? job.progress.done : -1;
  const queue = job?.state === "queued" && job.progress.ahead
    ? fill(words.stepQueueAhead, { count: job.progress.ahead }) : words.stepQueue;
  const steps = [
    file ? [words.stepUpload, sent >= 1] : [words.stepFetch, done >= 0],
    [queue, running],
    ...STEPS.map((layer, index) => [table?.layer[layer] ?? layer, done > index]),
  ];
  const order = file ? steps : [steps[1], steps[0], ...steps.slice(2)];
  const at = order.findIndex(([, finished]) => !finished);
  byId("work-steps").replaceChildren(...order.map(([text, finished], index) =>
    el("li", { class: finished ? "done" : index === at ? "now" : "", "aria-current": index === at ? "step" : null }, text,
      finished ? el("span", { class: "hidden" }, ` (${words.stepDone})`) : null)));
  const bar = byId("work-bar");
  const share = (at < 0 ? order.length : at) + (file && at === 0 ? sent : 0);
  bar.value = (100 * share) / order.length;
  if (at >= 0) say(order[at][0]);
}

// What went wrong in the words of the page, where it has any for it.
function inOwnWords(error, words) {
  if (error.kind === "Unreachable") {
    return { title: words.troubleTitle, headline: words.unreachable, advice: words.unreachableHint };
  }
  if (error.kind === "KeyRequired") return { title: words.keyTitle, headline: words.keyMissing, advice: "" };
  if (error.kind === "WrongKey") return { title: words.keyTitle, headline: words.keyWrong, advice: "" };
  const busy = ["TooOften", "TooManyAtOnce", "QueueFull", "Unavailable", "Stopping", "NoSpace"].includes(error.kind);
  const retry = error.retryAfter ? fill(words.retry, { seconds: error.retryAfter }) : "";
  // What the service says of an error is English.
  const lang = ["BadUrl", "FileTooLarge"].includes(error.kind) ? null : "en";
  return {
    title: busy ? words.busyTitle : words.troubleTitle,
    headline: error.message,
    advice: retry || error.hint || "",
    lang,
    adviceLang: retry ? null : lang,
  };
}

function showTrouble(error) {
  const told = inOwnWords(error, state.words);
  byId("trouble").replaceChildren(
    el("div", { class: "card finding tone-clash", role: "alert" },
      el("div", { class: "sign", "aria-hidden": "true" }, "!"),
      el("div", { class: "finding-text" },
        el("h2", { id: "trouble-title", tabindex: "-1" }, told.title),
        el("p", { class: "headline", lang: told.lang }, told.headline),
        el("p", { class: "advice", lang: told.adviceLang }, told.advice))));
  show("trouble", "ask");
  byId("trouble-title").focus();
}

function player(file, words) {
  if (!file) return { video: null, note: el("p", { class: "player-note" }, words.urlNoPlayer) };
  const video = el("video", { controls: true, playsinline: true, preload: "metadata", "aria-label": words.player });
  const note = el("p", { class: "player-note", hidden: true }, words.noPlayer);
  video.addEventListener("error", () => {
    video.hidden = true;
    note.hidden = false;
  });
  if (state.playing) URL.revokeObjectURL(state.playing);
  state.playing = URL.createObjectURL(file);
  video.src = state.playing;
  return { video, note };
}

function downloads(verdict, job, { words }) {
  const stem = `vidigree-${fileStem(verdict)}`;
  const data = () => save(`${stem}.json`, "application/json", [JSON.stringify(verdict, null, 2)]);
  const report = () => save(`${stem}.html`, "text/html", [job.report]);
  return el("section", { class: "card downloads", "aria-labelledby": "downloads-title" },
    el("h3", { id: "downloads-title" }, words.downloads),
    el("p", {}, words.downloadNote),
    el("p", { class: "buttons" },
      job.report && el("button", { type: "button", class: "primary", id: "download-html", on: { click: report } }, words.downloadHtml),
      el("button", { type: "button", id: "download-json", on: { click: data } }, words.downloadJson)));
}

function showResult({ job, file }) {
  const { verdict, pictures } = job;
  const { words, table, language } = state;
  const tools = { words, table, language };
  const { video, note } = player(file, words);
  const line = timeline(verdict, pictures, { video, ...tools });
  const again = el("button", { type: "button", class: "again", on: { click: restart } }, words.again);
  byId("result").replaceChildren(
    verdictCard(verdict, tools),
    el("div", { class: "columns" },
      el("div", { class: "left" },
        el("section", { class: "card clip" }, video, note, line.section),
        manifestTree(verdict, tools), fileFacts(verdict, tools), downloads(verdict, job, tools), again),
      el("div", { class: "right" }, evidenceList(verdict, { ...tools, seek: line.seek }))));
  document.title = `${findingTitle(verdict, table)} – vidigree`;
  show("result");
}

function restart() {
  state.shown = null;
  document.title = "vidigree";
  byId("form").reset();
  byId("result").replaceChildren();
  show("ask");
  byId("file").focus();
}

// ---- wiring

function listenForFiles() {
  const drop = byId("drop");
  byId("file").addEventListener("change", (event) => {
    const [file] = event.target.files;
    if (file) ask({ file });
    event.target.value = "";
  });
  // Anywhere on the page: a drop beside the field must not make the browser open the file.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const [file] = event.dataTransfer.files;
    const url = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
    if (file) ask({ file });
    else if (url) ask({ url });
  });
}

async function main() {
  listenForFiles();
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ url: byId("url").value.trim() });
  });
  byId("cancel").addEventListener("click", cancel);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      try {
        localStorage.setItem("language", button.dataset.language);
      } catch { /* no storage: the choice holds for this visit */ }
      setLanguage(button.dataset.language);
    });
  }
  try {
    state.service = await service();
    byId("key-row").hidden = !state.service.key_required;
  } finally {
    await setLanguage(firstLanguage());
  }
  document.body.dataset.ready = "true";
}

main();
