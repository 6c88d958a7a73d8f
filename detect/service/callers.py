"""Who asks, and whether they may ask this often."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from starlette.requests import Request

from vidigree.detect.service.api_keys import ApiKey
from vidigree.detect.service.context import ServiceContext
from vidigree.detect.service.refusals import RefusalError

__all__ = [
    "Caller",
    "address_of",
    "admit",
    "admit_reading",
    "caller_at",
    "identify",
]

# Far beyond what clients do that ask each second, or as often as the page, for each of their jobs.
_READINGS_PER_AUDIT = 60
_READINGS_PER_JOB = 120


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        name: What limits are counted by: a key's id or an address.
        key: The API key; ``None`` without one.
    """

    name: str
    key: ApiKey | None

    @property
    def owner(self) -> str:
        """Public id of the key; empty without one."""
        return self.key.key_id if self.key else ""


async def identify(request: Request, context: ServiceContext) -> Caller:
    """Say who asks.

    The key comes as ``Authorization: Bearer vdg_...`` or ``X-API-Key: vdg_...``.

    Raises:
        RefusalError: The key is not valid, or there is none and one is needed.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    given = credentials if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    if not given:
        if context.settings.require_key:
            raise RefusalError(
                401,
                "KeyRequired",
                "This service needs an API key.",
                hint="Send it as 'Authorization: Bearer <key>'.",
            )
        return caller_at(request)
    # Guessing is limited like asking: a wrong key costs its address a token.
    key = await asyncio.to_thread(context.keys.find, given)
    if key is None:
        _spend(context, f"guess {address_of(request)}", context.settings.per_minute)
        raise RefusalError(
            401, "WrongKey", "The API key is not valid.", hint="Ask for another one."
        )
    return Caller(name=f"key {key.key_id}", key=key)


def caller_at(request: Request) -> Caller:
    """Return who asks where no key is needed: the address."""
    return Caller(name=f"address {address_of(request)}", key=None)


def admit(caller: Caller, context: ServiceContext) -> None:
    """Count one audit, or what costs as much.

    Raises:
        RefusalError: The caller asks too often.
    """
    _spend(context, caller.name, _per_minute(caller, context))


def admit_reading(caller: Caller, context: ServiceContext) -> None:
    """Count one request for what is in the database already.

    Raises:
        RefusalError: The caller asks too often.
    """
    settings = context.settings
    jobs = settings.most_for_key if caller.key else settings.most_for_address
    limit = _READINGS_PER_AUDIT * _per_minute(caller, context) + _READINGS_PER_JOB * jobs
    _spend(context, f"reading {caller.name}", limit, "requests")


def _per_minute(caller: Caller, context: ServiceContext) -> int:
    if caller.key is None:
        return context.settings.per_minute
    return caller.key.per_minute or context.settings.key_per_minute


def _spend(context: ServiceContext, name: str, per_minute: int, what: str = "audits") -> None:
    wait = context.rate.take(name, per_minute)
    if wait:
        raise RefusalError(
            429,
            "TooOften",
            f"The limit is {per_minute} {what} a minute.",
            hint=f"Try again in {wait:.0f} s.",
            retry_after=wait,
        )


def address_of(request: Request) -> str:
    """Return what counts as one caller without a key: an IPv4 address, or an IPv6 /64 network."""
    return _network(request.client.host if request.client else "unknown")


def _network(address: str) -> str:
    """Return what counts as one caller: an IPv4 address, or a whole IPv6 /64 network.

    Some proxies write the port of the connection behind the address, which is another one each
    time, and IPv4 addresses as IPv6 ones, all of which lie in one network.
    """
    host = address.partition("%")[0]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(host)
        if isinstance(parsed, ipaddress.IPv4Address) or parsed.ipv4_mapped:
            return str(getattr(parsed, "ipv4_mapped", parsed))
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    except ValueError:
        return address
