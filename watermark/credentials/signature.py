"""The signature itself: one call of the library, with a time stamp or without, errors explained."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from vidigree.media.errors import CredentialsError, OutputError
from vidigree.watermark.credentials.certificate_check import check_chain
from vidigree.watermark.credentials.identity import SigningIdentity
from vidigree.watermark.credentials.reading import read_credentials
from vidigree.watermark.credentials.signature_call import SignatureCall
from vidigree.watermark.credentials.timestamps import (
    ATTEMPTS,
    TimestampError,
    Timestamping,
)
from vidigree.watermark.credentials.trust import TrustSettings

if TYPE_CHECKING:
    from c2pa import Builder

__all__ = ["CHECK_KEYS", "write_signature"]

CHECK_KEYS = "Run `vidigree keys check`; it says what is wrong with a certificate."


def write_signature(
    make_builder: Callable[[], Builder],
    source: Path,
    temporary: Path,
    *,
    identity: SigningIdentity,
    timestamping: Timestamping,
    report: Callable[[str], None],
) -> bytes:
    """Sign ``source`` into ``temporary``, with a time stamp if one is wanted and can be had.

    Args:
        make_builder: Gives a fresh builder for every try; one signs only once.
        source: File to sign.
        temporary: File to write; worthless after an error.
        identity: Who signs.
        timestamping: Whether and where the signature is stamped.
        report: Called with a sentence when the file was issued without a stamp that was wanted.

    Returns:
        The manifest store.

    Raises:
        CredentialsError: The signer, the certificate or a required authority failed.
        OutputError: ``temporary`` cannot be written.
    """
    if timestamping.policy == "none":
        return _sign_once(make_builder(), source, temporary, identity, None)
    for _ in range(ATTEMPTS):
        try:
            return _sign_once(make_builder(), source, temporary, identity, timestamping)
        except TimestampError as error:
            failure = error
    if timestamping.policy == "require":
        raise CredentialsError(
            f"{failure.message} Nothing was issued, because a time stamp is required.",
            hint="Try again later, name another authority, or use the policy 'try'.",
        ) from failure
    report(f"{failure.message} The clip was issued without one.")
    return _sign_once(make_builder(), source, temporary, identity, None)


def _sign_once(
    builder: Builder,
    source: Path,
    temporary: Path,
    identity: SigningIdentity,
    timestamping: Timestamping | None,
) -> bytes:
    from c2pa import C2paError

    call = SignatureCall(identity)
    output: _Output | None = None
    try:
        signer = call.for_library(timestamping.url if timestamping else None)
        with source.open("rb") as reading, temporary.open("w+b") as writing:
            output = _Output(writing)
            store = bytes(builder.sign(signer, "video/mp4", reading, output))
    except OSError as error:
        raise _writing_error(error) from error
    except C2paError as error:
        if output is not None and output.error is not None:
            raise _writing_error(output.error) from error
        if call.error is not None:
            raise call.error from error
        if timestamping and call.signed and isinstance(error, C2paError.Signature):
            # The certificate was accepted and the signature fits it; only the stamp came after.
            raise TimestampError(
                f"{timestamping.authority} gave no time stamp: {timestamping.reason(error)}."
            ) from error
        raise _signing_error(identity, error) from error
    if timestamping:
        _check_stamp(temporary, timestamping)
    return store


class _Output:
    """A file that remembers why it could not be written: of that the library tells nothing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return partial(self._called, getattr(self._stream, name))

    def _called(self, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except OSError as error:
            self.error = error
            raise


def _writing_error(error: OSError) -> OutputError:
    return OutputError(
        f"The signed clip cannot be written: {error.strerror or error}.",
        hint="Check the free space and the permissions of the output folder.",
    )


def _check_stamp(path: Path, timestamping: Timestamping) -> None:
    """Refuse a stamp that does not hold: the library embeds whatever the authority answered."""
    reading = read_credentials(path, trust=TrustSettings())
    if reading.timestamp not in ("trusted", "unlisted"):
        raise TimestampError(f"{timestamping.authority} gave a time stamp that does not hold.")


def _signing_error(identity: SigningIdentity, error: Exception) -> CredentialsError:
    """Say why the library refused; its own words are "the certificate is invalid"."""
    now = datetime.now(UTC)
    if not identity.not_before <= now <= identity.not_after:
        when = (
            f"expired on {identity.not_after:%Y-%m-%d}"
            if now > identity.not_after
            else f"is not valid before {identity.not_before:%Y-%m-%d}"
        )
        return CredentialsError(
            f"The clip cannot be signed: the certificate of {identity.common_name!r} {when}.",
            hint="Renew the certificate; `vidigree keys init --replace` makes a development one.",
        )
    wrong = next((row for row in check_chain(identity.chain) if row.severity == "error"), None)
    if wrong is not None:
        return CredentialsError(f"The clip cannot be signed. {wrong.problem}", hint=wrong.remedy)
    return CredentialsError(f"The clip cannot be signed: {error}.", hint=CHECK_KEYS)
