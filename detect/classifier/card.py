"""The model card and the audit table, as Markdown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from vidigree.detect.classifier.card_tables import further_markdown, interval_text, table
from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.evaluation import Evaluation
from vidigree.detect.classifier.goals import goal_rows
from vidigree.detect.classifier.installation import InstallationCheck

__all__ = ["figures_markdown", "introduction", "model_card"]

_INTRODUCTION = """\
# The classifier: model card and data sheet

Written by `vidigree classifier evaluate --card`; do not edit by hand.

`vidigree classifier score FILE` and the classifier layer of `vidigree audit` answer one question
from pixels alone: does this look more like what generators make, or like what cameras record? The
answer is a log-likelihood ratio, a conformal p-value against real clips, and a yes only above a
threshold that one real clip in a hundred is expected to exceed. **A low score never means
authentic**, and a high one alone carries no public claim.

## What it does not cover

- **Face swaps, lip synchronisation and other local manipulation of real footage.** It judges whole
  windows; a mostly real picture mostly looks real. There is no head for faces: no set of face clips
  that may be passed on and is large enough to hold generators out was at hand, and one that has not
  been measured would promise more than this page can.
- Games: neither class of the training clips holds enough of them, and they are not told apart.
- Drawings and animation, recorded screens, clips compressed so hard that blocks are repeated, clips
  with too little detail, a central part of the picture under 64 pixels, most frames repeated (still
  pictures, slide shows, under 7 frames a second), and clips shorter than half a second: it abstains
  and says which.
- Generators unlike all below. The table by generator shows how uneven it is among those it knows.
- Most clips of later generators. Of an earlier recipe (`d6267c205630-2bc89710dc7e`), trained on
  the list and on 78 real clips from elsewhere, 121 thumbnails of 28 generators, most of 2024 to
  2026, had an area of 0.762 against the list's real clips, and 24 % were found where 5 % of these
  are over the threshold; trained on the list alone, 0.732 and 19 %
  (`benchmarks/classifier_elsewhere.py`). Humo, ltxv, veo 3, wan 2.5 and gemini passed for real. The
  shipped weights were not measured on them.

## Use

```
vidigree classifier score clip.mp4 [--json]
vidigree classifier score clip.mp4 --where --picture where.png    # curve, map, pasted rectangle
vidigree classifier calibrate own.csv -o own.npz     # a threshold for one's own traffic
vidigree classifier score clip.mp4 --weights own.npz
vidigree classifier train clips.csv --cache DIR -o new.npz
vidigree classifier evaluate clips.csv --cache DIR --card docs/classifier.md --plots DIR
```

`score` says of each file what it can: one that cannot be read is told on standard error, the others
are scored, and the exit code is the error's. `--json` has the fields of
`vidigree.detect.classifier.ClassifierReading`. `vidigree audit --weights own.npz` and
`vidigree serve --weights own.npz` judge by weights of your own, too; JSON and reports say which
weights judged. Weights that are replaced count from the next clip on: leave them alone while a
batch runs.

A table of clips is a CSV with the columns `file`, `label` (`real` or `synthetic`) and `origin`, and
optionally `repo`, `group` and `sha256`; separated by commas, in UTF-8. Names of files are relative
to the folder `clips` beside the table if there is one, else to that of the table. `--further` names
clips that are trained on and in no figure; the shipped weights have none.

`--cache` is a folder for what is computed of each clip, by the hash of its file: `train` and
`evaluate` go on from there when they were stopped, and several may share it. A `sha256` in the
table is believed, so that the file itself is read only for what is not in the cache.

The same clips, settings, library versions and kind of processor, with `OMP_NUM_THREADS=1`, give the
same weights. On another kind of processor features may differ a little, and the weights with them:
train once more there before comparing figures with those below.

`train` needs clips of eight independent origins of either class, and sets a threshold with 99 real
clips or more; weights of fewer call nothing likely synthetic until they are calibrated. Clips of
one origin or `repo`, and those that show the same pictures, count as one origin.

`calibrate` refuses clips that the weights were trained on, and clips that are listed twice.
`--false-alarms 0.05` puts the threshold where five real clips in a hundred are expected to exceed
it, not one (0.01, the default). That takes 19 real clips or more, the default 99; with ten clips of
each class the ratio is fitted anew, too. `train` and `calibrate` write the weights, which replace
those that are there, and a `.json` beside them that belongs to them. `score --picture` replaces a
picture that is there only with `--overwrite`.

