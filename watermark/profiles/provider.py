"""Who provides the clips: the deployer's own names, as disclosures want them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Provider"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Names that only the deployer knows.

    Attributes:
        name: Name of the provider of the generator (California SB 942: "covered provider").
        detector_url: Permanent page of the provider's detection tool.
        content_producer: Code or name of the producer in the ``AIGC`` tag of GB 45438-2025; empty
            means ``name``.
    """

    name: str = ""
    detector_url: str = ""
    content_producer: str = ""
