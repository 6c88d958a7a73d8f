"""Time stamps: required, tried, or none; and what they are worth to a reader."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fixtures.timestamp_authority import TimestampAuthority, timestamp_authority

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
    with pytest.raises(CredentialsError, match="gave no stamp"):
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


@pytest.mark.parametrize("url", ["", "ftp://example.org", "http://", "timestamps"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="address"):
        Timestamping(policy="require", url=url)
