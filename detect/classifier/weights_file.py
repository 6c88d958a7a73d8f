"""Files of weights: an npz and its header, written and read without pickles."""

from __future__ import annotations

import hashlib
import json
import lzma
import math
import stat
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from vidigree.detect.classifier.canonical import RECIPE_ID
from vidigree.detect.classifier.extraction import blocks_width
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.geometry import VIEWS
from vidigree.detect.classifier.model import LOCAL_PREFIX, NUMBERS, ClassifierModel, Header
from vidigree.media.arguments import path_of
from vidigree.media.errors import UsageError
from vidigree.media.output import check_target, output_file

__all__ = ["check_weights_target", "kept_model", "load_model", "save_model", "shipped_model"]

_FORMAT = 6
_SUFFIX = ".npz"
_LARGEST = 256 << 20  # bytes; the shipped weights have 4 MB

# What the header and the archive of others may raise; `zipfile` says RuntimeError of a cipher.
_DAMAGED = (
    BadZipFile,
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    zlib.error,
)


def check_weights_target(path: Path) -> None:
    """Refuse what :func:`save_model` would refuse, for the work that comes before it.

    Raises:
        UsageError: The name does not end in ``.npz``: the header beside the weights would take the
            place of another file, or the weights that of a table of clips.
        OutputError: One of the two files cannot be written there.
    """
    if path.suffix.lower() != _SUFFIX:
        raise UsageError(
            f"{path} is no name for weights.", hint=f"Give one that ends in {_SUFFIX}."
        )
    check_target(path, overwrite=True)
    check_target(path.with_suffix(".json"), overwrite=True)


def save_model(model: ClassifierModel, path: Path) -> str:
    """Write the weights as npz, and beside them a JSON file with their SHA-256 and the header.

    Args:
        model: The model.
        path: Where the ``.npz`` goes; the header goes to the same name with ``.json``.

    Returns:
        The SHA-256 of the npz, hex.

    Raises:
        UsageError: The name does not end in ``.npz``.
        OutputError: The files cannot be written.
    """
    check_weights_target(path)
    buffer = BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **model.arrays())
    data = buffer.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    header = {"format": _FORMAT, "sha256": sha256, **asdict(model.header)}
    with output_file(path, overwrite=True) as temporary:
        temporary.write_bytes(data)
    with output_file(path.with_suffix(".json"), overwrite=True) as temporary:
        temporary.write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
    return sha256


def load_model(path: Path | str) -> ClassifierModel:
    """Load weights written by :func:`save_model`; nothing is ever unpickled.

    Raises:
        UsageError: The files cannot be read, do not match each other, or belong to another
            canonical form or other versions of the feature groups.
    """
    path = path_of(path, "file of weights")
    try:
        data = _bytes_of(path)
        header = json.loads(_bytes_of(path.with_suffix(".json")).decode())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UsageError(
            f"The classifier weights {path} cannot be read.",
            hint="Give the .npz written by `vidigree classifier train`, its .json beside it.",
        ) from error
    return _checked(data, header, path)


