"""Sign a clip: the manifest goes into the file, and its bytes come back for the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidigree.media.errors import CredentialsError
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
from vidigree.watermark.credentials.signature import CHECK_KEYS, write_signature
from vidigree.watermark.credentials.timestamps import Timestamping
from vidigree.watermark.credentials.trust import TrustList, TrustSettings

if TYPE_CHECKING:
    from c2pa import Builder, Context

__all__ = ["check_parent", "sign_file"]


def sign_file(
    source: Path,
    destination: Path,
    *,
    request: ManifestRequest,
    identity: SigningIdentity,
    trust: TrustSettings | None = None,
    timestamping: Timestamping | None = None,
    report: Callable[[str], None] | None = None,
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
        timestamping: Whether and where the signature is time-stamped; ``None`` means not at all.
        report: Called with a sentence when a stamp was wanted and could not be had.

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
    with output_file(destination, overwrite=True) as temporary:
        return write_signature(
            lambda: _builder(request, context),
            source,
            temporary,
            identity=identity,
            timestamping=timestamping or Timestamping(),
            report=report or _say_nothing,
        )


def check_parent(path: Path) -> None:
    """Refuse a file that no clip can be signed as made from, before any work is done on it.

    Raises:
        CredentialsError: Its boxes or its credentials are damaged, or it cannot be read.
    """
    from c2pa import Builder

    with (
        sdk_errors("The manifest cannot be built", "This is a defect; please report it."),
        Builder("{}", context=sdk_context(TrustSettings())) as builder,
    ):
        _add_ingredient(builder, path, relationship="parentOf", label=PARENT)


def _say_nothing(sentence: str) -> None:
    """Drop a report."""


def _with_own_root(trust: TrustSettings, identity: SigningIdentity) -> TrustSettings:
    if not identity.root:
        return trust
    own = TrustList(name="signer", role="own", anchors=identity.root)
    return TrustSettings(lists=(*trust.lists, own))


def _refuse_to_drop_history(source: Path, context: Context) -> None:
    """Refuse a "created" claim over a file that carries a manifest; the library would drop it."""
    from c2pa import Reader

    with sdk_errors(f"The credentials in {source} cannot be read", CHECK_KEYS):
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
        "Its boxes or its content credentials are damaged: write it anew with FFmpeg (-c copy), or"
        " use another file.",
    ):
        try:
            with path.open("rb") as stream:
                builder.add_ingredient(json.dumps(row), ingredient_type(path), stream)
        except OSError as error:
            raise CredentialsError(
                f"The input {path} cannot be read: {error.strerror or error}.",
                hint="Check the path and its permissions.",
            ) from error
