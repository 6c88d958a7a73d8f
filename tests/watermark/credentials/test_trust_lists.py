"""Lists are added, shown, fetched again and removed; a bad one changes nothing."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from cryptography import x509
from fixtures.authority import Authority, key_pem, pem

from vidigree.media.errors import CredentialsError, OutputError, UsageError
from vidigree.watermark.credentials import TrustSettings, trust_lists
from vidigree.watermark.credentials.trust import trust_folder
from vidigree.watermark.credentials.trust_commands import trust
from vidigree.watermark.credentials.trust_lists import (
    MAX_LIST_BYTES,
    _NoOpenLine,
    add_list,
    installed_lists,
    remove_list,
    update_lists,
)

ROOT = pem(Authority.make().root)
OTHER = pem(Authority.make("Other Root").root)
KEPT = (("claim", "x"), ("tsa", "y"))
URL = "https://lists.example.org/partners.pem"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Answer every address from a table; nothing leaves the machine."""
    table = {URL: ROOT}

    def answer(
        self: object, request: urllib.request.Request, data: None = None, timeout: float = 0
    ) -> BytesIO:
        if request.full_url not in table:
            raise OSError("no route")
        return BytesIO(table[request.full_url])

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", answer)
    return table


def test_file_is_added_and_believed(tmp_path: Path) -> None:
    (tmp_path / "partners.pem").write_bytes(ROOT + OTHER)
    added = add_list(str(tmp_path / "partners.pem"), role="claim")
    assert (added.name, added.certificates) == ("partners", 2)
    assert [(entry.name, entry.role) for entry in TrustSettings.load().lists] == [
        ("partners", "claim")
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data,
        lambda data: data.replace(b"CERTIFICATE-----\nM", b"CERTIFICATE-----M"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b" "),
        lambda data: b"# Roots\n" + data.replace(b"-----BEGIN", b"\nA title\n-----BEGIN"),
    ],
    ids=["usual", "no line after the title", "CR LF", "one line", "comments"],
)
def test_every_certificate_that_is_counted_is_believed(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "partners.pem").write_bytes(change(ROOT + OTHER))
    assert add_list(str(tmp_path / "partners.pem"), role="claim").certificates == 2
    (group,) = TrustSettings.load().groups()
    assert x509.load_pem_x509_certificates(group.anchors) == x509.load_pem_x509_certificates(
        ROOT + OTHER
    )


def test_roles_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    add_list(str(tmp_path / "x.pem"), role="tsa")
    assert [group.roles for group in TrustSettings.load().groups()] == [{"tsa"}]


def test_address_is_fetched_when_added_and_when_updated(served: dict[str, bytes]) -> None:
    assert add_list(URL, role="claim").certificates == 1
    served[URL] = ROOT + OTHER
    assert installed_lists()[0].certificates == 1
    assert update_lists()[0].certificates == 2
    assert installed_lists()[0].certificates == 2


def test_list_that_cannot_be_fetched_keeps_what_it_was(served: dict[str, bytes]) -> None:
    add_list(URL, role="claim")
    served.clear()
    with pytest.raises(CredentialsError, match="cannot be fetched"):
        update_lists()
    assert installed_lists()[0].certificates == 1


@pytest.mark.parametrize("answer", [b"<html>404</html>", b"", ROOT[:-40]])
def test_answer_that_is_no_list_changes_nothing(served: dict[str, bytes], answer: bytes) -> None:
    add_list(URL, role="claim")
    served[URL] = answer
    with pytest.raises(CredentialsError, match="certificate"):
        update_lists()
    assert installed_lists()[0].certificates == 1


def test_open_line_is_refused() -> None:
    with pytest.raises(UsageError, match="https"):
        add_list("http://lists.example.org/x.pem", role="claim")


def test_answer_without_end_is_cut(served: dict[str, bytes]) -> None:
    served[URL] = b"x" * (MAX_LIST_BYTES + 10)
    with pytest.raises(CredentialsError, match="larger"):
        add_list(URL, role="claim")


