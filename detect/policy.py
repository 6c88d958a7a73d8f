"""Policy as data: a TOML file says what to do with a clip of each finding.

A policy names an action for every finding and for files that cannot be read, so that nothing falls
through; finer rows may overrule it for levels of confidence or for rows of the truth table.
docs/policy.md describes the format.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.rules import RULES, Rule
from vidigree.detect.verdict import Verdict
from vidigree.media.arguments import path_of
from vidigree.media.errors import UsageError

__all__ = [
    "POLICY_NAMES",
    "Decision",
    "PolicyAction",
    "VerdictPolicy",
    "load_policy",
    "policy_text",
]

POLICY_NAMES = ("eu-california", "newsroom", "platform")
"""Policies that ship with the package, as examples to start from."""


class PolicyAction(StrEnum):
    """What to do with a clip, mildest first."""

    ALLOW = "allow"
    LABEL = "label"
    REVIEW = "review"
    BLOCK = "block"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a policy says about one clip.

    Attributes:
        policy: Name and version of the policy.
        action: What to do.
        reason: Why, in the policy's words.
        label: Text to show beside the clip; empty for none.
        row: Row of the policy that decided, e.g. ``"finding.recovered"``.
    """

    policy: str
    action: PolicyAction
    reason: str
    label: str
    row: str

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON values."""
        return asdict(self) | {"action": self.action.value}


@dataclass(frozen=True, kw_only=True)
class _Row:
    name: str
    action: PolicyAction
    reason: str
    label: str = ""
    finding: Finding | None = None
    confidence: tuple[Confidence, ...] = ()
    because: tuple[str, ...] = ()

    def fits(self, verdict: Verdict) -> bool:
        return (
            self.finding in (None, verdict.finding)
            and (not self.confidence or verdict.confidence in self.confidence)
            and (not self.because or verdict.reason in self.because)
        )


@dataclass(frozen=True, kw_only=True)
class VerdictPolicy:
    """A parsed policy.

    Attributes:
        name: Name of the policy.
        version: Version of the policy; goes into every decision.
        rows: Overruling rows first, then one row a finding.
        unreadable: The row for files that cannot be read.
    """

    name: str
    version: str
    rows: tuple[_Row, ...]
    unreadable: _Row

    def decide(self, verdict: Verdict) -> Decision:
        """Return what to do with a clip."""
        return self._decision(next(row for row in self.rows if row.fits(verdict)))

    def decide_unreadable(self) -> Decision:
        """Return what to do with a file that cannot be read."""
        return self._decision(self.unreadable)

    def _decision(self, row: _Row) -> Decision:
        return Decision(
            policy=f"{self.name} {self.version}",
            action=row.action,
            reason=row.reason,
            label=row.label,
            row=row.name,
        )


def load_policy(name_or_path: str) -> VerdictPolicy:
    """Read a policy.

    Args:
        name_or_path: Name of a policy that ships with the package, or path of a TOML file.

    Raises:
        UsageError: There is no such policy, or it is not complete and well-formed.
    """
    text = policy_text(name_or_path)
    try:
        return _parse(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"The policy {name_or_path} is not TOML: {error}.", hint="See docs/policy.md."
        ) from error
    except ValueError as error:
        raise UsageError(
            f"The policy {name_or_path} cannot be used: {error}", hint="See docs/policy.md."
        ) from error


def policy_text(name_or_path: str) -> str:
    """Return a policy as it was written.

    Args:
        name_or_path: As in :func:`load_policy`.

    Raises:
        UsageError: There is no such policy.
    """
    if name_or_path in POLICY_NAMES:
        source = resources.files("vidigree.detect") / "policies" / f"{name_or_path}.toml"
        return source.read_text(encoding="utf-8")
    path = path_of(name_or_path, "policy")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(
            f"The policy {name_or_path} cannot be read.",
            hint=f"Give a TOML file, or one of: {', '.join(POLICY_NAMES)}.",
        ) from error


def _parse(table: Mapping[str, Any]) -> VerdictPolicy:
    _known(table, {"name", "version", "finding", "unreadable", "overrule"}, "the policy")
    findings = _of_kind(table.get("finding", {}), Mapping, "finding")
    missing = [finding.value for finding in Finding if finding.value not in findings]
    if missing:
        raise ValueError(f"it says nothing about {', '.join(missing)}.")
    overruling = _of_kind(table.get("overrule", []), list, "overrule")
    rows = [_overruling(number, row) for number, row in enumerate(overruling, 1)]
    for name, row in findings.items():
        finding = _one_of(Finding, name, "finding")
        rows.append(_row(f"finding.{name}", row, finding=finding))
    if "unreadable" not in table:
        raise ValueError("it says nothing about files that cannot be read ([unreadable]).")
    return VerdictPolicy(
        name=_of_kind(table.get("name", "unnamed"), str, "name"),
        version=_of_kind(table.get("version", ""), str, "version"),
        rows=tuple(rows),
        unreadable=_row("unreadable", table["unreadable"]),
    )


def _overruling(number: int, row: Mapping[str, Any]) -> _Row:
    name = f"overrule.{number}"
    _known(row, {"finding", "confidence", "because", "action", "reason", "label"}, name)
    levels = _of_kind(row.get("confidence", []), list, f"{name}: confidence")
    conditions: dict[str, Any] = {
        "finding": _one_of(Finding, row["finding"], name) if "finding" in row else None,
        "confidence": tuple(_one_of(Confidence, level, name) for level in levels),
        "because": _reasons(row["because"], name) if "because" in row else (),
    }
    if not any(conditions.values()):
        raise ValueError(f"{name} has no condition: give finding, confidence or because.")
    if not any(_may_fit(rule, **conditions) for rule in RULES):
        # It would be read as if it held, and never does.
        raise ValueError(f"{name} fits no row of the truth table: look at its conditions.")
    return _row(name, {key: row[key] for key in row if key not in conditions}, **conditions)


def _may_fit(
    rule: Rule,
    *,
    finding: Finding | None,
    confidence: tuple[Confidence, ...],
    because: tuple[str, ...],
) -> bool:
    return (
        finding in (None, rule.finding)
        and (not confidence or rule.confidence in confidence)
        and (not because or rule.name in because)
    )


def _reasons(because: Any, name: str) -> tuple[str, ...]:
    """Return the rows of the truth table that a condition names: one as text, several as a list.

    Only whole names count: that of row "classifier" is the beginning of another one's, too.
    """
    reasons = [because] if isinstance(because, str) else because
    if not _of_kind(reasons, list, f"{name}: because, of several rows,"):
        raise ValueError(f"{name}: because names no row of the truth table.")
    known = [rule.name for rule in RULES]
    for reason in reasons:
        if reason not in known:
            raise ValueError(f"{name}: there is no row {reason!r} in the truth table.")
    return tuple(reasons)


def _row(name: str, row: Mapping[str, Any], **conditions: Any) -> _Row:
    _known(row, {"action", "reason", "label"}, name)
    reason = _of_kind(row.get("reason", ""), str, f"{name}: reason")
    if not reason:
        raise ValueError(f"{name} gives no reason.")
    return _Row(
        name=name,
        action=_one_of(PolicyAction, row.get("action"), name),
        reason=reason,
        label=_of_kind(row.get("label", ""), str, f"{name}: label"),
        **conditions,
    )


_KINDS: dict[type[Any], str] = {Mapping: "a table", list: "a list", str: "text"}


def _of_kind(value: Any, kind: type[Any], where: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{where} is not {_KINDS[kind]}.")
    return value


def _known(row: Any, names: set[str], where: str) -> None:
    unknown = sorted(set(_of_kind(row, Mapping, where)) - names)
    if unknown:
        raise ValueError(f"{where} has unknown keys: {', '.join(unknown)}.")


def _one_of(kind: type[Any], value: Any, where: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise ValueError(f"{where}: {value!r} is none of {known}.") from None
