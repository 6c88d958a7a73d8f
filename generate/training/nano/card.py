"""Writes the model card of the embedded model, and its contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vidigree.generate.training.captions import caption_words
from vidigree.generate.training.clips import CaptionedClip
from vidigree.generate.training.nano.evaluate import Evaluation
from vidigree.generate.training.nano.export import folder_digest
from vidigree.generate.training.nano.reader import QUESTIONS

__all__ = ["contact_sheet", "write_card"]

_SHOWN_FRAMES: Final = 6
_COLUMNS: Final = 2


def contact_sheet(clips: NDArray[np.uint8], path: Path) -> None:
    """Write a JPEG with some frames of every clip, one clip a strip, two strips side by side.

    Args:
        clips: uint8 (N, F, H, W, 3).
        path: The picture to write.
    """
    from PIL import Image

    last = clips.shape[1] - 1
    shown = clips[:, [round(last * k / (_SHOWN_FRAMES - 1)) for k in range(_SHOWN_FRAMES)]]
    strips = [np.concatenate(list(clip), axis=1) for clip in shown]
    rows = [
        np.concatenate(strips[start : start + _COLUMNS], axis=1)
        for start in range(0, len(strips) - _COLUMNS + 1, _COLUMNS)
    ]
    Image.fromarray(np.concatenate(rows)).save(path, quality=82, optimize=True)


def write_card(
    evaluation: Evaluation,
    model: Path,
    *,
    training: str,
    shown: list[CaptionedClip],
    sheet: str,
    path: Path,
) -> None:
    """Write the card as Markdown.

    Args:
        evaluation: What was measured.
        model: The model folder; sizes and hash are taken from it.
        training: How long it was trained, in words.
        shown: The clips of the contact sheet, in order.
        sheet: The contact sheet, as a path relative to the card.
        path: The card.
    """
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    questions = [*QUESTIONS, "left or right"]
    table = [
        f"| {question} | {_percent(evaluation.text[question])}"
        f" | {_percent(evaluation.image[question])} | {_percent(evaluation.coded[question])}"
        f" | {_percent(evaluation.ceiling[question])} | {_percent(evaluation.chance[question])} |"
        for question in questions
    ]
    captions = [f"{number}. {clip.caption}" for number, clip in enumerate(shown, start=1)]
    text = _CARD.format(
        size=size / 1e6,
        digest=folder_digest(model),
        training=training,
        table="\n".join(table),
        captions="\n".join(captions),
        sheet=sheet,
        words=", ".join(caption_words()),
        e=evaluation,
    )
    path.write_text(text, encoding="utf-8")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_CARD: Final = """\
# nano: the embedded diffusion model

Written by `vidigree generator evaluate nano --card`; figures and hash are of the weights in this
package.

A latent diffusion transformer for clips of 25 frames at 64 x 64, brought to
256 x 256 by a small trained network. One set of weights does text-, image- and video-to-video. The
folder `generate/engines/nano/model` is a stock diffusers pipeline ({size:.1f} MB, safetensors,
float16; the upsampler is ONNX): `DiffusionPipeline.from_pretrained(folder)` loads it without this
package. Pass `height=64, width=64, num_frames=25, max_sequence_length=32` then, which is what it
was trained with, and note that what leaves a bare pipeline carries no mark.

For text the engine calls it twice: for one frame, then for the clip that begins with it
(`generate/engines/nano/drawing.py`). A bare pipeline draws both at once.

SHA-256 over the folder (`vidigree.generate.training.nano.export.folder_digest`): `{digest}`

| part | what |
|---|---|
| text encoder | `T5EncoderModel`, 2 layers of width 128, one token a word |
| denoiser | `WanTransformer3DModel`, 8 layers of width 192, attention over space and time at once |
| codec | `AutoencoderKLWan`, 8 x 8 pixels and 4 frames to 16 values |
| sampling | flow matching, Euler, {e.steps} steps, classifier-free guidance {e.guidance} |

Trained from nothing on 4,000 clips that the renderer drew, on one processor core: {training}.
The commands are in [generate.md](generate.md#training-the-embedded-models); the codec and the
denoiser were stopped and continued with another number of steps, and the upsampler's are not the
default, so another run of the same commands gives weights of the same kind, not these. In its first
5,674 steps the denoiser saw whole clips only, in half of the later ones first frames only, as the
recipe has it now from the start. No picture or text of others went in.

## What it does with captions it never saw

{e.clips} clips from captions of held-out combinations of shape, colour, motion and ground
({e.pictured} of them also from a first picture), read by a network that was trained on the
renderer's clips. The reader is not perfect: "drawn" is what it reads correctly in the renderer's
own clips, "through the codec" what it still reads in them after the model's codec, above which no
generated clip can be expected. "Always the commonest" is what the same answer for every clip would
score.

| | from text | from text and picture | through the codec | drawn | always the commonest |
|---|---|---|---|---|---|
{table}

- Frechet distance from the renderer's clips of the same captions, in the 64 features of that
  reader, each divided by its deviation over drawn clips: {e.distance:.1f}; between two sets of
  drawn clips of that size with different captions: {e.floor:.1f}. It compares with nothing else.
- Flicker, the mean change from frame to frame where nothing moves: {e.flicker[0]:.2f} levels of
  255; drawn clips {e.flicker[1]:.2f} (the flicker is measured where the drawn clip of the same
  caption stands still, so a thing that the model puts elsewhere counts too).
- The codec alone: {e.codec_psnr:.1f} dB PSNR on drawn clips.
- The first frame of image-to-video against its picture: {e.first_frame_psnr:.1f} dB.
- {e.seconds:.1f} CPU seconds for one clip on one core of the machine that measured; enlarging,
  marking, encoding and signing come on top.

![Contact sheet]({sheet})

Six frames of each clip from text, left to right and top to bottom:

{captions}

## What it can and cannot do

- From text it draws the right ground, light and, mostly, colour, number and motion; single things
  go the way they are told. Shape is the word it follows least: spheres, cubes and cylinders come
  out as rounded lumps, since its codec keeps little of the edges that tell them apart. The renderer
  draws the same prompts exactly and stays the default for text.
- From a picture that the renderer drew it goes on well: things keep their colour and mostly move
  the way the prompt says.
- Things that fall or bounce, and several at once, smear, multiply or vanish on the way.
- Anything outside its vocabulary is named and left out. One kind of thing at a time, at most three
  of them. No people, animals, places, text or camera moves.
- Edges are soft; brown things on sand and dark things at night nearly disappear.
- Pictures and clips that look unlike the renderer's: the codec has seen nothing else. A photograph
  comes out as a blurred copy at best.
- No more than 25 frames, no other rates, no other shapes than squares (they are cut).

Its words: {words}.
"""