`evaluate --laundering NAME`, which may be repeated, leaves in the table of launderings the rows
that are named, and `none`. `--own CSV` names clips of the project's own engines, marks off, which
get a table of their own. `--card` replaces the file; of other clips than those of the shipped
weights it says the figures alone. `--first-seed 9` assigns groups to folds in other ways: how far
two such tables differ shows how much depends on that, not on which clips are in the list. Splices
stay the same ones.

A pretrained encoder of your own (DINOv2, CLIP, SigLIP, ViT or VideoMAE; a local folder with weights
as safetensors, nothing is fetched) adds the geometry of a clip's path through its space:
`VIDIGREE_BACKBONE=FOLDER vidigree classifier train clips.csv --group backbone ...`, and the same
variable when those weights score. The shipped weights use none. A group that is asked for with
`--group` counts in what says where, too.

A feature group of another package registers under the entry point group
`vidigree.feature_groups`; `vidigree.detect.classifier.features.FeatureGroup` is the contract.

## The model

Numbers of nine feature groups, brought to unit spread over the training windows, and kernel ridge
regression on them. In the kernel the groups speak together to 15 % (a narrow Gaussian of the
weighted distance over all) and each for itself to 85 % (a wide one of each group), so that a group
that knows a trace is not silenced by others that do not. `tracks` has one and a half says,
`matches` three quarters, `colour` and `flow` half of one, `palette` a quarter. Clips are trained on
as they are, at CRF 35 and at half size; the three forms of a clip count as one clip together.
Windows of a clip are averaged. The score becomes a log-likelihood ratio by a logistic fit on
leave-origin-out scores in which one synthetic clip in ten is taken to look like footage: however
low a score, the ratio is not under one to ten. The threshold is conformal on held-out real clips.

Curve, stretches and heat map are of a second fit, with a wider kernel in which the groups speak
together alone, and without `palette`, which leans on content: the scenes of one clip differ in
content, whoever made them. `compressibility` and `cooccurrence` count there besides: they lean on
the source of a clip, which its parts share. It is trained on the same three forms. Shots that go on
with one another, as a clip does after something inserted into it, are judged together, as a take. A
take is judged by its own ratio, less a quarter of what the others stand below even odds, and what
is named is the smaller part: one that is more than half of a clip is named only where the clip as a
whole speaks for it. A calibration of your own changes the ratio of whole clips only.

Not in it, and why:

- A residual network trained from scratch. A small one (four convolutions over the residuals of two
  frames next to each other; `benchmarks/residual_network.py`, 5 folds, 8 epochs, seed 0) reaches an
  AUC of 0.627 on 499 clips, 0.513 to 0.650 by fold, and in a rank sum with the shipped kind of
  member, on clips as they are, 0.845 where that alone has 0.922, in one round. So few clips do not
  teach it.
- Aligned pairs: real clips through surrogate upsamplers (nearest, linear, cubic, transposed
  convolution) among the synthetic ones and without among the real ones, their low band and every
  alteration on the way equal. The figure with them is under "Tried and left out". Pairs through the
  project's own codecs (`benchmarks/classifier_codec_pairs.py`, one window of 66 clips): with the
  made halves of the embedded model's codec an AUC of 0.898 where it is 0.911 without, with both
  halves 0.897, with the made halves of the families' codec 0.896, with both 0.894; at CRF 35 0.831
  to 0.842 where it is 0.859 without. Without any, the shipped recipe tells made from real halves by
  0.65 and 0.63.
- Stacked members. What others reach alone on the same features is under "Tried and left out".
- Other launderings of the training clips, random ones among them, drawn alike for both classes
  (`benchmarks/classifier_launderings.py`, three rounds, all clips). The area under the curve for
  clips as they are, after a random laundering that no model was trained on, at CRF 35 and at half
  size, and the share of synthetic clips found as they are at 5 % false alarms: trained on clips as
  they are alone 0.922, 0.856, 0.843 and 0.869, 66 %; with half size 0.919, 0.862, 0.854 and 0.881,
  74 %; with CRF 35 0.919, 0.863, 0.857 and 0.882, 67 %; with both, as shipped, 0.916, 0.864, 0.863
  and 0.885, 69 %; with the social-media preset beside them 0.912, 0.859, 0.862 and 0.881, 64 %.
  With one random laundering instead of all these 0.914 to 0.920, 0.856 to 0.867, 0.852 to 0.866 and
  0.872 to 0.880, 63 to 68 %, for three of them; with all three 0.912, 0.866, 0.869 and 0.880, 63 %.
  With half size, CRF 35 and one random laundering (those of an earlier recipe, in which CRF 35
  counted for four) 0.912, 0.861, 0.862 and 0.880, 63 %; with three 0.908, 0.863, 0.867 and 0.881,
  61 %. So they help laundered clips by up to 0.02, which ones matters little, and more of them cost
  clips as they are. None closes the gap to clips as they are: measured once more, on another kind
  of processor, 0.914, 0.866, 0.862 and 0.886 as shipped and 0.860 after the social-media preset,
  67 %; without clips as they are, half size, CRF 35 and three random ones alone give 0.906, 0.865,
  0.864, 0.882 and 0.864, 64 %. The choice, and that of the ridge, were made with such figures in
  view. CRF 35 and half size are rows below, too: those are of launderings that were trained on,
  with other clips.
