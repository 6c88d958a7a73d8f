"""A ComfyUI node that saves images as a marked, signed, recorded video.

Point ComfyUI at it with a one-line file ``custom_nodes/vidigree_nodes.py``::

    from vidigree.generate.doors.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

The names and return values follow ComfyUI's documentation of custom nodes (2026).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any, ClassVar

from vidigree.generate.doors.export import stamp_frames
from vidigree.media.errors import UsageError

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "SaveStampedVideo"]


class SaveStampedVideo:
    """Takes an IMAGE batch, float (F, H, W, 3) in [0, 1], and writes one stamped MP4 file."""

    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("STRING",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("path",)
    FUNCTION: ClassVar[str] = "save"
    CATEGORY: ClassVar[str] = "video"
    OUTPUT_NODE: ClassVar[bool] = True
    DESCRIPTION: ClassVar[str] = "Saves a video with a robust watermark and content credentials."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 -- ComfyUI asks for this name
        """Return the inputs in ComfyUI's form."""
        return {
            "required": {
                "images": ("IMAGE",),
                "fps": ("FLOAT", {"default": 16.0, "min": 1.0, "max": 240.0, "step": 0.01}),
                "filename_prefix": ("STRING", {"default": "vidigree"}),
            }
        }

    def save(self, images: Any, fps: float, filename_prefix: str) -> dict[str, Any]:
        """Write the file.

        Returns:
            ``ui`` for the browser and ``result`` for the next node, in ComfyUI's form.
        """
        if not re.fullmatch(r"[\w][\w .-]{0,99}", filename_prefix):
            raise UsageError(
                f"{filename_prefix!r} is not a file name prefix.",
                hint="Use letters, digits, spaces, dots and dashes.",
            )
        folder = _output_folder()
        path = _free_name(folder, filename_prefix)
        stamp_frames(images.detach().cpu().numpy(), path, fps=fps)
        preview = {"filename": path.name, "subfolder": "", "type": "output"}
        return {"ui": {"images": [preview], "animated": (True,)}, "result": (str(path),)}


def _output_folder() -> Path:
    """Return ComfyUI's output folder; outside ComfyUI the current folder."""
    if importlib.util.find_spec("folder_paths") is None:
        return Path.cwd()
    return Path(importlib.import_module("folder_paths").get_output_directory())


def _free_name(folder: Path, prefix: str) -> Path:
    number = 1
    while (folder / f"{prefix}_{number:05d}.mp4").exists():
        number += 1
    return folder / f"{prefix}_{number:05d}.mp4"


NODE_CLASS_MAPPINGS = {"VidigreeSaveStampedVideo": SaveStampedVideo}
NODE_DISPLAY_NAME_MAPPINGS = {"VidigreeSaveStampedVideo": "Save stamped video (vidigree)"}
