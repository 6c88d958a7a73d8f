"""Makes the training data of the embedded models, trains them and measures them."""

from vidigree.generate.training.captions import caption_of, caption_words
from vidigree.generate.training.clips import (
    CaptionedClip,
    ClipFolder,
    ClipSettings,
    draw_clip,
    draw_clips,
    open_clips,
)
from vidigree.generate.training.facts import ClipFacts, draw_facts

__all__ = [
    "CaptionedClip",
    "ClipFacts",
    "ClipFolder",
    "ClipSettings",
    "caption_of",
    "caption_words",
    "draw_clip",
    "draw_clips",
    "draw_facts",
    "open_clips",
]
