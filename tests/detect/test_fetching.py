"""Remote clips: they are fetched whole, limits hold, and nothing is left behind."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fixtures.clip_server import BODY, IRI, URI, serving

from vidigree.detect.fetching import FetchLimits, local_copy
from vidigree.media import (
    MediaError,
    NotAVideoError,
    OutputError,
    UnsupportedMediaError,
    UsageError,
    open_video,
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture(scope="module")
def protected(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as port:
        yield f"https://127.0.0.1:{port}"


def fetch(url: str, **limits: float) -> bytes:
    with local_copy(url, FetchLimits(**limits)) as path:  # type: ignore[arg-type]
        return path.read_bytes()


def test_a_local_path_is_given_back_as_it_is() -> None:
    with local_copy("a.mp4", FetchLimits()) as path:
        assert path == Path("a.mp4")


@pytest.mark.parametrize(
    "page",
    [
        "/clip.mp4",
        "?clip=1",
        "/stays",
        "/moved",
        *(f"/hops/{n}/1" for n in (301, 302, 303, 307, 308)),
    ],
)
def test_http_is_fetched_and_the_copy_deleted(server: str, page: str) -> None:
    with local_copy(server + page, FetchLimits()) as path:
        assert path.read_bytes() == BODY
    assert not path.parent.exists()


def test_where_no_copy_can_be_kept_nothing_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with (
        pytest.raises(OutputError, match="temporary files"),
        local_copy("http://192.0.2.1/a.mp4", FetchLimits()),
    ):
        pass


def test_what_is_wrong_with_a_copy_is_told_of_the_url(server: str) -> None:
    url = f"{server}/clip.mp4"
    with (
        pytest.raises(NotAVideoError) as told,
        local_copy(url, FetchLimits()) as path,
        open_video(path),
    ):
        pass
    assert told.value.message.startswith(f"{url} is not a video")
    assert str(path) not in str(told.value)


def test_what_ascii_has_not_is_sent_as_utf8_and_what_is_encoded_stays(server: str) -> None:
    """RFC 3987, section 3.1; a redirect's bytes are sent back as they came."""
    for page in (IRI, URI, "/bytes"):
        assert fetch(server + page) == BODY
    with pytest.raises(MediaError, match="404"):
        fetch(server + URI.replace("%", "%25"))


@pytest.mark.parametrize(
    ("host", "told"),
    [("BÜCHER.test", "xn--bcher-kva.test"), ("例え.テスト", "xn--r8jz45g.xn--zckzah")],
)
def test_a_host_in_another_script_is_told_by_its_ascii_name(
    host: str, told: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.rpartition(":")[2])
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here])
    assert fetch(f"http://{host}:{port}/host") == f"{told}:{port}".encode()
    assert fetch(f"http://127.0.0.1:{port}/host") == f"127.0.0.1:{port}".encode()


def test_what_stands_before_the_host_is_not_sent_as_its_name(server: str) -> None:
    place = server.removeprefix("http://")
    assert fetch(f"http://user:secret@{place}/host") == place.encode()


def test_a_server_that_is_not_there_is_told_whatever_the_scheme() -> None:
    for scheme in ("ftp", "http"):
        with pytest.raises(MediaError, match=r"cannot be reached: .*refused"):
            fetch(f"{scheme}://127.0.0.1:1/x.mp4")


def test_five_redirects_are_followed(server: str) -> None:
    assert fetch(f"{server}/hops/302/5") == BODY
    with pytest.raises(MediaError, match="redirects too often"):
        fetch(f"{server}/hops/302/6")


def test_a_host_that_has_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match="is not known"):
        fetch(f"http://{'a' * 70}.test/clip.mp4")  # no name may be so long

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(MediaError, match=r"The host clips\.test is not known"):
        fetch("http://clips.test/clip.mp4")


@pytest.mark.parametrize(
    ("start", "port"),
    [
        ("http://clips.test", 80),
        ("https://clips.test", 443),
        ("http://clips.test:443", 443),
        ("https://clips.test:80", 80),
    ],
)
def test_a_server_is_sought_at_its_port_and_not_waited_for_too_long(
    start: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))
    waits: list[float] = []

    def connect(address: tuple[str, int], *, timeout: float) -> socket.socket:
        assert address == ("93.184.216.34", port)
        waits.append(timeout)
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [row])
    monkeypatch.setattr(socket, "create_connection", connect)
    for seconds in (300, 5):
        with pytest.raises(MediaError, match="unreachable"):
            fetch(f"{start}/clip.mp4", max_seconds=seconds, public_only=True)
    assert waits[0] == 30
    assert 4 < waits[1] <= 5


