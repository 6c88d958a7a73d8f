"""Parts of the model card beyond the headline: launderings, localisation, range, own engines."""

from __future__ import annotations

from collections.abc import Sequence

from vidigree.detect.classifier.evaluation import Evaluation
from vidigree.detect.classifier.laundering import DRAWN
from vidigree.detect.classifier.localisation_figures import LocalisationFigures
from vidigree.detect.classifier.metrics import Interval
from vidigree.detect.classifier.regions import LEAST_BORDER
from vidigree.detect.classifier.time_curve import LEAST_EVIDENCE, WHOLE_EVIDENCE

__all__ = ["further_markdown", "interval_text", "table"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def further_markdown(result: Evaluation) -> str:
    """Return the sections on launderings, where, the range, and the project's own engines."""
    parts = [
        *_after_laundering(result),
        *_localisation(result),
        *_range(result),
        *_own_engines(result),
    ]
    return "\n".join([*parts, ""])


def interval_text(value: Interval, form: str = ".3f") -> str:
    """Return a figure and its 95 % interval, each in the given format."""
    return f"{value.value:{form}} ({value.low:{form}} to {value.high:{form}})"


_DRAWN = (
    f" `{DRAWN}` is a random laundering of each clip's own, drawn alike for both classes: some of"
    " another frame rate, a smaller size, blur, noise, brightness and a bright block near a corner,"
    " then encoded once or twice."
)


def _after_laundering(result: Evaluation) -> list[str]:
    change = result.laundering_change
    rows = [
        [
            name,
            interval_text(area),
            interval_text(change[name], "+z.3f") if name in change else "",
            *(
                f"{point.false_alarms:.1%}, {point.found:.0%}"
                for point in result.laundering_rates[name].values()
            ),
        ]
        for name, area in result.laundering.items()
    ]
    over = [f"over that of {float(share):.0%}" for share in result.laundering_rates["none"]]
    return [
        "### After laundering",
        "",
        (
            f"All {result.laundered_clips} clips that have a window after each of these"
            f" launderings, in every row. The model was trained on other clips after:"
            f" {', '.join(result.launderings)}. The interval of a change is that of the difference,"
            " clip by clip." + (_DRAWN if DRAWN in result.laundering else "")
        ),
        "",
        (
            "The last columns say what becomes of thresholds that stay where they were set, each by"
            " the share of real clips that exceed it as they are: how many real and how many"
            " synthetic clips are above it after a laundering. Use asks for about that of 1 %."
        ),
        "",
        table(["laundering", "AUC", "against none", *over], rows),
        "",
    ]


def _localisation(result: Evaluation) -> list[str]:
    found = result.localisation
    head = ["### Where: self-made splices", ""]
    if found is None:
        return [*head, "No clip was long enough for a splice.", ""]
    return [
        *head,
        _splices(found),
        "",
        (
            f"The F1 counts what is named in {found.joined} real clips with a scene of another real"
            " clip in them, too, the same hosts cut at the same places: without those, naming"
            " whatever is unlike the rest of its clip would do."
        ),
        "",
        _smaller_part(found),
        "",
        _rectangles(found),
        "",
        table(["figure", "held out"], [*_stretch_rows(found), *_region_rows(found)]),
        "",
    ]


def _splices(found: LocalisationFigures) -> str:
    """Return how the spliced clips are made and judged."""
    return (
        f"Two to three seconds of a synthetic clip inserted into a real one ({found.spliced}"
        f" clips, and {found.plain} times a real clip without, in {found.rounds} rounds of"
        " other pairs, which share origins), or pasted over a quarter of its picture"
        f" ({found.pasted} clips), all encoded once together; the model saw neither origin."
        " Inserts begin and end with a cut: dissolves are not found. The thresholds of a fold"
        " were chosen on the splices of the other folds, whose origins are others (stretches:"
        f" {_listed(found.thresholds)}; regions: {_listed(found.borders)} nats)."
    )


def _smaller_part(found: LocalisationFigures) -> str:
    """Return which part of a clip is named as a stretch, and what that rule leaves out."""
    return (
        "What is named is the smaller part: a take (the shots that go on with one another) that"
        " is more than half of a clip is named only where the clip on average stands"
        f" {WHOLE_EVIDENCE:g} nats above even odds. All inserts here are the smaller part, or"
        f" little more than half. {found.around} synthetic clips with a scene of a real one in"
        " them, in one round, have rows of their own and are in no F1: there the rule keeps"
        " most of the synthetic part from being named. That rule, what share of the other"
        f" takes' level counts, and the evidence asked of a stretch in use, {LEAST_EVIDENCE:g},"
        " were chosen with splices of the same clips in view, in other pairs, cut at other"
        f" places and judged in other folds; the {WHOLE_EVIDENCE:g} nats with these splices as"
        " well."
    )


def _rectangles(found: LocalisationFigures) -> str:
    """Return what a region is, and what is not found as one."""
    return (
        "A region is a rectangle, a fifth to four fifths of either side, whose four borders are"
        " straight steps that stay in place; the precision counts"
        f" {found.unpasted} real clips without one."
        " That says a picture was put together, not which part is synthetic: a picture in a"
        " picture or a screen on the wall is named as well. Borders that are blended wide,"
        " crooked or on the edge of the frame are not found. The evidence asked for in use,"
        f" {LEAST_BORDER:g}, was chosen with the whole clips of the list in view. The map is"
        " the classifier's own word on small tiles, and weak."
    )


def _stretch_rows(found: LocalisationFigures) -> list[list[str]]:
    return [
        ["stretches: F1 at an overlap of one half", f"{found.time_f1:.2f}"],
        ["stretches: precision, recall", _both(found.time_precision, found.time_recall)],
        ["stretches: F1 with what use asks for", f"{found.use_f1:.2f}"],
        ["the same if every window were judged right", f"{found.boundaries_f1:.2f}"],
        ["real clips as they are in which use names a stretch", f"{found.plain_named:.1%}"],
        ["real clips of two origins in which it does", f"{found.joined_named:.1%}"],
        [
            "after CRF 35 as well: F1, with what use asks for",
            _both(found.hard_f1, found.hard_use_f1),
        ],
        ["and in which real clips, and of two origins, it names one", _shares(found.hard_named)],
        ["synthetic parts around a real scene: found in use", f"{found.around_found:.1%}"],
        ["the real scene in them named in use", f"{found.around_wrong:.1%}"],
    ]


def _region_rows(found: LocalisationFigures) -> list[list[str]]:
    return [
        ["regions: F1 at an overlap of one half", f"{found.space_f1:.2f}"],
        ["regions: precision, recall", _both(found.space_precision, found.space_recall)],
        ["regions with borders blended over 8 pixels: recall", f"{found.soft_recall:.2f}"],
        ["regions named in real clips of the list as they are", f"{found.whole_named[0]:.1%}"],
        ["regions named in synthetic clips as they are", f"{found.whole_named[1]:.1%}"],
        ["map: AUC of cells inside against outside", f"{found.space_auc:.2f}"],
    ]


def _both(first: float, second: float) -> str:
    return f"{first:.2f}, {second:.2f}"


def _shares(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.1%}" for value in values)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _range(result: Evaluation) -> list[str]:
    fired = [[row.reason, f"{row.real:.1%}", f"{row.synthetic:.1%}"] for row in result.abstentions]
    thirds = [
        [
            f"{row.quality} {row.low:.3g} to {row.high:.3g}",
            str(row.real_clips),
            f"{row.false_alarms:.1%}",
            f"{row.found:.0%}",
        ]
        for row in result.strata
    ]
    return [
        "### Outside the range",
        "",
        (
            "How often clips of this list, hardly any of which is a drawing or a screen, are taken"
            " for one. The thresholds were set on these clips. Games are not told from footage."
        ),
        "",
        table(["abstention", "real clips", "synthetic clips"], fired),
        "",
        "### By picture quality",
        "",
        (
            "Thirds of the real clips by a measure of the source picture, under the one threshold"
            " of 5 % false alarms over all. With a threshold conditioned on quality (what is"
            " expected of a real clip by a ridge regression on these measures is taken off) the"
            f" true positive rates at 5 % and 1 % are {result.tpr_shifted['0.05']:.3f} and"
            f" {result.tpr_shifted['0.01']:.3f} instead of {result.tpr['0.05'].value:.3f} and"
            f" {result.tpr['0.01'].value:.3f}; the shipped weights use one threshold."
        ),
        "",
        table(["third", "real clips", "false alarms", "found"], thirds),
        "",
        *_rates(result),
    ]


def _rates(result: Evaluation) -> list[str]:
    rows = [
        [
            f"{row.low:.3g} to {row.high:.3g}",
            str(row.real_clips),
            str(row.synthetic_clips),
            f"{row.auc:.3f}",
        ]
        for row in result.rates
    ]
    return [
        "### By frame rate of the file",
        "",
        (
            "Many generators have other frame rates than cameras. The canonical form takes the"
            " nearest frame, so how evenly things move in it still depends on the rate, and a"
            " figure over all clips may rest on that in part. Here clips of about the same rate"
            " are compared with each other alone."
        ),
        "",
        table(["frames a second", "real clips", "synthetic clips", "AUC"], rows),
        "",
    ]


def _own_engines(result: Evaluation) -> list[str]:
    head = ["### The project's own engines, marks off", ""]
    if not result.own_engines:
        return [*head, "Not measured: no clips were given with `--own`.", ""]
    rows = [
        [row.name, str(row.clips), f"{row.abstained:.0%}", f"{row.auc:.2f}", f"{row.found:.0%}"]
        for row in result.own_engines
    ]
    names = ["engine", "clips", "outside the range", "AUC", "found at 5 % false alarms"]
    return [
        *head,
        "None of their clips is trained on, and none is in the figures above.",
        "",
        table(names, rows),
        "",
    ]