class _Line:
    """What is left of a connection: what the server sent before it went away."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._sent)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(ROOT) + 900), "900 bytes are"),
        (b"220 ready\r\n\r\n", "fetched: 220 ready"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", "IncompleteRead"),
    ],
    ids=["cut", "no HTTP", "cut in a chunk"],
)
def test_a_list_that_does_not_arrive_whole_is_not_taken(
    sent: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(_Line(sent + ROOT))  # type: ignore[arg-type]
        response.begin()
        return response

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", answer)
    with pytest.raises(CredentialsError, match=told):
        add_list(URL, role="claim")
    assert installed_lists() == ()


@pytest.mark.parametrize("name", ["../../etc", ".hidden", "a b", "x/y", "n" * 65])
def test_name_that_could_be_a_path_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    with pytest.raises(UsageError, match="no name"):
        add_list(str(tmp_path / "x.pem"), role="claim", name=name)


@pytest.mark.parametrize("name", ["../tsa/kept", "none"])
def test_what_is_no_list_is_not_removed(name: str, tmp_path: Path) -> None:
    (tmp_path / "kept.pem").write_bytes(ROOT)
    add_list(str(tmp_path / "kept.pem"), role="claim", name="other")
    add_list(str(tmp_path / "kept.pem"), role="tsa")
    with pytest.raises(CredentialsError, match="no claim list"):
        remove_list(name, role="claim")
    assert [entry.name for entry in installed_lists()] == ["other", "kept"]


def test_a_removed_list_leaves_no_address_to_one_of_its_name(
    served: dict[str, bytes], home: Path
) -> None:
    add_list(URL, role="claim")
    remove_list("partners", role="claim")
    (home / "trust" / "claim" / "partners.pem").write_bytes(OTHER)
    assert [entry.source for entry in installed_lists()] == [""]
    assert update_lists() == ()


def test_a_list_that_cannot_be_read_or_kept_is_told(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read: No such file"):
        add_list(str(tmp_path / "none.pem"), role="claim")
    (tmp_path / "x.pem").write_bytes(ROOT)
    with pytest.raises(UsageError, match="no SHA-256"):
        add_list(str(tmp_path / "x.pem"), role="claim", sha256="ab")
    home.mkdir(exist_ok=True)
    (home / "trust").write_text("no folder", encoding="utf-8")
    with pytest.raises(CredentialsError, match="cannot be written: "):
        add_list(str(tmp_path / "x.pem"), role="claim")
    (home / "trust").unlink()
    add_list(str(tmp_path / "x.pem"), role="claim")
    for damaged in ("[]", "no json"):
        (home / "trust" / "sources.json").write_text(damaged, encoding="utf-8")
        with pytest.raises(CredentialsError, match=r"sources\.json cannot be read"):
            installed_lists()


def test_nobody_is_believed_when_it_cannot_be_kept_where_a_list_came_from(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    add_list(str(tmp_path / "x.pem"), role="claim")
    before = TrustSettings.load().groups()
    (home / "trust" / "sources.json").write_text("no json", encoding="utf-8")
    (tmp_path / "x.pem").write_bytes(OTHER)
    for name in ("x", "y"):
        with pytest.raises(CredentialsError, match=r"sources\.json cannot be read"):
            add_list(str(tmp_path / "x.pem"), role="claim", name=name)
    after = TrustSettings.load().groups()
    assert [group.anchors for group in after] == [group.anchors for group in before]


def test_a_list_and_where_it_came_from_are_kept_both_or_neither(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    write = trust_lists._write
    for full in ("sources.json", "y.pem"):

        def writing(path: Path, data: bytes, full: str = full) -> None:
            if path.name == full:
                raise OutputError("The disk is full.")
            write(path, data)

        monkeypatch.setattr(trust_lists, "_write", writing)
        with pytest.raises(OutputError, match="full"):
            add_list(str(tmp_path / "x.pem"), role="claim", name="y")
        assert TrustSettings.load().lists == ()
    assert json.loads((home / "trust" / "sources.json").read_text(encoding="utf-8")) == {}


def test_a_file_is_taken_up_to_the_largest_size_and_never_in_part(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(ROOT + b"#" * (MAX_LIST_BYTES - len(ROOT)))
    assert add_list(str(path), role="claim").certificates == 1
    path.write_bytes(OTHER + b"#" * (MAX_LIST_BYTES + 1 - len(OTHER)))
    with pytest.raises(CredentialsError, match="larger"):
        add_list(str(path), role="claim")
    (group,) = TrustSettings.load().groups()
    assert x509.load_pem_x509_certificates(group.anchors) == x509.load_pem_x509_certificates(ROOT)


def test_an_empty_name_and_a_private_key_are_refused(tmp_path: Path) -> None:
    """A name is empty where a script's variable is not set; a list is for everybody to read."""
    (tmp_path / "x.pem").write_bytes(ROOT)
    with pytest.raises(UsageError, match="no name for a list"):
        add_list(str(tmp_path / "x.pem"), role="claim", name="")
    (tmp_path / "x.pem").write_bytes(ROOT + key_pem(Authority.make().key))
    with pytest.raises(CredentialsError, match="holds a private key"):
        add_list(str(tmp_path / "x.pem"), role="claim")
    assert installed_lists() == ()


