"""Record a finished file again, from what it says itself: for ledgers that lost their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from vidigree.media.errors import LedgerError
from vidigree.media.reading import probe_container
from vidigree.watermark.clip import LONGEST_NAMES, Origin
from vidigree.watermark.credentials import (
    SOFT_BINDING_ALGORITHM,
    CredentialsReading,
    SoftBinding,
    TrustList,
    TrustSettings,
    read_credentials,
)
from vidigree.watermark.credentials.chains import is_authority
from vidigree.watermark.credentials.claims import ActionReading
from vidigree.watermark.credentials.embedding import embedded_store
from vidigree.watermark.credentials.identity import own_roots
from vidigree.watermark.credentials.manifest import PROGRAM, marked_clip_id
from vidigree.watermark.credentials.pem import read_certificates
from vidigree.watermark.fingerprint import Fingerprint, fingerprint_video
from vidigree.watermark.ledger.entry import LedgerEntry
from vidigree.watermark.method import CLIP_ID_BITS, watermark_methods

__all__ = ["adopted_entry", "bound_clip_id", "own_signers"]


def bound_clip_id(path: Path) -> int | None:
    """Return the clip id that a file's credentials bind to its mark; ``None`` without one.

    What the credentials say is not checked here.

    Raises:
        MediaError: The file cannot be read.
        UsageError: A method of another package, whose mark it may be, cannot be imported.
    """
    binding, _ = _binding(read_credentials(path, trust=TrustSettings()))
    return None if binding is None else marked_clip_id(binding.value)


def adopted_entry(path: Path, *, trust: TrustSettings) -> LedgerEntry:
    """Return the entry that a file would have had, if a signer of this installation vouches for it.

    The hash of the request is not in the file and stays empty. The engine is what the credentials
    name as what made the clip: a model, or an engine with its version.

    Args:
        path: A stamped file.
        trust: Who counts as this installation, see :func:`own_signers`. Lists of others' signers
            do not count: an entry says that the clip was issued here.

    Raises:
        LedgerError: The file was altered, or is signed by somebody else, or it has no mark or a
            name that is not UTF-8.
        MediaError: The file cannot be read.
        UsageError: A method of another package, whose mark it may be, cannot be imported.
    """
    reading = read_credentials(path, trust=trust)
    store = embedded_store(path)
    binding, method = _binding(reading)
    clip_id = None if binding is None else marked_clip_id(binding.value)
    if binding is None or store is None or clip_id is None:
        raise LedgerError(f"{path} was not stamped: its credentials bind no mark.")
    if reading.integrity != "intact":
        raise LedgerError(
            f"{path} is not recorded: integrity {reading.integrity}.",
            hint="Only intact files are recorded; `vidigree audit` says more.",
        )
    if reading.trusted_by != "own":
        signer = reading.signer.common_name if reading.signer else ""
        raise LedgerError(
            f"{path} is not recorded: its signer {signer!r} is none of this installation's.",
            hint="If it was issued here, name its signer's certificate with --signer.",
        )
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise LedgerError(
            f"{path} is not recorded: its name or folder is not UTF-8.", hint="Rename it."
        ) from error
    fingerprint, duration = _look_at(path)
    return LedgerEntry(
        clip_id=clip_id,
        key_id=binding.value.rpartition(":")[0],
        method=method,
        manifest_store=store,
        fingerprint=fingerprint.to_bytes(),
        created_at=reading.signed_at or _modified_at(path),
        engine=_engine(reading.actions),
        duration=duration,
        file=name,
    )


def own_signers(named: Mapping[str, bytes], *, home: Path | None = None) -> TrustSettings:
    """Return whose clips count as issued by this installation.

    Those are signers below a development root that it made, and those that are named here: the one
    that it signs with, and those that the operator vouches for. Of a text only the first
    certificate counts: with its issuers, a chain would name all whom they ever issued to.

    Args:
        named: PEM texts by where they are from, each of a signer's certificate or of an authority
            that issues to this installation only.
        home: Data folder; ``None`` means the default one.

    Raises:
        CredentialsError: A text holds no certificate, or an own root cannot be read.
    """
    roots = list(own_roots(None if home is None else home / "identity"))
    signers: list[bytes] = []
    for where, text in named.items():
        first = read_certificates(text, what=where)[0]
        (roots if is_authority(first) else signers).append(first.public_bytes(Encoding.PEM))
    lists = (TrustList(name="identity", role="own", anchors=b"\n".join(roots)),) if roots else ()
    return TrustSettings(lists=lists, signers=b"".join(signers))


def _engine(actions: Sequence[ActionReading]) -> str:
    """Return what made a clip, by its credentials, as they name it; else that it was no engine."""
    agents = (action.software_agent for action in actions)
    made_by = (one for one in agents if one and one.partition(" ")[0] != PROGRAM)
    return next(made_by, Origin().engine)[: LONGEST_NAMES["engine"]]


def _binding(reading: CredentialsReading) -> tuple[SoftBinding | None, str]:
    """Return what binds a clip to a mark that clips are issued with, and that mark's method."""
    # Packages that have nothing to do with a clip of our own, and may be broken, are left alone.
    for binding in reading.soft_bindings:
        if binding.alg == SOFT_BINDING_ALGORITHM:
            return binding, "robust"
    for binding in reading.soft_bindings:
        method = _issuing_method(binding.alg)
        if method:
            return binding, method
    return None, ""


def _issuing_method(algorithm: str) -> str:
    """Return the method of another package that has a soft binding algorithm id; empty for none.

    Raises:
        UsageError: A method of another package cannot be imported.
    """
    for name in watermark_methods:
        method = watermark_methods.get(name)
        its_own = getattr(method, "soft_binding_algorithm", "")
        if its_own and its_own == algorithm and method.message_bits == CLIP_ID_BITS:
            return name
    return ""


def _look_at(path: Path) -> tuple[Fingerprint, float]:
    """Return fingerprint and duration in seconds."""
    return fingerprint_video(path), float(probe_container(path).duration or 0)


def _modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
