// The verdict in words: the card on top, and the evidence under it.

import { bytes, el, seconds } from "/page/dom.js";
import { fill } from "/page/words.js";

export const LAYERS = ["credentials", "mark", "ledger", "classifier", "consistency"];

const MAX_PLACES = 12;
const SIGNS = {
  "declared-synthetic": "✦", "marked-synthetic": "✦", recovered: "✦", "likely-synthetic": "≈",
  contradictory: "≠", "declared-captured": "◉", inconclusive: "?", "no-evidence": "–",
};
const TONES = {
  "declared-synthetic": "made", "marked-synthetic": "made", recovered: "made", "likely-synthetic": "likely",
  contradictory: "clash", "declared-captured": "filmed", inconclusive: "open", "no-evidence": "open",
};

function codeWords(table, code) {
  return table.code[code] ?? table.code[code.slice(code.indexOf(".") + 1)] ?? { says: code, proves: "", not: "" };
}

// Replace codes by words, as the service does it in its own sentences.
function inWords(values, table) {
  const words = { ...values };
  if (table.abstention[words.why]) words.why = table.abstention[words.why];
  if (table.value[words.source]) words.source = table.value[words.source];
  return words;
}

// What a piece of evidence says was not looked at, as `Verdict` has it.
function notLookedAt(code) {
  const [layer, what] = code.split(".");
  if (what === "ingredients-unread") return "material";
  return ["not-checked", "left-out", "abstained"].includes(what) ? layer : "";
}

export function headline(verdict, table) {
  const grounds = new Set(verdict.grounds);
  const values = {};
  for (const piece of verdict.evidence) if (grounds.has(piece.code)) Object.assign(values, piece.values);
  values.layers = verdict.grounds.map(notLookedAt).filter(Boolean)
    .map((part) => table.layer[part] ?? table.value[part] ?? part)
    .join(", ");
  const template = table.reason[verdict.reason];
  return template ? fill(template, inWords(values, table)) : verdict.headline;
}

export function findingTitle(verdict, table) {
  return table.finding[verdict.finding]?.title ?? verdict.title;
}

export function verdictCard(verdict, { words, table }) {
  const finding = table.finding[verdict.finding];
  return el("header", { class: `card finding tone-${TONES[verdict.finding] ?? "open"}` },
    el("div", { class: "sign", "aria-hidden": "true" }, SIGNS[verdict.finding] ?? "?"),
    el("div", { class: "finding-text" },
      el("p", { class: "eyebrow" }, words.verdict),
      el("h2", { id: "finding", tabindex: "-1" }, findingTitle(verdict, table)),
      el("p", { class: "headline" }, headline(verdict, table)),
      el("p", { class: "chips" },
        el("span", { class: `chip level-${verdict.confidence}` },
          fill(table.text.confidence, { level: table.confidence[verdict.confidence] }))),
      finding?.advice ? el("p", { class: "advice" }, finding.advice) : null));
}

function strength(piece, words) {
  const { p_value: p, llr, similarity, status_codes: codes } = piece.strength;
  const rows = [];
  if (p !== null && p < 1) rows.push([words.pValue, p < 1e-12 ? "< 1e-12" : p < 0.001 ? p.toExponential(1) : p.toPrecision(2)]);
  if (llr !== null) rows.push([words.llr, llr.toFixed(2)]);
  if (similarity !== null) rows.push([words.similarity, `${(100 * similarity).toFixed(1)} %`]);
  if (!rows.length && !codes.length) return null;
  return el("div", { class: "strength" },
    rows.map(([name, value]) => el("span", { class: "number" }, `${name} `, el("b", {}, value))),
    codes.length
      ? el("details", {}, el("summary", {}, `${words.codes} (${codes.length})`),
          el("ul", { class: "codes" }, codes.map((code) => el("li", {}, code))))
      : null);
}

function pieceOf(piece, decisive, { words, table, seek }) {
  const own = codeWords(table, piece.code);
  const more = piece.segments.length - MAX_PLACES;
  const places = piece.segments.slice(0, MAX_PLACES).map((part) =>
    el("button", { type: "button", class: "place", on: { click: () => seek(part.start) } },
      `${seconds(part.start)} – ${seconds(part.end)}`));
  return el("li", { class: decisive ? "piece decisive" : "piece" },
    el("p", { class: "says" }, fill(own.says, inWords(piece.values, table)),
      decisive ? el("span", { class: "tag" }, words.decisive) : null),
    el("dl", { class: "worth" },
      el("div", {}, el("dt", {}, words.proves), el("dd", {}, own.proves)),
      el("div", {}, el("dt", {}, words.provesNot), el("dd", {}, own.not))),
    strength(piece, words),
    places.length
      ? el("p", { class: "places" }, places, more > 0 ? el("span", {}, fill(words.morePlaces, { count: more })) : null)
      : null);
}

export function evidenceList(verdict, tools) {
  const grounds = new Set(verdict.grounds);
  const groups = LAYERS.map((layer) => {
    const pieces = verdict.evidence.filter((piece) => piece.layer === layer);
    if (!pieces.length) return null;
    pieces.sort((a, b) => Number(grounds.has(b.code)) - Number(grounds.has(a.code)));
    return el("section", { class: "layer", "aria-labelledby": `layer-${layer}` },
      el("h4", { id: `layer-${layer}` }, tools.table.layer[layer]),
      el("ul", {}, pieces.map((piece) => pieceOf(piece, grounds.has(piece.code), tools))));
  });
  return el("section", { class: "card evidence", "aria-labelledby": "evidence-title" },
    el("h3", { id: "evidence-title" }, tools.words.evidence), groups);
}

export function fileFacts(verdict, { words }) {
  const media = verdict.media ?? {};
  const rows = [
    [words.factName, verdict.file],
    [words.factSize, media.bytes ? bytes(media.bytes) : null],
    [words.factPicture, media.width ? `${media.width} × ${media.height}, ${media.fps} fps` : null],
    [words.factLength, media.seconds ? seconds(media.seconds) : null],
    [words.factCodec, media.codec ? `${media.codec} / ${media.container}` : null],
    [words.factAudio, media.has_audio === undefined ? null : media.has_audio ? words.yes : words.no],
  ];
  return el("section", { class: "card facts", "aria-labelledby": "facts-title" },
    el("h3", { id: "facts-title" }, words.facts),
    el("dl", {}, rows.filter(([, value]) => value).map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
}
