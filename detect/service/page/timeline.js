// The time line: one lane per layer under a film strip, a play head over all, tied to the player.

import { el, seconds } from "/page/dom.js";
import { fill } from "/page/words.js";

const MAX_CELLS = 240;
const SOURCES = {
  generated: "sure", "generated-by-algorithm": "sure", "composite-with-generated": "sure", captured: "filmed",
};

function whole(length, state, kind) {
  return [{ start: 0, end: length, state, kind }];
}

function credentialsLane(reading, length, words) {
  if (reading.status === "present") {
    if (reading.integrity === "altered") return { parts: whole(length, words.laneAltered, "bad") };
    const source = words.values[reading.claimed_source];
    const says = reading.claimed_source === "unknown"
      ? words.values[reading.integrity] : fill(words.laneClaims, { source });
    // A claim that nobody vouches for must not look like one that somebody does.
    const vouched = reading.integrity === "intact" && reading.signer_trust === "trusted"
      && (reading.validity === "valid"
        || (reading.validity === "valid-when-signed" && reading.timestamp === "trusted"));
    return { parts: whole(length, says, (vouched && SOURCES[reading.claimed_source]) || "plain") };
  }
  return { note: empty(reading, words) };
}

function empty(reading, words) {
  if (["not-checked", "left-out"].includes(reading.status)) return words.laneNotChecked;
  return reading.status === "abstained" ? words.laneAbstained : words.laneNothing;
}

function markLane(readings, length, words) {
  if (!Array.isArray(readings)) return { note: empty(readings, words) };
  const found = readings.filter((reading) => reading.present);
  const parts = found.flatMap((reading) => reading.segments.map((part) => (
    { start: part.start, end: part.end, state: words.laneFound, kind: "sure" })));
  if (!found.length) return { note: words.laneNothing };
  return { parts: parts.length ? parts : whole(length, words.laneFound, "sure") };
}

function ledgerLane(reading, length, words) {
  if (reading.found_by && reading.found_by !== "none") {
    const other = reading.same_content === false;
    return { parts: whole(length, other ? words.laneOther : words.laneFound, other ? "bad" : "sure") };
  }
  return { note: empty(reading, words) };
}

function classifierLane(reading, words) {
  const windows = reading.windows ?? [];
  if (!windows.length) return { note: empty(reading, words) };
  return {
    parts: windows.map((part) => ({
      start: part.start, end: part.end, kind: part.llr > 0 ? "hint" : "calm",
      heat: Math.min(1, Math.abs(part.llr) / 3),
      state: fill(words.laneScore, { llr: part.llr.toFixed(1) }),
    })),
  };
}

function lanesOf(verdict, length, words) {
  const { credentials, marks, ledger, classifier } = verdict.readings;
  return [
    ["credentials", credentialsLane(credentials, length, words)],
    ["mark", markLane(marks, length, words)],
    ["ledger", ledgerLane(ledger, length, words)],
    ["classifier", classifierLane(classifier, words)],
  ];
}

function lane(layer, content, length, { words, table }, seek) {
  const cells = (content.parts ?? []).slice(0, MAX_CELLS).map((part) => {
    const start = Math.max(0, Math.min(part.start, length));
    const end = Math.max(start, Math.min(part.end, length));
    const name = fill(words.goTo, {
      layer: table.layer[layer], start: seconds(start), end: seconds(end), state: part.state,
    });
    return el("button", {
      type: "button", class: `cell ${part.kind}`, "aria-label": name, title: name,
      style: {
        left: `${(100 * start) / length}%`, width: `${(100 * (end - start)) / length}%`,
        ...(part.heat === undefined ? {} : { "--heat": part.heat.toFixed(2) }),
      },
      on: { click: (event) => { event.stopPropagation(); seek(start); } },
    }, content.parts.length === 1 ? el("span", {}, part.state) : null);
  });
  const track = el("div", { class: "track", on: oneStop(cells) }, cells,
    content.note ? el("span", { class: "note" }, content.note) : null);
  return el("div", { class: "lane", role: cells.length > 1 ? "toolbar" : "group", "aria-label": table.layer[layer] },
    el("span", { class: "lane-name" }, table.layer[layer]), track);
}

// One stop of the Tab key, however many windows there are: the last that had the focus, by whatever
// means. Arrows go from one to the next.
function oneStop(cells) {
  const stopAt = (here) => cells.forEach((cell) => { cell.tabIndex = cell === here ? 0 : -1; });
  stopAt(cells[0]);
  return {
    focusin: (event) => stopAt(event.target),
    keydown: (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const next = step && cells[cells.indexOf(event.target) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    },
  };
}

function filmStrip(pictures, words) {
  if (!pictures.length) return null;
  return el("div", { class: "lane strip-lane" }, el("span", { class: "lane-name" }),
    el("div", { class: "strip" }, pictures.map((picture) =>
      el("img", { src: `data:image/jpeg;base64,${picture.jpeg}`, alt: fill(words.picture, { time: seconds(picture.time) }) }))));
}

// Returns the section, and seek(), which the evidence uses as well.
export function timeline(verdict, pictures, { video, ...tools }) {
  const { words } = tools;
  const length = Math.max(verdict.media?.seconds || 0, 0.04);
  const head = el("div", { class: "head", "aria-hidden": "true" });
  const scrubber = el("input", {
    type: "range", min: "0", max: String(length), step: "0.04", value: "0", "aria-label": words.scrub,
  });
  const clock = el("output", { class: "clock" });

  function show(time) {
    const now = Math.max(0, Math.min(time, length));
    head.style.setProperty("left", `${(100 * now) / length}%`);
    scrubber.value = String(now);
    const text = fill(words.position, { now: seconds(now), all: seconds(length) });
    scrubber.setAttribute("aria-valuetext", text);
    clock.textContent = `${seconds(now).replace(/ s$/, "")} / ${seconds(length)}`;
  }
  function seek(time) {
    if (video && video.readyState > 0) video.currentTime = Math.min(time, video.duration || time);
    show(time);
  }
  scrubber.addEventListener("input", () => seek(Number(scrubber.value)));
  if (video) {
    for (const event of ["timeupdate", "seeked", "loadedmetadata"]) {
      video.addEventListener(event, () => show(video.currentTime));
    }
    const tick = () => {
      show(video.currentTime);
      if (!video.paused && !video.ended && video.isConnected) requestAnimationFrame(tick);
    };
    video.addEventListener("play", tick);
  }
  const over = el("div", { class: "lane over" }, el("span", { class: "lane-name" }), el("div", { class: "head-track" }, head));
  const lanes = el("div", { class: "lanes" }, filmStrip(pictures, words),
    lanesOf(verdict, length, words).map(([layer, content]) => lane(layer, content, length, tools, seek)), over);
  lanes.addEventListener("click", (event) => {
    const track = event.target.closest(".track, .strip");
    if (!track) return;
    const box = track.getBoundingClientRect();
    seek((length * (event.clientX - box.left)) / box.width);
  });
  show(0);
  const section = el("section", { class: "timeline", "aria-labelledby": "timeline-title" },
    el("h3", { id: "timeline-title" }, words.timeline), lanes,
    el("div", { class: "lane scrub" }, clock, scrubber));
  return { section, seek };
}
