// Turns what is on the page into files to keep. They are made in the browser: the service has
// forgotten the clip by then.

import { byId, el } from "/page/dom.js";
import { fill } from "/page/words.js";

export function save(name, type, parts) {
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = el("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export function fileStem(verdict) {
  const last = String(verdict.file ?? "clip").split(/[/\\?#]/).filter(Boolean).pop() ?? "clip";
  return last.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60) || "clip";
}

// A document of its own: the result without its controls, the style inside, no script, and a policy
// that lets nothing be loaded.
export async function htmlReport(verdict, { words, language, version }) {
  const style = await (await fetch("/page/page.css")).text();
  const page = document.implementation.createHTMLDocument(`${words.reportTitle}: ${verdict.file ?? ""}`);
  page.documentElement.lang = language;
  const policy = el("meta", { "http-equiv": "Content-Security-Policy", content: "default-src 'none'; style-src 'unsafe-inline'; img-src data:" });
  page.head.prepend(el("meta", { charset: "utf-8" }), policy, el("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }));
  page.head.append(el("style", {}, style));
  const body = byId("result").cloneNode(true);
  for (const node of body.querySelectorAll("video, .downloads, .scrub, .over, .player-note, .again")) node.remove();
  for (const node of body.querySelectorAll("details")) node.setAttribute("open", "");
  for (const button of body.querySelectorAll("button")) {
    const still = el("span", { class: button.className, role: "img", "aria-label": button.getAttribute("aria-label") }, button.textContent);
    still.style.cssText = button.style.cssText;
    button.replaceWith(still);
  }
  const made = fill(words.reportMade, { time: new Date().toISOString(), version });
  page.body.className = "report";
  page.body.append(el("header", { class: "top" }, el("span", { class: "brand" }, words.reportTitle)),
    el("main", {}, body), el("footer", {}, el("p", {}, made), el("p", {}, words.foot)));
  return ["<!doctype html>\n", page.documentElement.outerHTML];
}