- Other launderings for what says where (the same script with `--where`), on the splices below, as
  they are and with all of them encoded once more at CRF 35: trained on clips as they are, at half
  size and at CRF 35, as shipped, the F1 of stretches is 0.61 and 0.62; with half size alone beside
  the clips as they are 0.59 and 0.62, with half size and CRF 28 0.62 and 0.61, with half size and a
  random one 0.56 and 0.63, with a random one and CRF 35 0.58 and 0.55, with all of these three 0.58
  and 0.63. The choice was made with figures of an earlier recipe, in which that of the shipped
  launderings was the best at CRF 35; here some others do as well.

## Canonical form

Every clip, in training and in use, is brought to one form before a feature sees it
(`{recipe_id}`): {recipe}.

Container facts are never features. The canonical form is why a remux, other tags or another
container change no score, and a test holds it to that.
"""


_ELSEWHERE = """# The classifier on other clips

Written by `vidigree classifier evaluate --card`. What the classifier is, what it does not cover and
what the figures mean stands in the model card of the package (docs/classifier.md); the figures
there, and choices that the tables below mention, are of that card's clips. The figures here are of
the recipe trained on the clips below, not of the shipped weights.
"""


def model_card(
    result: Evaluation, clips: Sequence[LabelledClip], check: InstallationCheck | None
) -> str:
    """Return the whole card.

    Args:
        result: The figures.
        clips: The clips they were measured on, for the data sheet.
        check: How the shipped weights do on their fixed list; ``None`` for other clips than those
            that they were trained on, of which the card of the package says nothing.
    """
    if check is None:
        return "\n".join([_ELSEWHERE, figures_markdown(result), "## Clips", "", _origins(clips)])
    head = introduction(recipe_id=result.recipe_id, recipe=result.recipe)
    parts = [head, figures_markdown(result), _installation(check), _DATA_SHEET, _origins(clips)]
    return "\n".join(parts)


def introduction(*, recipe_id: str, recipe: str) -> str:
    """Return what stands before the figures.

    Args:
        recipe_id: Short name of the canonical form.
        recipe: The canonical form in words.
    """
    return _INTRODUCTION.format(recipe_id=recipe_id, recipe=recipe)


def _installation(check: InstallationCheck) -> str:
    return "\n".join(
        [
            "## Check of an installation",
            "",
            (
                f"The shipped weights, on a fixed list of {check.clips} of their training clips."
                " In-sample, so no measure of quality; a test compares an installation with it."
            ),
            "",
            "```json",
            json.dumps(check.to_dict(), indent=1),
            "```",
            "",
        ]
    )


def figures_markdown(result: Evaluation) -> str:
    """Return the audit table."""
    sections = [
        *_headline(result),
        further_markdown(result),
        *_probes(result),
        *_feature_groups(result),
        *_left_out(result),
        *_generators(result),
    ]
    return "\n".join(sections)


def _headline(result: Evaluation) -> list[str]:
    rows = {
        "AUC": interval_text(result.auc),
        **{
            f"TPR at {float(rate):.0%} FPR": interval_text(value)
            for rate, value in result.tpr.items()
        },
        "expected calibration error (calibrated on other folds)": f"{result.ece:.3f}",
        "the same if every probability were right, on as many clips (95 % of draws under)": (
            f"{result.ece_by_chance[0]:.3f} ({result.ece_by_chance[1]:.3f})"
        ),
        "Brier score at even odds": f"{result.brier:.3f}",
        "CPU seconds per 2-s window, decoding included": f"{result.seconds_per_window:.2f}",
    }
    return [
        "## Held-out figures",
        "",
        _measured_on(result),
        "",
        _pairs("figure", "held out", rows),
        "",
        "### Against the goals",
        "",
        "The goals were set before anything was measured.",
        "",
        table(["figure", "goal", "held out", ""], goal_rows(result)),
        "",
    ]


def _measured_on(result: Evaluation) -> str:
    """Return how the headline was measured, and on how many clips of how many origins."""
    return (
        f"Leave-origin-out: {result.groups} groups (generator, real source, repository and"
        " shared footage and pictures together) are held out whole, so every score is of a"
        " model that saw no clip of the group; the mean of"
        f" {len(result.seeds)} assignments to folds, on which single figures depend (first seed:"
        f" {result.seeds[0]}). Intervals: 95 %,"
        f" bootstrap by group. Real clips: {result.real_clips} from {result.real_origins} sources;"
        f" synthetic: {result.synthetic_clips} from {result.generators} generators. A false"
        f" positive rate of 1 % rests on {result.real_clips // 100} real clips. Training clips went"
        f" through: {', '.join(result.launderings)}.{_further(result)}"
        f" Clips too short for a window: {result.unscored}; near-duplicates by hash, of"
        f" further clips too: {result.near_duplicates}."
    )


def _further(result: Evaluation) -> str:
    if not result.further_clips:
        return ""
    return (
        f" Trained on as well and in no figure: {result.further_clips} clips from"
        f" {result.further_origins} other sources, but for those of a group held out; other"
        " members, feature groups and probes are measured without them."
    )


def _probes(result: Evaluation) -> list[str]:
    rows = {
        "container facts of the source files (banned)": f"{result.container_probe:.3f}",
        "what the canonical form leaves of them": f"{result.canonical_probe:.3f}",
        "largest real source against other real clips, mean (range) of the rounds": (
            "too few clips" if result.real_floor is None else _floor(*result.real_floor)
        ),
    }
    return ["### Probes: what could fake the figure", "", _pairs("probe", "AUC", rows), ""]


def _feature_groups(result: Evaluation) -> list[str]:
    rows = [
        [name, f"{alone:.3f}", f"{result.group_left_out[name]:.3f}"]
        for name, alone in result.group_alone.items()
        if name in result.group_left_out
    ]
    return [
        "### By feature group",
        "",
        (
            "Leave-origin-out as above, trained on clean windows only; all used groups"
            f" together reach {result.clean_auc:.3f} this way."
        ),
        "",
        table(["group", "AUC alone", "AUC without it"], rows),
        "",
    ]


def _left_out(result: Evaluation) -> list[str]:
    """Return what the shipped weights do without: feature groups, other members."""
    groups = [
        [name, f"{result.group_alone[name]:.3f}", f"{added:.3f}"]
        for name, added in result.group_added.items()
    ]
    members = {name: f"{area:.3f}" for name, area in result.alternatives.items()}
    return [
        "### Tried and left out",
        "",
        (
            "Feature groups that the shipped weights do not use, measured in the same way. The"
            " choice was made on these clips, so the headline leans a little to its side."
        ),
        "",
        table(["group", "AUC alone", "AUC with it added"], groups),
        "",
        "Other members on the same features, trained as the shipped one, one round:",
        "",
        _pairs("member", "AUC", members),
        "",
    ]


def _generators(result: Evaluation) -> list[str]:
    rows = [
        [row.name, str(row.clips), f"{row.auc:.2f}", f"{row.found:.0%}"]
        for row in result.per_generator
    ]
    return [
        "### By generator, against all real clips",
        "",
        table(["generator", "clips", "AUC", "found at 5 % false alarms"], rows),
        "",
    ]


_DATA_SHEET = """## Data sheet

The clips were gathered from public repositories and project pages; most have no licence that allows
passing them on, so none is part of this project. Known gaps: real sources are few and mostly
compressed web video, no phone originals, hardly any animation, older generators outnumber new ones.
"""


def _origins(clips: Sequence[LabelledClip]) -> str:
    lines = []
    for synthetic, title in ((False, "Real sources"), (True, "Generators")):
        counts = Counter(clip.origin for clip in clips if clip.synthetic == synthetic)
        listed = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        lines += [f"{title} (clips): {listed}.", ""]
    return "\n".join(lines)


def _floor(least: float, mean: float, most: float) -> str:
    return f"{mean:.3f} ({least:.3f} to {most:.3f})"


def _pairs(left: str, right: str, rows: Mapping[str, str]) -> str:
    return table([left, right], [[name, value] for name, value in rows.items()])
