"""Options of every command that issues clips: profile, label, provider, time stamp, ledger."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from vidigree.watermark.credentials.timestamps import TimestampPolicy

if TYPE_CHECKING:
    from vidigree.watermark.stamp_settings import StampSettings

__all__ = ["IssueOptions", "issue_options"]

_OPTIONS = (
    click.option(
        "--profile",
        type=click.Choice(["eu", "ca", "cn", "none"]),
        help="Labels and tags by these rules: docs/compliance.md.  [default: config.toml]",
    ),
    click.option("--provider", help="Your name, for disclosures.  [default: config.toml]"),
    click.option("--label", help="Text to burn in instead of the profile's."),
    click.option("--no-label", is_flag=True, help="Burn in no label."),
    click.option("--tsa", help="Address of a time-stamping authority.  [default: config.toml]"),
    click.option(
        "--timestamp",
        type=click.Choice(list(get_args(TimestampPolicy))),
        help="require: no stamp, no clip. try: note its absence.  [default: require with --tsa]",
    ),
    click.option(
        "--ledger",
        envvar="VIDIGREE_LEDGER",
        metavar="URL",
        help="Database to record in; by default $VIDIGREE_LEDGER, else a file in the data folder.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class IssueOptions:
    """What was said on the command line; ``None`` follows ``config.toml``.

    Attributes:
        profile: Name of the profile.
        provider: Name of the provider.
        label: Text of the visible label; empty for none.
        tsa: Address of a time-stamping authority.
        timestamp: What to do when it gives no stamp.
        ledger: Database URL of the ledger; ``None`` is the file in the data folder.
    """

    profile: str | None = None
    provider: str | None = None
    label: str | None = None
    tsa: str | None = None
    timestamp: TimestampPolicy | None = None
    ledger: str | None = None

    def settings(self, **changes: Any) -> StampSettings:
        """Return the settings in the data folder with these and further changes.

        Raises:
            UsageError: The options mean nothing.
            CredentialsError: There is no signing identity yet, or it cannot be used.
            LedgerError: The ledger cannot be opened.
        """
        from vidigree.watermark.config import Config
        from vidigree.watermark.credentials.timestamps import Timestamping
        from vidigree.watermark.stamp_settings import StampSettings

        config = Config.load()
        timestamping = config.timestamping
        if self.tsa or self.timestamp:
            named = "require" if self.tsa else timestamping.policy
            timestamping = Timestamping(
                policy=self.timestamp or named, url=self.tsa or timestamping.url
            )
        config = replace(
            config,
            timestamping=timestamping,
            profile=self.profile or config.profile,
            provider=replace(config.provider, name=self.provider or config.provider.name),
        )
        return StampSettings.load(
            config=config, ledger_url=self.ledger, label=self.label, **changes
        )


def issue_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as one argument ``issuing``."""

    @functools.wraps(command)
    def call(
        *arguments: Any,
        profile: str | None,
        provider: str | None,
        label: str | None,
        no_label: bool,
        tsa: str | None,
        timestamp: str | None,
        ledger: str | None,
        **options: Any,
    ) -> Any:
        if label is not None and (no_label or not label.strip()):
            raise click.UsageError("--label needs a text, and does not go with --no-label.")
        for name, said in (("--provider", provider), ("--tsa", tsa), ("--ledger", ledger)):
            if said is not None and not said.strip():
                raise click.UsageError(f"{name} is empty. Give a value, or leave it away.")
        issuing = IssueOptions(
            profile=profile,
            provider=provider,
            label="" if no_label else label,
            tsa=tsa,
            timestamp=cast("TimestampPolicy | None", timestamp),
            ledger=ledger,
        )
        return command(*arguments, issuing=issuing, **options)

    decorated: Callable[..., Any] = call
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
