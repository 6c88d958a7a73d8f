"""Fitting members: on all clips, without the origins that are held out, and scores of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.calibration import fit_stack
from vidigree.detect.classifier.canonical import RECIPE_ID
from vidigree.detect.classifier.dataset import LabelledClip, clip_groups, folds, require_origins
from vidigree.detect.classifier.extraction import Block, FeatureTable, block_versions
from vidigree.detect.classifier.features import feature_group
from vidigree.detect.classifier.kernel import ridge_dual
from vidigree.detect.classifier.model import ClassifierModel, Header

__all__ = [
    "Further",
    "Recipe",
    "TrainingSettings",
    "clip_members",
    "clip_weights",
    "fitted_stack",
    "held_out_members",
    "row_weights",
]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Choices of training; the defaults made the shipped weights.

    Attributes:
        groups: Feature groups, by name, that clips are judged by.
        local_further: Those that only what says where looks at besides. They lean on the source of
            a clip, which the parts of one clip share.
        group_weights: Weights of groups in a distance, 1 for those that are not named.
        content: Those that lean on content. In what says where they have no say, unless there are
            no others; see :attr:`local`.
        view: The view they look at.
        launderings: What the clips go through, each adding its windows to the training rows; all
            rows of a clip together have the weight of the clip.
        ridge: Penalty of the regression, see :func:`ridge_dual`.
        kernel_width: Factor of the squared distance, which is a mean over groups and their
            features.
        additive_share: Share of the additive kernel, see :func:`mixed_kernel`.
        additive_width: Factor of the squared distance in it.
        local_launderings: What the clips go through for what says where, if that is a member of its
            own.
        local_group_weights: Weights of groups there.
        local_ridge: Its penalty of the regression.
        local_kernel_width: Its factor of the squared distance; there is no additive one.
        fold_count: Folds of leave-origin-out.
        seeds: One round of leave-origin-out for each; scores are averaged over rounds.
        false_alarms: Share of real clips that may be called likely synthetic.
    """

    groups: tuple[str, ...] = (
        "colour",
        "constancy",
        "flow",
        "matches",
        "palette",
        "redundancy",
        "spacetime",
        "temporal",
        "tracks",
    )
    local_further: tuple[str, ...] = ("compressibility", "cooccurrence")
    group_weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "colour": 0.5,
            "flow": 0.5,
            "matches": 0.75,
            "palette": 0.25,
            "tracks": 1.5,
        }
    )
    content: tuple[str, ...] = ("palette",)
    view: str = "resized"
    launderings: tuple[str, ...] = ("none", "crf35", "half")
    ridge: float = 0.05
    kernel_width: float = 0.7
    additive_share: float = 0.85
    additive_width: float = 0.1
    local_launderings: tuple[str, ...] = ("none", "half", "crf35")
    local_group_weights: Mapping[str, float] = field(
        default_factory=lambda: {
            "colour": 0.5,
            "compressibility": 0.5,
            "cooccurrence": 0.5,
            "palette": 0.5,
            "redundancy": 0.5,
        }
    )
    local_ridge: float = 0.1
    local_kernel_width: float = 0.08
    fold_count: int = 8
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7, 8)
    false_alarms: float = 0.01

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Layout of the features that clips are judged by."""
        return tuple(Block(self.view, group) for group in self.groups)

    @property
    def every_block(self) -> tuple[Block, ...]:
        """Layout of all features: of what judges clips and of what says where."""
        return tuple(sorted({*self.blocks, *self.local.blocks}))

    @property
    def local(self) -> TrainingSettings:
        """The settings of the member that compares parts of one clip, which differ in content."""
        looked_at = dict.fromkeys((*self.groups, *self.local_further))
        kept = tuple(sorted(group for group in looked_at if group not in self.content))
        return replace(
            self,
            groups=kept or self.groups,
            local_further=(),
            launderings=self.local_launderings,
            group_weights=self.local_group_weights,
            ridge=self.local_ridge,
            kernel_width=self.local_kernel_width,
            additive_share=0.0,
            seeds=self.seeds[:1],
        )

    @property
    def local_apart(self) -> bool:
        """Whether what says where is a member of its own: where it looks at other groups."""
        return set(self.local.groups) != set(self.groups)

    @property
    def every_laundering(self) -> tuple[str, ...]:
        """What the clips go through for one member or the other."""
        local = self.local_launderings if self.local_apart else ()
        return tuple(dict.fromkeys((*self.launderings, *local)))

    def with_seeds_from(self, first: int) -> TrainingSettings:
        """Return the settings with as many seeds, from another one on."""
        return replace(self, seeds=tuple(range(first, first + len(self.seeds))))

    def with_groups(self, names: Sequence[str]) -> TrainingSettings:
        """Return the settings with further feature groups.

        Raises:
            UsageError: There is no such group.
        """
        for name in names:
            feature_group(name)  # told now, not after every clip was decoded
        return replace(self, groups=tuple(dict.fromkeys((*self.groups, *names))))


@dataclass(frozen=True, kw_only=True)
class Further:
    """Clips that are trained on and never scored: sources that no figure is made of.

    Attributes:
        clips: The clips, linked with the scored ones where they show the same pictures.
        tables: Laundering to their features, which may hold more blocks than a member looks at.
    """

    clips: Sequence[LabelledClip] = ()
    tables: Mapping[str, FeatureTable] = field(default_factory=dict)


_NO_FURTHER = Further()


def held_out_members(
    clips: Sequence[LabelledClip],
    training: Sequence[FeatureTable],
    scored: Sequence[FeatureTable],
    settings: TrainingSettings,
    further: Further = _NO_FURTHER,
) -> list[NDArray[np.float64]]:
    """Score every clip by members that saw no clip of its group.

    Args:
        clips: The clips all tables were built from.
        training: Tables whose rows are trained on, those of ``settings.launderings``.
        scored: Tables to score.
        settings: Choices.
        further: Clips to train on as well, but for those in a group that is held out.

    Returns:
        Per scored table float64 (clips, 1): the mean over windows and rounds; NaN for a clip
        without windows.

    Raises:
        UsageError: A class has fewer groups that have a window than folds.
    """
    seen = np.isin(np.arange(len(clips)), training[0].clip)
    require_origins(clips, settings.fold_count, seen=seen)
    groups = clip_groups(clips)
    totals = [np.zeros((len(clips), 1)) for _ in scored]
    for seed in settings.seeds:
        fold = folds(clips, groups, count=settings.fold_count, seed=seed)
        for index in range(settings.fold_count):
            held_out = fold == index
            model = _fit_without(held_out, clips, training, settings, further)
            for table, total in zip(scored, totals, strict=True):
                total[held_out] += clip_members(model, table, len(clips))[held_out]
    return [total / len(settings.seeds) for total in totals]


_EVEN = np.array([1.0, 0.0])
_BARE = Header(
    recipe_id=RECIPE_ID,
    blocks=(),
    launderings=(),
    seed=0,
    real_clips=0,
    synthetic_clips=0,
    false_alarms=0.0,
    threshold=0.0,
    trained_on=(),
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that is needed to fit the members once more on some of the clips.

    Attributes:
        clips: The clips the tables were built from.
        training: Tables whose rows are trained on, those of ``settings.launderings``.
        settings: Choices.
        stack: See ClassifierModel.
        further: Clips to train on as well, but for those in a group that is held out.
    """

    clips: Sequence[LabelledClip]
    training: Sequence[FeatureTable]
    settings: TrainingSettings
    stack: NDArray[np.float64]
    further: Further = _NO_FURTHER

    def without(self, held_out: NDArray[np.bool_]) -> ClassifierModel:
        """Return a model, members and stack only, fitted without the clips in ``held_out``."""
        model = _fit_without(held_out, self.clips, self.training, self.settings, self.further)
        return replace(model, stack=self.stack)

    def fitted_local(self, tables: Mapping[str, FeatureTable]) -> Recipe:
        """Return the recipe of the member that says where: this one where no group is left out.

        Args:
            tables: Those of ``settings.every_laundering``, of ``settings.every_block``. Its stack
                is fitted on held-out scores of the clips as they are.

        Raises:
            UsageError: A class has fewer groups than folds.
        """
        if not self.settings.local_apart:
            return self
        settings = self.settings.local
        training = [tables[name].only(settings.blocks) for name in settings.launderings]
        asked = [tables["none"].only(settings.blocks)]
        members = held_out_members(self.clips, training, asked, settings, self.further)[0]
        return Recipe(
            clips=self.clips,
            training=training,
            settings=settings,
            stack=fitted_stack(self.clips, members),
            further=self.further,
        )


