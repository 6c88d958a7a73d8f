// Hands out files to keep. The service has forgotten the clip by then; the report came along with
// the verdict.

import { el } from "/page/dom.js";

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
