"""Signers of every kind, made for real: files, a PKCS#12 bundle, a SoftHSM token, a function."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from fixtures.authority import key_pem
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.watermark.credentials.private_key import FileKey
from vidigree.watermark.credentials.signers import SignerSettings

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = "4711"


@pytest.fixture(scope="session")
def authority() -> ChainAuthority:
    return ChainAuthority()


class SoftHsm:
    """A token in software; every test may add keys to it."""

    def __init__(self, module: str, environment: dict[str, str], folder: Path) -> None:
        self.module, self.environment, self.folder = module, environment, folder
        self._count = 0

    def add(self, key: object) -> str:
        """Import a private key; return its id in hex."""
        self._count += 1
        key_id = f"{self._count:04x}"
        path = self.folder / f"{key_id}.pem"
        path.write_bytes(key_pem(key))
        self.run("--import", str(path), "--token", "vidigree-tests", "--pin", PIN)
        return key_id

    def run(self, *arguments: str) -> None:
        label = ["--label", f"key-{self._count}", "--id", f"{self._count:04x}"]
        subprocess.run(
            ["softhsm2-util", *arguments, *(label if "--import" in arguments else [])],
            check=True,
            capture_output=True,
            env={**os.environ, **self.environment},
        )


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (Debian: apt-get install softhsm2)")
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("python-pkcs11 is not installed (pip install 'vidigree[pkcs11]')")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\n"
        "objectstore.backend = file\nlog.level = ERROR\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        # The module reads it when it is loaded, once per process.
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        token = SoftHsm(module, {"SOFTHSM2_CONF": str(configuration)}, folder)
        token.run(
            *("--init-token", "--free", "--label", "vidigree-tests", "--pin", PIN, "--so-pin", PIN)
        )
        yield token


@pytest.fixture
def make_signer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[[str, Issued], SignerSettings]:
    """Return a function that puts an issued key where a kind of signer looks for it."""

    def make(kind: str, issued: Issued) -> SignerSettings:
        (tmp_path / "chain.pem").write_bytes(issued.chain)
        monkeypatch.setenv("TEST_SECRET", "correct horse")
        options = {
            "pem": _pem,
            "pem-encrypted": _encrypted,
            "pkcs12": _pkcs12,
            "callback": lambda *given: _callback(*given, monkeypatch),
            "pkcs11": lambda *given: _token(*given, request.getfixturevalue("softhsm")),
        }[kind](tmp_path, issued)
        return SignerSettings(kind=kind.partition("-")[0], options=options, base=tmp_path)

    return make


def _pem(folder: Path, issued: Issued) -> dict[str, str]:
    (folder / "key.pem").write_bytes(issued.key_pem)
    return {"chain": "chain.pem", "key": "key.pem"}


def _encrypted(folder: Path, issued: Issued) -> dict[str, str]:
    (folder / "key.pem").write_bytes(key_pem(issued.key, b"correct horse"))
    return {"chain": "chain.pem", "key": "key.pem", "password_env": "TEST_SECRET"}


def _pkcs12(folder: Path, issued: Issued) -> dict[str, str]:
    # Root first and issuer last: the order inside is nobody's promise.
    content = pkcs12.serialize_key_and_certificates(
        b"signer",
        issued.key,  # type: ignore[arg-type]
        issued.leaf,
        [issued.root, issued.issuer],
        serialization.BestAvailableEncryption(b"correct horse"),
    )
    (folder / "signer.p12").write_bytes(content)
    (folder / "password").write_text("correct horse\n")
    return {"file": "signer.p12", "password_file": "password"}


def _callback(folder: Path, issued: Issued, patch: pytest.MonkeyPatch) -> dict[str, str]:
    import sys
    import types

    module = types.ModuleType("cloud_keys_of_the_tests")
    module.sign = FileKey(issued.key).sign  # type: ignore[arg-type, attr-defined]
    patch.setitem(sys.modules, module.__name__, module)
    return {"chain": "chain.pem", "function": f"{module.__name__}:sign"}


def _token(folder: Path, issued: Issued, softhsm: SoftHsm) -> dict[str, str]:
    (folder / "pin").write_text(PIN)
    return {
        "module": softhsm.module,
        "token": "vidigree-tests",
        "key_id": softhsm.add(issued.key),
        "pin_file": "pin",
        "chain": "chain.pem",
    }
