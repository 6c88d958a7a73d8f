"""Sign a clip: the manifest goes into the file, and its bytes come back for the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from vidigree.media.errors import CredentialsError, OutputError
from vidigree.media.output import output_file
from vidigree.watermark.credentials.identity import SigningIdentity
from vidigree.watermark.credentials.manifest import (
    PARENT,
    ManifestRequest,
    input_files,
    input_label,
    manifest_definition,
)
from vidigree.watermark.credentials.sdk import ingredient_type, sdk_context, sdk_errors
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.credentials.trust import TrustList, TrustSettings
from vidigree.watermark.credentials.untrusted_text import bounded_text

if TYPE_CHECKING:
    from c2pa import Builder, Context, Signer

__all__ = ["sign_file"]

_CHECK_KEYS = "Run `vidigree keys check`; it says what is wrong with a certificate."


def sign_file(
    source: Path,
    destination: Path,
    *,
    request: ManifestRequest,
    identity: SigningIdentity,
    trust: TrustSettings | None = None,
    timestamping: Timestamping | None = None,
) -> bytes:
    """Write ``source`` with a signed manifest to ``destination``, whole or not at all.

    Nothing may touch the file afterwards: every byte outside the manifest is hashed.

    Args:
        source: MP4 that carries the mark already; it is not changed.
        destination: File to write; may be ``source``. An existing file is replaced at the end.
        request: What to claim.
        identity: Who signs.
        trust: Lists against which the manifests of ingredients are validated; their results are
            frozen into our manifest. ``None`` trusts only the signer's own root.
        timestamping: Whether to ask a time-stamping authority; ``None`` does not.

    Returns:
        The manifest store (JUMBF), as it stands in the file.

    Raises:
        CredentialsError: Signing failed, or ``source`` carries credentials that ``request`` would
            drop. Nothing was written.
        OutputError: ``destination`` cannot be written.
    """
    context = sdk_context(_with_own_root(trust or TrustSettings(), identity))
    if request.created_clip:
        _refuse_to_drop_history(source, context)
    timestamping = timestamping or Timestamping()
    with output_file(destination, overwrite=True) as temporary:
        if timestamping.policy == "none":
            return _sign(_builder(request, context), source, temporary, identity)
        try:
            builder = _builder(request, context)
            return _sign(builder, source, temporary, identity, timestamping.url)
        except CredentialsError as error:
            # Only the authority is forgiven: whatever else is wrong fails again without it.
            with _scratch(temporary) as spare:
                store = _sign(_builder(request, context), source, spare, identity)
                if timestamping.policy == "require":
                    raise CredentialsError(
                        f"The time-stamping authority {timestamping.url} gave no stamp: "
                        f"{error.message}",
                        hint="Try again later, or allow signing without one with the policy 'try'.",
                    ) from error
                spare.replace(temporary)
                return store


def _with_own_root(trust: TrustSettings, identity: SigningIdentity) -> TrustSettings:
    if not identity.root:
        return trust
    own = TrustList(name="signer", role="own", anchors=identity.root)
    return TrustSettings(lists=(*trust.lists, own))


def _refuse_to_drop_history(source: Path, context: Context) -> None:
    """Refuse a "created" claim over a file that carries a manifest; the library would drop it."""
    from c2pa import Reader

    with sdk_errors(f"The credentials in {source} cannot be read", _CHECK_KEYS):
        reader = Reader.try_create(source, context=context)
    if reader is not None:
        reader.close()
        raise CredentialsError(
            f"{source} carries content credentials, which a newly created claim would drop.",
            hint="Name the file as the request's parent, so that its history is kept.",
        )


def _builder(request: ManifestRequest, context: Context) -> Builder:
    """Return a builder with all assertions and ingredients."""
    from c2pa import Builder, C2paBuilderIntent, C2paDigitalSourceType

    definition = manifest_definition(request)
    with sdk_errors("The manifest cannot be built", "This is a defect; please report it."):
        builder = Builder(json.dumps(definition, allow_nan=False), context=context)
        if request.created_clip:
            # The action's own digital source type is what counts; the intent asks for one too.
            builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.EMPTY)
        else:
            builder.set_intent(C2paBuilderIntent.EDIT)
    parent = request.parent_file
    if parent is not None:
        _add_ingredient(builder, parent, relationship="parentOf", label=PARENT)
    for index, path in enumerate(input_files(request)):
        _add_ingredient(builder, path, relationship="inputTo", label=input_label(index))
    return builder


def _add_ingredient(builder: Builder, path: Path, *, relationship: str, label: str) -> None:
    """Add a file with its own manifest; only its suffix, not its name, is published."""
    row: dict[str, Any] = {
        "relationship": relationship,
        "label": label,
        "title": f"{label}{path.suffix.lower()}",
    }
    with sdk_errors(
        f"The input {path} cannot become an ingredient",
        "Its content credentials may be damaged; remove them or use another file.",
    ):
        try:
            with path.open("rb") as stream:
                builder.add_ingredient(json.dumps(row), ingredient_type(path), stream)
        except OSError as error:
            raise CredentialsError(
                f"The input {path} cannot be read: {error.strerror or error}.",
                hint="Check the path and its permissions.",
            ) from error


@contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """Give a path beside ``beside`` and delete what is left there."""
    path = beside.with_name(f"{beside.name}.spare")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sign(
    builder: Builder,
    source: Path,
    target: Path,
    identity: SigningIdentity,
    timestamp_url: str | None = None,
) -> bytes:
    failures: list[Exception] = []
    signer = _library_signer(identity, timestamp_url, failures)
    try:
        with source.open("rb") as reading, target.open("w+b") as writing:
            return _library_sign(builder, signer, reading, writing, failures)
    except OSError as error:
        raise OutputError(
            f"The signed clip cannot be written: {error.strerror or error}.",
            hint="Check the free space and the permissions of the output folder.",
        ) from error


def _library_sign(
    builder: Builder,
    signer: Signer,
    reading: BinaryIO,
    writing: BinaryIO,
    failures: list[Exception],
) -> bytes:
    try:
        with sdk_errors("The clip cannot be signed", _CHECK_KEYS):
            return bytes(builder.sign(signer, "video/mp4", reading, writing))
    except CredentialsError as error:
        if not failures:
            raise
        # The library only says "internal error" when the callback raised.
        cause = failures[0]
        if isinstance(cause, CredentialsError):
            raise cause from error
        raise CredentialsError(
            f"The signing service failed: {type(cause).__name__}: {bounded_text(cause)}.",
            hint="Check the service, its key and your permissions there.",
        ) from cause


def _library_signer(
    identity: SigningIdentity, timestamp_url: str | None, failures: list[Exception]
) -> Signer:
    """Return the library's signer; what a callback raises goes into ``failures``."""
    from c2pa import C2paSignerInfo, C2paSigningAlg, Signer

    sign = identity.sign
    with sdk_errors("The signing identity cannot be used", _CHECK_KEYS):
        if sign is None:
            url = timestamp_url.encode() if timestamp_url else None
            algorithm = identity.algorithm.encode()
            return Signer.from_info(C2paSignerInfo(algorithm, identity.chain, identity.key, url))

        def call(data: bytes) -> bytes:
            try:
                signature = sign(data)
            # Foreign code may raise anything; it is raised again once the library has returned.
            except Exception as error:  # noqa: BLE001
                failures.append(error)
                return b""
            if not signature:
                failures.append(CredentialsError("The signing service gave an empty signature."))
            return signature

        return Signer.from_callback(
            call,
            C2paSigningAlg[identity.algorithm.upper()],
            identity.chain.decode("ascii"),
            timestamp_url,
        )
