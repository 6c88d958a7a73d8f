"""Takes personal data out of what an audit shows.

The disclosure laws ask that a detection tool shows system provenance and no personal provenance
(California SB 942, section 22757.2(a)). Keys are matched, not values: what a key named "author"
holds is replaced whatever it looks like.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["REDACTED", "redact"]

REDACTED = "[redacted]"

_PERSONAL = re.compile(
    r"(^|[.:_\- ])(authors?|creator|by[-_ ]?line|credit|persons?|people|owner|artist|email|phone"
    r"|address|prompt|negative_?prompt|gps\w*|latitude|longitude|altitude|location\w*|city|country"
    r"|serial_?(number|no)|device_?id|camera_?id|user\w*|account\w*|identity|cawg)($|[.:_\- ])",
    re.IGNORECASE,
)
_KEPT = {"prompt_sha256"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def redact(value: Any) -> Any:
    """Replace what stands under personal keys, at any depth.

    Args:
        value: JSON values.

    Returns:
        A copy with :data:`REDACTED` under keys that name authors, prompts, places, serial numbers,
        contacts or accounts. Nested objects under such a key are replaced as a whole.
    """
    if isinstance(value, dict):
        return {key: REDACTED if _hides(key, item) else redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def _hides(key: str, item: Any) -> bool:
    empty = item is None or (isinstance(item, str | list | tuple | dict) and not item)
    if key in _KEPT or empty:
        return False
    return _PERSONAL.search(_CAMEL.sub("_", key)) is not None
