"""Makes 200 hostile files, the same ones each time, and sends them to a service.

    python benchmarks/hostile_files.py [--keep FOLDER] [--workers 2]

Every file must get a clear error (a kind, a message and a hint; no traceback, no path of the
server) or, where it can still be decoded, a well-formed verdict; the service must be alive after
each, leave nothing on its disk, and audit a good clip as before when all is over. Prints a table
for docs/reliability.md; ends with code 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from hostile_media import CLIP_FORMATS, hostile_files, write_clip
from serving import MemoryWatch, served

UPLOAD_LIMIT_MB = 64
JOB_SECONDS = 20


class Tally:
    """What came of the files, kind by kind."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.faults: list[str] = []
        self.slowest: tuple[float, str] = (0.0, "")

    def add(self, kind: str, name: str, answer: httpx.Response, seconds: float, url: str) -> None:
        self.slowest = max(self.slowest, (seconds, name))
        fault = _fault(answer)
        if fault is None and httpx.get(f"{url}/healthz", timeout=10).status_code != 200:
            fault = "the service is not healthy after it"
        if fault:
            self.faults.append(f"{name}: {answer.status_code}: {fault}: {answer.text[:300]}")
        body = answer.json() if fault is None else {}
        self.outcomes[kind]["verdict" if body.get("verdict") else "error"] += 1


def _fault(answer: httpx.Response) -> str | None:
    """Return what is wrong with an answer, ``None`` if it is as it must be."""
    try:
        body = answer.json()
    except ValueError:
        return "no JSON"
    if "Traceback" in answer.text or "/spool/" in answer.text or "/tmp" in answer.text:
        return "it tells of the server"
    if answer.status_code == 200:
        return None if body["verdict"] and body["verdict"]["finding"] else "no verdict"
    if answer.status_code not in {400, 408, 413, 415, 422}:
        return "wrong status"
    error = body["error"]
    if error["kind"] == "InternalError" or not error["message"]:
        return "no clear error"
    return None


class Endless(BaseHTTPRequestHandler):
    """Sends bytes for ever, redirects for ever, or nothing at all."""

    def do_GET(self) -> None:
        try:
            if self.path.startswith("/loop"):
                self.send_response(302)
                self.send_header("Location", f"/loop{random.random()}")
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            while self.path != "/silent":
                self.wfile.write(bytes(1 << 16))
            time.sleep(300)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        return


def endless(url: str, port: int) -> Iterator[tuple[str, httpx.Response]]:
    """Uploads without end and URLs without end."""
    host = f"http://127.0.0.1:{port}"
    for path in ("/stream.mp4", "/loop.mp4", "/stream.webm", "/loop"):
        yield path, httpx.post(f"{url}/v1/audits", json={"url": host + path}, timeout=120)

    def for_ever(block: bytes) -> Iterator[bytes]:
        while True:
            yield block

    for name, block in (("zeros", bytes(1 << 18)), ("ftyp", b"\0\0\0\x18ftypmp42" * 20_000)):
        for content_type in ("video/mp4", "multipart/form-data; boundary=b"):
            head = b"" if "video" in content_type else (
                b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            )  # fmt: skip
            yield f"{name} as {content_type}", _send_for_ever(url, content_type, head, block)


def _send_for_ever(url: str, content_type: str, head: bytes, block: bytes) -> httpx.Response:
    """Send chunks until the service answers, whatever it answers."""
    target = httpx.URL(url)
    with socket.create_connection((target.host, target.port or 80), timeout=120) as raw:
        raw.sendall(
            b"POST /v1/audits HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
        )
        if head:
            raw.sendall(b"%x\r\n%s\r\n" % (len(head), head))
        answer = bytearray()
        reader = threading.Thread(target=_read_all, args=(raw, answer), daemon=True)
        reader.start()
        chunk = b"%x\r\n%s\r\n" % (len(block), block)
        try:
            while reader.is_alive() and not answer:
                raw.sendall(chunk)
        except OSError:  # cut off, as it must be
            pass
        reader.join(30)
    head_bytes, _, body = bytes(answer).partition(b"\r\n\r\n")
    status = int(head_bytes.split(b" ")[1]) if head_bytes else 0
    return httpx.Response(status, content=body)


def _read_all(raw: socket.socket, answer: bytearray) -> None:
    try:
        while block := raw.recv(65536):
            answer.extend(block)
    except OSError:
        return


def send(url: str, path: Path) -> httpx.Response:
    with path.open("rb") as file:
        return httpx.post(f"{url}/v1/audits", files={"file": (path.name, file)}, timeout=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="Write the files here and keep them.")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    options = ["--workers", str(asked.workers), "--per-minute", "100000", "--allow-private-urls"]
    options += ["--max-upload-mb", str(UPLOAD_LIMIT_MB), "--job-seconds", str(JOB_SECONDS)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = asked.keep or folder / "files"
        files.mkdir(parents=True, exist_ok=True)
        good = write_clip(files / "good.mp4", CLIP_FORMATS["mp4"])
        with served(folder, *options) as (process, url), MemoryWatch(process.pid) as memory:
            before = _answered(url, send(url, good)).json()["verdict"]
            streams = list(endless(url, server.server_address[1]))
            for label, answer in streams:
                tally.add("endless streams", label, answer, 0.0, url)
            for kind, path in hostile_files(files, 200 - len(streams), random.Random(20261120)):
                begun = time.perf_counter()
                answer = _answered(url, send(url, path))
                tally.add(kind, path.name, answer, time.perf_counter() - begun, url)
            after = _answered(url, send(url, good)).json()["verdict"]
            left = [path.name for path in (folder / "home" / "spool").iterdir()]
            alive = process.poll() is None
    return report(tally, memory.peak, before, after, left, alive=alive)


def _answered(url: str, answer: httpx.Response) -> httpx.Response:
    """Wait for a job that was not answered at once."""
    while answer.status_code == 202:
        time.sleep(0.2)
        answer = _finished(url, answer)
    return answer


def _finished(url: str, answer: httpx.Response) -> httpx.Response:
    job = httpx.get(url + answer.headers["location"], timeout=30)
    if job.json()["state"] not in {"done", "failed"}:
        return answer
    return httpx.Response(422 if job.json()["error"] else 200, content=job.content)


def report(
    tally: Tally, peak: int, before: Any, after: Any, left: list[str], *, alive: bool
) -> int:
    print("| kind | files | clear error | still decodable, verdict |\n|---|---|---|---|")
    total: Counter[str] = Counter()
    for kind, counts in tally.outcomes.items():
        total += counts
        print(f"| {kind} | {counts.total()} | {counts['error']} | {counts['verdict']} |")
    print(f"| all | {total.total()} | {total['error']} | {total['verdict']} |\n")
    same = before is not None and after is not None and before["finding"] == after["finding"]
    slowest = f"{tally.slowest[0]:.1f} s ({tally.slowest[1]})"
    print(f"| answers that were not as they must be | {len(tally.faults)} |")
    print(f"| service alive, good clip audited as before | {alive}, {same} |")
    print(f"| slowest answer | {slowest} |")
    print(f"| peak memory, service and workers | {peak / 2**20:.0f} MiB |")
    print(f"| uploads left on the disk | {len(left) - left.count('spool-id')} |")
    for fault in tally.faults:
        print(fault, file=sys.stderr)
    fine = not tally.faults and alive and same and left == ["spool-id"]
    return 0 if fine and total.total() == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
