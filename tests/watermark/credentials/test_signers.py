"""One contract over every kind of signer."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from fixtures.authority import Authority, key_pem, pem

from vidigree.media.errors import CredentialsError, UsageError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    load_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.identity import identity_from_chain

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
AUTHORITY = Authority.make()
PASSWORD, PIN = "correct horse", "1234"

Maker = Callable[[Any, Path], None]


def _key(algorithm: str) -> Any:
    if algorithm == "es256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "es384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "ps256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ed25519.Ed25519PrivateKey.generate()


def _pem(key: Any, folder: Path) -> None:
    (folder / "mine.pem").write_bytes(pem(AUTHORITY.issue(key.public_key())))
    (folder / "mine.key").write_bytes(key_pem(key, PASSWORD.encode()))
    _configure(folder, kind="pem", chain="mine.pem", key="mine.key", password_env="TEST_PASSWORD")


def _pkcs12(key: Any, folder: Path) -> None:
    data = pkcs12.serialize_key_and_certificates(
        b"mine",
        key,
        AUTHORITY.issue(key.public_key()),
        [AUTHORITY.root],
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    )
    (folder / "mine.p12").write_bytes(data)
    _configure(folder, kind="pkcs12", file="mine.p12", password_env="TEST_PASSWORD")


def _pkcs11(key: Any, folder: Path) -> None:
    if not SOFTHSM.exists() or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed")
    pkcs11 = pytest.importorskip("pkcs11")
    tokens = folder / "tokens"
    tokens.mkdir()
    (folder / "softhsm.conf").write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(folder / "softhsm.conf")}
    (folder / "import.key").write_bytes(key_pem(key))
    for command in (
        ["--init-token", "--free", "--label", "studio", "--pin", PIN, "--so-pin", "5678"],
        [
            *("--import", str(folder / "import.key"), "--token", "studio", "--label", "claims"),
            *("--id", "01", "--pin", PIN),
        ],
    ):
        subprocess.run(
            ["softhsm2-util", *command], env=environment, check=True, capture_output=True
        )
    # The module read its configuration when another test used it first.
    pkcs11.lib(str(SOFTHSM)).reinitialize()
    (folder / "mine.pem").write_bytes(pem(AUTHORITY.issue(key.public_key())))
    _configure(
        folder,
        kind="pkcs11",
        module=str(SOFTHSM),
        token="studio",
        key="claims",
        chain="mine.pem",
        pin_env="TEST_PIN",
    )


def _configure(folder: Path, **options: str) -> None:
    rows = "".join(f'{name} = "{value}"\n' for name, value in options.items())
    (folder / "signer.toml").write_text(f"[signer]\n{rows}")


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = home / "identity"
    path.mkdir(parents=True)
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    monkeypatch.setenv("TEST_PIN", PIN)
    monkeypatch.setenv("SOFTHSM2_CONF", str(path / "softhsm.conf"))
    return path


def _trust() -> TrustSettings:
    anchors = pem(AUTHORITY.root)
    return TrustSettings(lists=(TrustList(name="partners", role="claim", anchors=anchors),))


def _must_sign(
    identity: SigningIdentity, clip: Path, request: ManifestRequest, out: Path, algorithm: str
) -> None:
    sign_file(clip, out, request=request, identity=identity)
    reading = read_credentials(out, trust=_trust())
    assert (reading.integrity, reading.trusted_by) == ("intact", "list")
    assert reading.signer is not None
    assert reading.signer.algorithm == algorithm
    assert reading.signer.organization == "Example Studio"
    assert not reading.signer.development


@pytest.mark.parametrize("algorithm", ["es256", "es384", "ps256", "ed25519"])
@pytest.mark.parametrize("make", [_pem, _pkcs12], ids=["pem", "pkcs12"])
def test_file_signers_sign(
    make: Maker,
    algorithm: str,
    folder: Path,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    make(_key(algorithm), folder)
    _must_sign(load_identity(), clip, request_for_clip, tmp_path / "signed.mp4", algorithm)


@pytest.mark.parametrize("algorithm", ["es256", "es384", "ps256"])
def test_token_signs_and_its_key_stays_there(
    algorithm: str,
    folder: Path,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    _pkcs11(_key(algorithm), folder)
    (folder / "import.key").unlink()
    identity = load_identity()
    assert identity.key == b""
    _must_sign(identity, clip, request_for_clip, tmp_path / "signed.mp4", algorithm)


@pytest.mark.parametrize("algorithm", ["es256", "es384", "ps256", "ed25519"])
def test_callback_signs(
    algorithm: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    key = _key(algorithm)

    def cloud(data: bytes) -> bytes:
        if algorithm == "ed25519":
            return bytes(key.sign(data))
        if algorithm == "ps256":
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            return bytes(key.sign(data, pss, hashes.SHA256()))
        digest = hashes.SHA256() if algorithm == "es256" else hashes.SHA384()
        return bytes(key.sign(data, ec.ECDSA(digest)))

    identity = identity_from_chain(pem(AUTHORITY.issue(key.public_key())), sign=cloud)
    _must_sign(identity, clip, request_for_clip, tmp_path / "signed.mp4", algorithm)


def test_error_of_a_cloud_service_is_shown(
    clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    def cloud(_data: bytes) -> bytes:
        raise PermissionError("role studio-signer may not use key 7")

    leaf = pem(AUTHORITY.issue(_key("es256").public_key()))
    identity = identity_from_chain(leaf, sign=cloud)
    with pytest.raises(CredentialsError, match="role studio-signer may not use key 7"):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=identity)
    assert not (tmp_path / "x.mp4").exists()


def test_empty_signature_is_told(
    clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    leaf = pem(AUTHORITY.issue(_key("es256").public_key()))
    identity = identity_from_chain(leaf, sign=lambda data: b"")
    with pytest.raises(CredentialsError, match="empty signature"):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=identity)


def test_wrong_pin_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    clip: Path,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    _pkcs11(_key("es256"), folder)
    monkeypatch.setenv("TEST_PIN", "9999")
    with pytest.raises(CredentialsError, match="PIN"):
        sign_file(clip, tmp_path / "x.mp4", request=request_for_clip, identity=load_identity())
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize("make", [_pem, _pkcs12], ids=["pem", "pkcs12"])
def test_wrong_password_is_told(make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(_key("es256"), folder)
    monkeypatch.setenv("TEST_PASSWORD", "wrong")
    with pytest.raises(CredentialsError, match="password is wrong"):
        load_identity()


def test_password_that_is_not_set_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pem(_key("es256"), folder)
    monkeypatch.delenv("TEST_PASSWORD")
    with pytest.raises(CredentialsError, match="TEST_PASSWORD"):
        load_identity()


def test_kind_that_there_is_not_is_told(folder: Path) -> None:
    _configure(folder, kind="pkcs13")
    with pytest.raises(UsageError, match="pkcs11"):
        load_identity()


def test_damaged_signer_file_is_told(folder: Path) -> None:
    (folder / "signer.toml").write_text("signer = 7")
    with pytest.raises(CredentialsError, match=r"signer\.toml"):
        load_identity()
