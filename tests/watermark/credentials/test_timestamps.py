"""Time stamps: required, tried, or none; and what they are worth to a reader."""

from __future__ import annotations

import shutil
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fixtures.authority import pem
from fixtures.chain_authority import DAY, ChainAuthority
from fixtures.timestamp_authority import (
    TimestampAuthority,
    misbehaving_authority,
    timestamp_authority,
)

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    Timestamping,
    TrustList,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.timestamps import TimestampPolicy


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TimestampAuthority]:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program is not installed")
    with timestamp_authority(tmp_path / "tsa") as running:
        yield running


@pytest.fixture
def dead_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def _trust(identity: SigningIdentity, *tsa: bytes) -> TrustSettings:
    lists = [TrustList(name="signers", role="claim", anchors=identity.root)]
    lists += [TrustList(name="stamps", role="tsa", anchors=root) for root in tsa]
    return TrustSettings(lists=tuple(lists))


def test_stamp_of_a_listed_authority_is_trusted(
    authority: TimestampAuthority,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    signed = tmp_path / "signed.mp4"
    stamping = Timestamping(policy="require", url=authority.url)
    sign_file(clip, signed, request=request_for_clip, identity=identity, timestamping=stamping)
    reading = read_credentials(signed, trust=_trust(identity, authority.root))
    assert (reading.timestamp, reading.signer_trust) == ("trusted", "trusted")
    assert reading.signed_at is not None
    assert abs(reading.signed_at - datetime.now(UTC)) < timedelta(minutes=5)
    later = datetime.now(UTC) + timedelta(days=500)
    aged = read_credentials(signed, trust=_trust(identity, authority.root), now=later)
    assert aged.validity == "valid-when-signed"


def test_stamp_of_an_unlisted_authority_is_said_to_be_so(
    authority: TimestampAuthority,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    signed = tmp_path / "signed.mp4"
    stamping = Timestamping(policy="require", url=authority.url)
    sign_file(clip, signed, request=request_for_clip, identity=identity, timestamping=stamping)
    assert read_credentials(signed, trust=_trust(identity)).timestamp == "unlisted"


def test_required_stamp_that_does_not_come_leaves_nothing(
    dead_url: str,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    stamping = Timestamping(policy="require", url=dead_url)
    with pytest.raises(CredentialsError, match=r"gave no time stamp.*Nothing was issued"):
        sign_file(
            clip,
            out / "signed.mp4",
            request=request_for_clip,
            identity=identity,
            timestamping=stamping,
        )
    assert list(out.iterdir()) == []


def test_tried_stamp_that_does_not_come_is_done_without(
    dead_url: str,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    stamping = Timestamping(policy="try", url=dead_url)
    sign_file(
        clip, out / "signed.mp4", request=request_for_clip, identity=identity, timestamping=stamping
    )
    assert [path.name for path in out.iterdir()] == ["signed.mp4"]
    reading = read_credentials(out / "signed.mp4", trust=_trust(identity))
    assert (reading.integrity, reading.timestamp) == ("intact", "absent")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.org",
        "http://",
        "timestamps",
        "http://[::1/",
        "http://example.org:99999/",
        "http://example.org:x/",
    ],
)
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"address|authority"):
        Timestamping(policy="require", url=url)


def test_a_policy_that_is_none_is_refused_with_an_address_or_without() -> None:
    for url in ("", "http://example.org"):
        with pytest.raises(UsageError, match="no time stamp policy 'never'"):
            Timestamping(policy="never", url=url)  # type: ignore[arg-type]


def _answering(status: int, body: bytes) -> Callable[[bytes], bytes]:
    """Return a responder that answers every query alike."""
    # Said to be the last on its connection: a second attempt would else race with its closing.
    head = f"HTTP/1.1 {status} x\r\nConnection: close\r\n"
    head += "Content-Type: application/timestamp-reply\r\n"
    return lambda query: f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class _ReplayedStamp:
    """Answers with the stamp of another signature, which is well-formed and does not fit."""

    def __init__(self, url: str) -> None:
        self.url, self.first = url, b""

    def __call__(self, request: bytes) -> bytes:
        if not self.first:
            query = request.split(b"\r\n\r\n", 1)[1]
            answer = urllib.request.urlopen(urllib.request.Request(self.url, query), timeout=20)
            self.first = _answering(200, answer.read())(b"")
        return self.first


FAULTS = {
    "error 500": _answering(500, b"no"),
    "not found": _answering(404, b""),
    "garbage": _answering(200, b"garbage"),
    "empty": _answering(200, b""),
    "web page": _answering(200, b"<html>Please log in</html>"),
    "hang-up": lambda query: b"",
}
WORDS = {
    "error 500": "HTTP status 500",
    "not found": "HTTP status 404",
    "garbage": "its answer is no time stamp",
    "hang-up": "cannot be reached, or did not answer",
}


@pytest.mark.parametrize("policy", ["require", "try"])
@pytest.mark.parametrize("fault", [*FAULTS, "replay"])
def test_authority_that_misbehaves(
    fault: str,
    policy: TimestampPolicy,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    told: list[str] = []
    answer = FAULTS.get(fault)
    if answer is None:
        answer = _ReplayedStamp(request.getfixturevalue("authority").url)
        with misbehaving_authority(answer) as url:  # the first clip gets the stamp that fits
            stamping = Timestamping(policy="require", url=url)
            sign_file(
                *(clip, tmp_path / "first.mp4"),
                request=request_for_clip,
                identity=identity,
                timestamping=stamping,
            )
    with misbehaving_authority(answer) as url:
        arguments = {
            "request": request_for_clip,
            "identity": identity,
            "timestamping": Timestamping(policy=policy, url=url),
            "report": told.append,
        }
        if policy == "require":
            words = f"{WORDS.get(fault, '')}.*Nothing was issued"
            with pytest.raises(CredentialsError, match=words):
                sign_file(clip, out / "signed.mp4", **arguments)
            assert list(out.iterdir()) == []
            return
        sign_file(clip, out / "signed.mp4", **arguments)
    (note,) = told
    assert "issued without one" in note
    assert url in note
    assert [path.name for path in out.iterdir()] == ["signed.mp4"]
    reading = read_credentials(out / "signed.mp4", trust=_trust(identity))
    assert (reading.integrity, reading.timestamp) == ("intact", "absent")


def test_an_authority_that_fails_once_is_asked_again(
    authority: TimestampAuthority,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes:
        asked.append(request)
        if len(asked) == 1:
            return FAULTS["error 500"](request)
        return _ReplayedStamp(authority.url)(request)

    out = tmp_path / "signed.mp4"
    with misbehaving_authority(answer) as url:
        stamping = Timestamping(policy="require", url=url)
        sign_file(clip, out, request=request_for_clip, identity=identity, timestamping=stamping)
    assert len(asked) == 2
    assert read_credentials(out, trust=_trust(identity)).timestamp == "unlisted"


@pytest.mark.parametrize("policy", ["require", "try"])
def test_fault_of_the_signer_is_not_blamed_on_the_authority(
    policy: TimestampPolicy,
    dead_url: str,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    told: list[str] = []
    now = datetime.now(UTC)
    issued = ChainAuthority().issue(not_before=now - 9 * DAY, not_after=now - DAY)
    identity = issued.identity
    stamping = Timestamping(policy=policy, url=dead_url)
    with pytest.raises(CredentialsError, match="expired on"):
        sign_file(
            *(clip, tmp_path / "x.mp4"),
            request=request_for_clip,
            identity=identity,
            timestamping=stamping,
            report=told.append,
        )
    assert told == []


def test_clip_outlives_its_certificate_by_its_stamp(
    authority: TimestampAuthority,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    certifier = ChainAuthority()
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    issued = certifier.issue(not_after=until)
    identity = issued.identity
    stamped, plain = tmp_path / "stamped.mp4", tmp_path / "plain.mp4"
    stamping = Timestamping(policy="require", url=authority.url)
    sign_file(clip, stamped, request=request_for_clip, identity=identity, timestamping=stamping)
    sign_file(clip, plain, request=request_for_clip, identity=identity)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds() + 1.1))
    signers = TrustList(name="signers", role="claim", anchors=pem(certifier.root))
    stamps = TrustList(name="stamps", role="tsa", anchors=authority.root)
    aged = read_credentials(stamped, trust=TrustSettings(lists=(signers, stamps)))
    assert (aged.integrity, aged.validity) == ("intact", "valid-when-signed")
    assert (aged.timestamp, aged.signer_trust) == ("trusted", "trusted")
    doubted = read_credentials(stamped, trust=TrustSettings(lists=(signers,)))
    assert (doubted.timestamp, doubted.signer_trust) == ("unlisted", "unlisted")
    assert read_credentials(plain, trust=TrustSettings(lists=(signers,))).validity == "expired"


def test_password_in_the_address_is_not_shown(
    dead_url: str,
    clip: Path,
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    url = dead_url.replace("http://", "http://me:hush@") + "stamp?key=hush"
    stamping = Timestamping(policy="require", url=url)
    assert stamping.authority == f"{dead_url}stamp"
    with pytest.raises(CredentialsError) as caught:
        sign_file(
            *(clip, tmp_path / "x.mp4"),
            request=request_for_clip,
            identity=identity,
            timestamping=stamping,
        )
    assert "hush" not in str(caught.value)