def test_missing_pages_and_bad_answers_are_errors(server: str) -> None:
    with pytest.raises(MediaError, match="404"):
        fetch(f"{server}/none")
    with pytest.raises(MediaError, match="answers 302"):
        fetch(f"{server}/lost")
    with pytest.raises(MediaError, match="cannot be fetched: "):
        fetch(f"{server}/babble")
    with pytest.raises(MediaError, match="redirects to what is no URL"):
        fetch(f"{server}/nowhere")


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/clip.mp4",
        "s3://[::1/clip.mp4",
        "http://a:99999/clip.mp4",
        "http:///clip.mp4",
        "http://a/\udcff.mp4",
        "s3://a/\udcff.mp4",
        "http://a/\x00.mp4",
        "http://a/\n.mp4",
        "http://a/\x7f.mp4",
    ],
)
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="is not a URL: "):
        fetch(url)


def test_a_download_that_ends_early_is_no_clip(server: str) -> None:
    with pytest.raises(MediaError, match="ended 7 bytes early"):
        fetch(f"{server}/short")


def test_https_is_protected_and_the_server_vouched_for(
    server: str, protected: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MediaError, match=r"cannot be reached: .*certificate verify failed"):
        fetch(f"{protected}/clip.mp4")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(f"{protected}/clip.mp4") == BODY
    with pytest.raises(MediaError, match=r"cannot be reached: .*SSL"):
        fetch(f"{server.replace('http', 'https')}/clip.mp4")


def test_only_https_where_that_is_asked_for(
    server: str, protected: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(f"{protected}/moved", https_only=True) == BODY
    for url in (f"{server}/clip.mp4", f"{protected}/unprotected"):
        with pytest.raises(UnsupportedMediaError, match="is not an https URL"):
            fetch(url, https_only=True)


def test_a_redirect_to_another_scheme_is_refused(server: str) -> None:
    with pytest.raises(UnsupportedMediaError, match=r"ftp://.* is not an http or https URL"):
        fetch(f"{server}/elsewhere")


def test_size_is_limited(server: str) -> None:
    assert fetch(f"{server}/clip.mp4", max_bytes=len(BODY)) == BODY
    with pytest.raises(UnsupportedMediaError, match="larger than 100 bytes"):
        fetch(f"{server}/clip.mp4", max_bytes=100)


def test_time_is_limited_even_if_bytes_keep_dripping(server: str) -> None:
    before = time.monotonic()
    with pytest.raises(
        (UnsupportedMediaError, MediaError), match=r"takes longer|cannot be fetched"
    ):
        fetch(f"{server}/drip", max_seconds=0.6)
    assert time.monotonic() - before < 3


def test_time_is_limited_while_the_head_of_the_answer_drips(server: str) -> None:
    """Once a worker was held until its job's time was over, however short the limit."""
    before = time.monotonic()
    with pytest.raises(UnsupportedMediaError, match="takes longer than 1 s to fetch"):
        fetch(f"{server}/drip-head", max_seconds=0.6)
    assert time.monotonic() - before < 3


@pytest.mark.parametrize("page", ["/drip", "/drip-head"])
def test_what_trickles_is_given_up_long_before_the_time_is_over(server: str, page: str) -> None:
    with pytest.raises(MediaError, match="brings less than 1000 bytes a second"):
        fetch(f"{server}{page}", idle_seconds=0.5, min_rate=1000)


def test_what_brings_nothing_is_given_up(server: str) -> None:
    with pytest.raises(MediaError, match="cannot be fetched: timed out"):
        fetch(f"{server}/pause", idle_seconds=0.3)
    assert fetch(f"{server}/pause", idle_seconds=5, min_rate=1000) == 2 * BODY


def test_a_rate_is_kept_over_each_stretch(server: str) -> None:
    """What came quickly at first does not pay for what trickles later."""
    with pytest.raises(MediaError, match="brings less than 100 bytes a second"):
        fetch(f"{server}/burst", idle_seconds=0.5, min_rate=100)
    assert fetch(f"{server}/clip.mp4", idle_seconds=0.3, min_rate=10**9) == BODY  # over by then
