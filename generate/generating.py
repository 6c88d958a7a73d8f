"""From a request to a stamped file: the only way a clip leaves this room."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.engine import Engine, RequestWarning, engine_registry
from vidigree.generate.engines.pictures import check_sources
from vidigree.generate.policy import Policy, enforce
from vidigree.generate.preview import PreviewFile, preview_beside, preview_path
from vidigree.generate.request import ClipRequest
from vidigree.media.arguments import check_kind, check_offers, path_of
from vidigree.media.errors import EngineError, UsageError
from vidigree.media.one_line import check_utf8
from vidigree.media.output import check_target, output_error, scratch_file
from vidigree.media.progress import Progress, no_progress
from vidigree.watermark.clip import Clip
from vidigree.watermark.stamp import StampReceipt, StampSettings, stamp
from vidigree.watermark.stamp_source import check_name, keep_source

__all__ = ["generate"]


def generate(
    request: ClipRequest,
    output: Path | str,
    *,
    engine: Engine | None = None,
    settings: StampSettings | None = None,
    policy: Policy | None = None,
    preview: bool = False,
    progress: Progress = no_progress,
) -> StampReceipt:
    """Generate a clip and issue it: marked, signed, recorded.

    Args:
        request: What the clip should be.
        output: The MP4 file to write.
        engine: Engine to use instead of the registered one that the request names.
        settings: Keys, ledger and quality; ``None`` loads them from the data folder.
        policy: Asked before anything else; its name stands in the clip's origin.
        preview: Keep a small labelled still, ``NAME.preview.jpg``, beside the output while a model
            is denoising.
        progress: Called as frames are made, marked and read back.

    Returns:
        What was issued; its notes say where the request was not followed to the letter.

    Raises:
        PolicyRefusalError: The policy refused the request; the refusal is recorded.
        UsageError: There is no such engine, the request does not fit it, the size is odd, the
            output or its preview is what the clip starts from, the policy's name is not UTF-8, or
            something is of another kind.
        EngineError: The engine failed, or its frames are not what it says.
        MediaError: The picture or clip to start from, or the model's folder, cannot be read.
        OutputError: The output cannot be written.
        StampError: The clip could not be marked; nothing was issued.
        CredentialsError: There is no signing identity, or signing failed.
        LedgerError: The clip could not be recorded.
    """
    check_kind(request, ClipRequest, "the request")
    output = path_of(output, "output")
    if engine is not None:
        check_offers(engine, "generate", "the engine", hint="ClipRequest(engine=...) takes a name.")
    if policy is not None:
        check_offers(
            policy, "refusal", "the policy", hint="Give what load_policy(...) returns for a file."
        )
        # It will stand in the credentials: known before hours of work.
        check_utf8("The policy's name", policy.name)
        enforce(policy, request)
    settings = StampSettings.load() if settings is None else settings
    check_kind(settings, StampSettings, "the settings")
    _check_output(output, request, overwrite=settings.overwrite)
    if preview:
        _check_kept(preview_path(output), request, overwrite=settings.overwrite)
    check_sources(request)
    chosen = engine if engine is not None else engine_registry.get(request.engine)()
    with preview_beside(output, progress) if preview else nullcontext(progress) as told:
        clip, notes = _make(chosen, request, told)
    if isinstance(told, PreviewFile) and not told.is_shown:
        notes += (f"No preview was shown: the engine {chosen.info.name} made none on its way.",)
    check_size(clip.width, clip.height)
    clip = replace(clip, frames=_pictures(clip, chosen.info.name))
    if policy is not None:
        origin = replace(clip.origin, parameters={**clip.origin.parameters, "policy": policy.name})
        clip = replace(clip, origin=origin)
    receipt = stamp(clip, output, settings=settings, progress=progress)
    return replace(receipt, notes=(*receipt.notes, *notes))


def _check_output(output: Path, request: ClipRequest, *, overwrite: bool) -> None:
    """Refuse an output that can never be written before hours of work, not after."""
    check_name(output)
    _check_kept(output, request, overwrite=overwrite)
    try:
        with scratch_file(output) as probe:
            probe.touch()
    except OSError as error:
        raise output_error(output, error) from error


def _check_kept(path: Path, request: ClipRequest, *, overwrite: bool) -> None:
    """Refuse to write onto what the clip starts from, or onto what may not be replaced."""
    for source in (request.image, request.video):
        if source is not None:
            keep_source(source, path)
    check_target(path, overwrite=overwrite)


def check_size(width: int, height: int) -> None:
    """Refuse a size in pixels that no file can have, before its frames are drawn.

    Raises:
        UsageError: A side is odd.
    """
    if width % 2 or height % 2:
        raise UsageError(
            f"The clip would have {width} x {height} pixels; H.264 in 4:2:0 needs even sizes.",
            hint="Ask for an even width and height.",
        )


def _pictures(clip: Clip, engine: str) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a clip, as long as they are what its engine says."""
    number = 0
    for number, frame in enumerate(clip.frames, start=1):
        shape, kind = (getattr(frame, name, None) for name in ("shape", "dtype"))
        if shape != (clip.height, clip.width, 3) or kind != np.uint8:
            raise EngineError(
                f"Frame {number} of the engine {engine} is no 8-bit picture of"
                f" {clip.width} x {clip.height} pixels.",
                hint="Report this to whoever wrote the engine.",
            )
        yield frame
    if not number:
        raise EngineError(
            f"The engine {engine} made no frames.", hint="Report this to whoever wrote the engine."
        )


def _make(engine: Engine, request: ClipRequest, progress: Progress) -> tuple[Clip, tuple[str, ...]]:
    """Return the clip, and what the engine said about the request."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RequestWarning)
        clip = engine.generate(request, progress=progress)
    notes = []
    for warning in caught:
        if issubclass(warning.category, RequestWarning):
            notes.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return clip, tuple(notes)
