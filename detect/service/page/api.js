// Talks to the service. An answer is the job as the service sends it; trouble is thrown as
// ServiceTrouble with what happened and what to do.

export class ServiceTrouble extends Error {
  constructor(kind, message, hint, retryAfter = 0) {
    super(message);
    this.kind = kind;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }
}

const POLL_MS = 600;
const POLL_TRIES = 5;

function headers(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

function trouble(status, text, retryAfter) {
  try {
    const { error } = JSON.parse(text);
    return new ServiceTrouble(error.kind, error.message, error.hint, Number(retryAfter) || 0);
  } catch {
    return new ServiceTrouble("Unreachable", `HTTP ${status}`, "");
  }
}

// XMLHttpRequest, because fetch cannot tell how much of an upload has gone out.
function send(path, { body, type, key, signal, onUpload }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries(headers(key))) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", type);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onUpload(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if ([200, 202, 422].includes(request.status)) {
        try {
          resolve(JSON.parse(request.responseText));
        } catch {
          reject(new ServiceTrouble("Unreachable", "", ""));
        }
      } else {
        reject(trouble(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      }
    });
    request.addEventListener("error", () => reject(new ServiceTrouble("Unreachable", "", "")));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

export async function service() {
  const answer = await fetch("/v1/service");
  if (!answer.ok) throw trouble(answer.status, await answer.text());
  return answer.json();
}

export async function verdictWords(language) {
  const answer = await fetch(`/page/verdict-${language}.json`);
  if (!answer.ok) throw trouble(answer.status, await answer.text());
  return answer.json();
}

export function start({ file, url, language, pictures, key, signal, onUpload }) {
  const query = new URLSearchParams({ wait: "1", pictures: String(pictures), report: "1", language });
  if (url) {
    const body = JSON.stringify({ url });
    return send(`/v1/audits?${query}`, { body, type: "application/json", key, signal, onUpload });
  }
  query.set("name", file.name);
  // A type of ours: the browser's guess could be one that means "options" to the service.
  const type = "application/octet-stream";
  return send(`/v1/audits?${query}`, { body: file, type, key, signal, onUpload });
}

// Ask until the job is finished. A few failures in a row are a service that restarts: the job
// survives that.
export async function follow(job, { key, signal, onProgress }) {
  let failures = 0;
  while (!["done", "failed"].includes(job.state)) {
    onProgress(job);
    await pause(POLL_MS * 2 ** failures, signal);
    try {
      const answer = await fetch(`/v1/audits/${job.id}`, { headers: headers(key), signal });
      const text = await answer.text();
      if (answer.status === 404) throw trouble(404, text);
      if (!answer.ok) throw new TypeError("busy");
      job = JSON.parse(text);
      failures = 0;
    } catch (error) {
      if (error instanceof ServiceTrouble || error.name === "AbortError") throw error;
      failures += 1;
      if (failures > POLL_TRIES) throw new ServiceTrouble("Unreachable", "", "");
    }
  }
  return job;
}

export function forget(job, key) {
  fetch(`/v1/audits/${job.id}`, { method: "DELETE", headers: headers(key), keepalive: true }).catch(() => {});
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    });
  });
}