def _bytes_of(path: Path) -> bytes:
    """Read a file; what is none, such as a pipe, is not waited for.

    Raises:
        OSError: It cannot be read, is no file, or is larger than any weights.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
        raise OSError(f"{path} is no file of weights")
    return path.read_bytes()


def kept_model(path: Path | str) -> ClassifierModel:
    """Load weights once for many clips, and anew when weights or header were replaced.

    Raises:
        UsageError: See :func:`load_model`.
    """
    path = path_of(path, "file of weights")
    try:
        facts = (path.stat(), path.with_suffix(".json").stat())
    except OSError:
        return load_model(path)  # which says what is wrong
    return _kept(path, *((one.st_mtime_ns, one.st_size, one.st_ino) for one in facts))


@lru_cache(maxsize=2)
def _kept(path: Path, *_: tuple[int, ...]) -> ClassifierModel:
    return load_model(path)


@lru_cache(maxsize=1)
def shipped_model() -> ClassifierModel:
    """Return the weights that come with the package.

    Raises:
        UsageError: The installation is damaged.
    """
    folder = resources.files("vidigree.detect.classifier") / "weights"
    with resources.as_file(folder / "classifier.npz") as path:
        data = path.read_bytes()
    header = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
    return _checked(data, header, Path("classifier.npz"))


def _checked(data: bytes, header: Any, path: Path) -> ClassifierModel:
    if not isinstance(header, Mapping):
        raise _other_format(path)
    if header.get("format") != _FORMAT:
        raise UsageError(
            f"The classifier weights {path} are of format {header.get('format')}; this version"
            f" reads {_FORMAT}.",
            hint="Train them again; of a calibration, calibrate the weights that come with this"
            " version again.",
        )
    if header.get("sha256") != hashlib.sha256(data).hexdigest():
        raise UsageError(
            f"The classifier weights {path} do not match their header.",
            hint="Train them again, or reinstall the package.",
        )
    if header.get("recipe_id") != RECIPE_ID:
        raise UsageError(
            f"The classifier weights {path} belong to canonical form {header.get('recipe_id')};"
            f" this version uses {RECIPE_ID}.",
            hint="Train them again with `vidigree classifier train`.",
        )
    try:
        fields = {key: _frozen(value) for key, value in header.items()}
        del fields["format"], fields["sha256"]
        parsed = Header(**fields)
        _check_header(parsed)
        for _, name, version in (*parsed.blocks, *parsed.local_blocks):
            _check_version(name, version, path)
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            parts: dict[str, Any] = {name: arrays[name] for name in arrays.files}
        local = {
            name.removeprefix(LOCAL_PREFIX): parts.pop(name)
            for name in arrays.files
            if name.startswith(LOCAL_PREFIX)
        }
        model = _member(parsed, parts)
        if local:
            nothing = np.zeros(0, np.float32)
            model = replace(model, local_member=_member(parsed, {**local, "reals": nothing}))
        _check_parts(model)
        return model
    except UsageError:
        raise  # a ValueError, too, that says what is wrong with the features
    except _DAMAGED as error:
        raise _other_format(path) from error


def _other_format(path: Path) -> UsageError:
    return UsageError(
        f"The classifier weights {path} are not of this format.",
        hint="Train them again with `vidigree classifier train`.",
    )


def _check_header(header: Header) -> None:
    """Raise a ValueError unless what decides about a clip has a meaning."""
    for name in ("threshold", "false_alarms"):
        value = getattr(header, name)
        if type(value) not in (int, float) or math.isnan(value):
            raise ValueError(name)
    if not 0 < header.false_alarms < 1:
        raise ValueError("false_alarms")
    # Calibration refuses the clips of this list: without it, none would be refused.
    digests = header.trained_on
    if type(digests) is not tuple or not all(isinstance(digest, str) for digest in digests):
        raise ValueError("trained_on")
    if not {view for view, _, _ in (*header.blocks, *header.local_blocks)} <= set(VIEWS):
        raise ValueError("blocks")


def _member(header: Header, parts: dict[str, Any]) -> ClassifierModel:
    numbers = {name: float(parts[name]) for name in NUMBERS}
    return ClassifierModel(header=header, **{**parts, **numbers})


def _check_parts(model: ClassifierModel) -> None:
    """Raise a ValueError unless the arrays fit, and what says where is whole or absent."""
    header = model.header
    if bool(header.local_blocks) != (model.local_member is not None):
        raise ValueError("local_blocks")
    _check_arrays(model)
    reals = model.reals
    if reals.dtype.kind != "f" or reals.ndim != 1 or not len(reals):
        raise ValueError("reals")
    if np.isnan(reals[0]) or not (np.diff(reals) >= 0).all():  # p-values are searched for in them
        raise ValueError("reals")
    if model.local_member is not None:
        _check_arrays(model.local)


def _check_arrays(model: ClassifierModel) -> None:
    width = blocks_width(model.blocks)
    rows = (len(model.support),)
    shapes = {
        "median": (width,),
        "mean": (width,),
        "scale": (width,),
        "balance": (width,),
        "support": (*rows, width),
        "dual": rows,
        "stack": (2,),
    }
    for name, shape in shapes.items():
        array = getattr(model, name)
        if array.dtype.kind != "f" or array.shape != shape or not np.isfinite(array).all():
            raise ValueError(name)
        if name in ("scale", "balance") and not (array > 0).all():
            raise ValueError(name)
    if not (0 < model.gamma < np.inf and 0 < model.additive_gamma < np.inf):
        raise ValueError("gamma")
    if not 0 <= model.additive_share <= 1:
        raise ValueError("additive_share")


def _check_version(name: str, version: int, path: Path) -> None:
    have = feature_group(name).version
    if have != version:
        raise UsageError(
            f"The classifier weights {path} use version {version} of the features {name!r};"
            f" this is version {have}.",
            hint="Train them again with `vidigree classifier train`.",
        )


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
