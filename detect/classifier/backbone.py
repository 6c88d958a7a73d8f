"""A pretrained image or video encoder from the user's own disk; nothing is ever fetched."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.media.errors import UsageError

__all__ = ["Backbone", "load_backbone", "rgb_frames"]

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_LARGEST_SIDE = 256


class Backbone:
    """An encoder that turns frames into one vector each.

    Args:
        folder: A folder in the form of the transformers library, weights as safetensors: DINOv2,
            CLIP, SigLIP or ViT for pictures, VideoMAE for clips.

    Raises:
        UsageError: The folder holds no such model, or a package is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            import torch
            from transformers import AutoModel
        except ImportError as error:
            raise UsageError(
                "A backbone needs torch and transformers, which are not installed.",
                hint="Install it with: pip install 'vidigree[diffusers]'",
            ) from error
        weights = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
        if not weights or not (folder / "config.json").is_file():
            raise UsageError(
                f"{folder} holds no config.json with weights as .safetensors.",
                hint="Give a local folder in the form that the transformers library saves.",
            )
        self.version = _fingerprint([folder / "config.json", *weights])
        try:
            model = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"{folder} cannot be loaded as a model.", hint="Check that the folder is whole."
            ) from error
        self._model: Any = getattr(model, "vision_model", model).eval()
        self._torch = torch
        config = getattr(model.config, "vision_config", model.config)
        self._video = config.model_type == "videomae"
        self._side = min(int(getattr(config, "image_size", 224)), _LARGEST_SIDE)
        self._frames = int(getattr(config, "num_frames", 1))
        self._tubelet = int(getattr(config, "tubelet_size", 1))
        self._mean, self._deviation = _normalisation(folder)

    def embed(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a vector for each frame, or for each tubelet of a video model.

        Args:
            frames: uint8 RGB (F, H, W, 3).

        Returns:
            float32 (F, D), or (F // tubelet, D).
        """
        side = (self._side, self._side)
        small = np.stack([cv2.resize(f, side, interpolation=cv2.INTER_AREA) for f in frames])
        levels = (small.astype(np.float32) / 255 - self._mean) / self._deviation
        pixels = self._torch.from_numpy(np.ascontiguousarray(levels.transpose(0, 3, 1, 2)))
        with self._torch.inference_mode():
            return self._of_video(pixels) if self._video else self._of_pictures(pixels)

    def _of_pictures(self, pixels: Any) -> NDArray[np.float32]:
        answer = self._model(pixel_values=pixels)
        pooled = getattr(answer, "pooler_output", None)
        vectors = answer.last_hidden_state[:, 0] if pooled is None else pooled
        return np.asarray(vectors.float().numpy(), dtype=np.float32)

    def _of_video(self, pixels: Any) -> NDArray[np.float32]:
        """Repeat the last frame up to the model's length; only tubelets of real frames count."""
        count = len(pixels)
        places = self._torch.arange(self._frames).clamp(max=count - 1)
        hidden = self._model(pixel_values=pixels[places][None]).last_hidden_state[0]
        tubelets = hidden.reshape(self._frames // self._tubelet, -1, hidden.shape[-1]).mean(dim=1)
        kept = tubelets[: max(1, min(count, self._frames) // self._tubelet)]
        return np.asarray(kept.float().numpy(), dtype=np.float32)


@lru_cache(maxsize=1)
def load_backbone(folder: Path) -> Backbone:
    """Return the encoder of a folder; the last one is kept."""
    return Backbone(folder)


def rgb_frames(view: DecodedView) -> NDArray[np.uint8]:
    """Return the pictures of a view, uint8 RGB (F, H, W, 3)."""
    frames = []
    for luma, cb, cr in zip(view.luma, view.chroma[0], view.chroma[1], strict=True):
        planes = np.concatenate([luma.ravel(), cb.ravel(), cr.ravel()]).astype(np.uint8)
        planar = planes.reshape(luma.shape[0] * 3 // 2, luma.shape[1])
        frames.append(cv2.cvtColor(planar, cv2.COLOR_YUV2RGB_I420))
    return np.stack(frames).astype(np.uint8)


def _fingerprint(files: list[Path]) -> int:
    """Return 31 bits of a hash over the files, a version for the features made with them."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return int.from_bytes(digest.digest()[:4]) >> 1


def _normalisation(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    path = folder / "preprocessor_config.json"
    row: dict[str, Any] = {}
    if path.is_file():
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UsageError(f"{path} cannot be read.", hint="Mend or remove it.") from error
    mean, deviation = row.get("image_mean", _MEAN), row.get("image_std", _DEVIATION)
    return np.array(mean, dtype=np.float32), np.array(deviation, dtype=np.float32)