def test_a_list_that_stays_is_not_said_to_be_removed(home: Path) -> None:
    path = home / "trust" / "claim" / "x.pem"
    (path / "full").mkdir(parents=True)
    with pytest.raises(CredentialsError, match="cannot be written"):
        remove_list("x", role="claim")
    assert path.exists()


def test_a_file_is_remembered_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.pem").write_bytes(ROOT)
    assert add_list("x.pem", role="claim").source == str(tmp_path / "x.pem")
    assert [entry.source for entry in installed_lists()] == [str(tmp_path / "x.pem")]


def test_removed_list_is_gone(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    add_list(str(tmp_path / "x.pem"), role="claim")
    remove_list("x", role="claim")
    assert installed_lists() == ()
    with pytest.raises(CredentialsError, match="no claim list"):
        remove_list("x", role="claim")


def test_lists_that_are_changed_at_the_same_time_are_all_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x", "y", "z"):
        (tmp_path / f"{name}.pem").write_bytes(ROOT)
    add_list(str(tmp_path / "z.pem"), role="claim")
    others = [
        Thread(target=add_list, args=(str(tmp_path / "y.pem"),), kwargs={"role": "tsa"}),
        Thread(target=remove_list, args=("z",), kwargs={"role": "claim"}),
    ]
    write = trust_lists._write

    def slowly(path: Path, data: bytes) -> None:
        """Let the others in between the reading of the table and its writing, if they can."""
        if path.name == "sources.json" and others[0].ident is None:
            for other in others:
                other.start()
            for other in others:
                other.join(0.2)
        write(path, data)

    monkeypatch.setattr(trust_lists, "_write", slowly)
    add_list(str(tmp_path / "x.pem"), role="claim")
    for other in others:
        other.join()
    table = json.loads((trust_folder() / "sources.json").read_text(encoding="utf-8"))
    assert table == {f"{role}/{name}": str(tmp_path / f"{name}.pem") for role, name in KEPT}


@pytest.mark.parametrize("whole", [False, True])
def test_a_list_that_is_removed_while_it_is_fetched_does_not_come_back(
    served: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    add_list(URL, role="claim")
    fetch = trust_lists._fetch

    def meanwhile(url: str) -> bytes:
        if whole:
            shutil.rmtree(trust_folder())
        else:
            remove_list("partners", role="claim")
        return fetch(url)

    monkeypatch.setattr(trust_lists, "_fetch", meanwhile)
    assert update_lists() == ()
    assert installed_lists() == ()


def test_commands(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    run = CliRunner()
    empty = run.invoke(trust, ["list"], catch_exceptions=False)
    assert "No lists" in empty.output
    run.invoke(trust, ["add", str(tmp_path / "x.pem"), "--for", "tsa"], catch_exceptions=False)
    shown = run.invoke(trust, ["list"], catch_exceptions=False)
    assert "tsa" in shown.output
    assert " 1 certificate  " in shown.output
    run.invoke(trust, ["remove", "x", "--for", "tsa"], catch_exceptions=False)
    assert "No lists" in run.invoke(trust, ["list"], catch_exceptions=False).output


def test_sha256_is_shown_and_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(ROOT)
    right = hashlib.sha256(ROOT).hexdigest()
    with pytest.raises(CredentialsError, match=f"has the SHA-256 {right}, not the one"):
        add_list(str(tmp_path / "x.pem"), role="claim", sha256="0" * 64)
    assert installed_lists() == ()
    add_list(str(tmp_path / "x.pem"), role="claim", sha256=right.upper())
    assert right in CliRunner().invoke(trust, ["list"], catch_exceptions=False).output


def test_update_says_what_changed(served: dict[str, bytes]) -> None:
    add_list(URL, role="claim")
    assert "unchanged" in CliRunner().invoke(trust, ["update"], catch_exceptions=False).output
    served[URL] = OTHER
    told = CliRunner().invoke(trust, ["update"], catch_exceptions=False).output
    assert "changed, 1 certificate." in told
    assert hashlib.sha256(OTHER).hexdigest() in told


def test_list_is_not_fetched_over_an_open_line_by_redirect() -> None:
    handler = _NoOpenLine()
    request = urllib.request.Request(URL)
    with pytest.raises(urllib.error.URLError, match="not https"):
        handler.redirect_request(request, None, 302, "", {}, "http://lists.example.org/x.pem")
    moved = handler.redirect_request(request, None, 302, "", {}, "https://other.example/x.pem")
    assert moved is not None
    assert moved.full_url == "https://other.example/x.pem"