def fitted_stack(
    clips: Sequence[LabelledClip], members: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the stack (2,) of held-out scores (clips, 1), NaN for a clip without windows."""
    seen = ~np.isnan(members[:, 0])
    labels = np.array([clip.synthetic for clip in clips])
    return fit_stack(members[seen], labels[seen], clip_weights(clips)[seen])


def clip_members(model: ClassifierModel, table: FeatureTable, count: int) -> NDArray[np.float64]:
    """Return the mean member scores (count, 1) of each clip's windows; NaN where it has none."""
    members = model.members(table.values)
    total = np.zeros((count, 1))
    np.add.at(total, table.clip, members)
    windows = np.bincount(table.clip, minlength=count).astype(float)
    windows[windows == 0] = np.nan
    return np.asarray(total / windows[:, None], dtype=np.float64)


def clip_weights(clips: Sequence[LabelledClip]) -> NDArray[np.float64]:
    """Weigh clips: classes alike, each clip by its origin's number to the power -1/4; mean 1.

    Returns:
        float64 (clips,).
    """
    keys = [(clip.origin, clip.synthetic) for clip in clips]
    counts = {key: keys.count(key) for key in set(keys)}
    weights = np.array([counts[key] ** -0.25 for key in keys])
    labels = np.array([clip.synthetic for clip in clips])
    for label in (False, True):
        weights[labels == label] *= 0.5 * len(clips) / weights[labels == label].sum()
    return weights


def row_weights(
    clips: Sequence[LabelledClip], tables: Sequence[FeatureTable]
) -> NDArray[np.float64]:
    """Weigh training rows: those of a clip have its weight together, in all its launderings.

    Args:
        clips: The clips the tables were built from.
        tables: One for each laundering.

    Returns:
        float64 (rows,), of one table after the other.
    """
    owner = np.concatenate([table.clip for table in tables])
    rows = np.bincount(owner, minlength=len(clips))
    return np.asarray(clip_weights(clips)[owner] / rows[owner], dtype=np.float64)


def _fit_without(
    held_out: NDArray[np.bool_],
    clips: Sequence[LabelledClip],
    tables: Sequence[FeatureTable],
    settings: TrainingSettings,
    further: Further,
) -> ClassifierModel:
    """Fit the member on all but the clips in ``held_out`` (clips,) and what shares their groups."""
    if not further.clips:
        return _fit_members(clips, tables, ~held_out, settings)
    count = len(clips)
    everything = [*clips, *further.clips]
    groups = clip_groups(everything)
    kept = ~np.isin(groups[count:], groups[:count][held_out])
    joined = [
        FeatureTable(
            table.blocks,
            np.concatenate([table.values, beside.only(table.blocks).values]),
            np.concatenate([table.clip, beside.clip + count]),
        )
        for table, beside in zip(
            tables, (further.tables[name] for name in settings.launderings), strict=True
        )
    ]
    return _fit_members(everything, joined, np.concatenate([~held_out, kept]), settings)


def _fit_members(
    clips: Sequence[LabelledClip],
    tables: Sequence[FeatureTable],
    used: NDArray[np.bool_],
    settings: TrainingSettings,
) -> ClassifierModel:
    """Fit the member on the windows of the clips marked in ``used`` (clips,); no calibration."""
    owner = np.concatenate([table.clip for table in tables])
    keep = used[owner]
    owner = owner[keep]
    values = np.concatenate([table.values for table in tables])[keep]
    median = np.nan_to_num(np.nanmedian(values, axis=0)).astype(np.float32)
    filled = np.where(np.isnan(values), median, values)
    bare = ClassifierModel(
        header=replace(_BARE, blocks=block_versions(tables[0].blocks)),
        median=median,
        mean=filled.mean(axis=0),
        scale=filled.std(axis=0) + 1e-6,
        balance=_balance(tables[0].blocks, settings.group_weights),
        support=np.zeros((0, values.shape[1]), np.float16),
        dual=np.zeros(0, np.float32),
        gamma=settings.kernel_width,
        additive_share=settings.additive_share,
        additive_gamma=settings.additive_width,
        stack=_EVEN,
        reals=np.zeros(0, np.float32),
    )
    support = bare.prepared(values).astype(np.float16)
    points = support.astype(np.float64)
    dual = ridge_dual(
        bare.kernel(points, points),
        np.array([clip.synthetic for clip in clips])[owner],
        row_weights(clips, tables)[keep],
        settings.ridge,
    )
    return replace(bare, support=support, dual=dual.astype(np.float32))


def _balance(blocks: Sequence[Block], weights: Mapping[str, float]) -> NDArray[np.float32]:
    """Return factors (columns,) that make a squared distance a weighted mean over the blocks."""
    widths = np.array([len(feature_group(block.group).names()) for block in blocks])
    shares = np.array([weights.get(block.group, 1.0) for block in blocks])
    return np.repeat(np.sqrt(shares / shares.sum() / widths), widths).astype(np.float32)
