// The manifest tree: what the credentials say, ingredient by ingredient. All of it is untrusted
// text, shown as text.

import { el } from "/page/dom.js";

const TONES = {
  intact: "good", trusted: "good", own: "good", valid: "good", "valid-when-signed": "good",
  altered: "bad", expired: "warn", "not-yet-valid": "warn", revoked: "bad", unlisted: "warn",
  generated: "made", "generated-by-algorithm": "made", "composite-with-generated": "made",
};
const MAX_DEPTH = 12;

function badge(name, value, words) {
  return el("span", { class: `badge ${TONES[value] ?? ""}` }, `${name}: `, el("b", {}, words.values[value] ?? value));
}

// Only a stamp that somebody vouches for saves a certificate that has run out. An ingredient's may be its successor's.
function believedValidity(node, depth) {
  const unproven = depth === 0 && node.validity === "valid-when-signed" && node.timestamp !== "trusted";
  return unproven ? "expired" : node.validity;
}

// A copy that lost its manifest has other bytes as a rule: no sign of tampering, and nothing that a hash vouches for.
function integrityBadges(node, words) {
  if (!node.recovered || node.content_binding !== "mismatch") return [badge(words.integrity, node.integrity, words)];
  return [
    badge(words.manifestIntegrity, node.manifest_integrity, words),
    badge(words.integrity, node.content_binding, words),
  ];
}

function moment(text, language) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

function signerText(node, words) {
  if (!node.signer) return null;
  const name = [node.signer.organization, node.signer.common_name].filter(Boolean).join(" · ");
  return node.signer_trust === "trusted" ? name : `${name} (${words.unverifiedName})`;
}

function actionText(action) {
  return [action.label, action.software_agent, action.description].filter(Boolean).join(" — ");
}

function facts(node, { words, language }) {
  const rows = [
    [words.signer, signerText(node, words)],
    [words.signedAt, node.signed_at ? moment(node.signed_at, language) : null],
    [words.generator, node.generator],
    [words.actions, (node.actions ?? []).map(actionText).filter(Boolean)],
    [words.bindings, (node.soft_bindings ?? []).map((binding) => `${binding.alg}: ${binding.value}`)],
  ];
  return el("dl", {}, rows.filter(([, value]) => (Array.isArray(value) ? value.length : value)).map(([name, value]) =>
    el("div", {}, el("dt", {}, name),
      el("dd", {}, Array.isArray(value) ? el("ul", {}, value.map((item) => el("li", {}, item))) : value))));
}

function branch(node, tools, depth, name = tools.words.thisFile) {
  const { words } = tools;
  const signed = depth === 0 || node.signed;
  const relation = depth === 0 ? name : words.values[node.relationship] ?? words.ingredient;
  const badges = signed
    ? el("p", { class: "badges" },
        ...integrityBadges(node, words),
        badge(words.trust, node.trusted_by === "own" ? "own" : node.signer_trust, words),
        badge(words.validity, believedValidity(node, depth), words),
        badge(words.source, node.claimed_source, words))
    : el("p", { class: "badges" }, el("span", { class: "badge" }, words.unsigned));
  const inner = node.ingredients ?? [];
  return el("details", { class: "node", open: depth < 2 },
    el("summary", {}, el("span", { class: "relation" }, relation), " ", el("b", {}, node.title || words.noTitle)),
    badges, facts(node, tools),
    inner.length && depth < MAX_DEPTH
      ? el("ul", { class: "inner" }, inner.map((item) => el("li", {}, branch(item, tools, depth + 1))))
      : null);
}

export function manifestTree(verdict, tools) {
  const { words, table } = tools;
  const { credentials, ledger } = verdict.readings;
  const body = [];
  if (credentials.status === "present") body.push(branch(credentials, tools, 0));
  else if (credentials.status === "absent") body.push(el("p", {}, words.manifestNone));
  else if (credentials.status === "unreadable") body.push(el("p", {}, words.manifestUnreadable));
  else body.push(el("p", {}, `${table.layer.credentials}: ${words.laneNotChecked}. ${credentials.why ?? ""}`));
  // Beside the file's own manifest the same one again would tell nothing.
  const same = credentials.manifest_label && ledger.credentials?.manifest_label === credentials.manifest_label;
  const recovered = same ? null : ledger.credentials;
  if (recovered) body.push(el("h4", {}, words.recovered), branch(recovered, tools, 0, words.asIssued));
  return el("section", { class: "card manifest", "aria-labelledby": "manifest-title" },
    el("h3", { id: "manifest-title" }, words.manifest), body);
}
