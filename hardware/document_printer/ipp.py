"""Talking IPP from a device's thread: pyipp on an event loop of its own, one error for each way in which it can fail.

pyipp puts the bytes together and takes them apart; job submission goes through its general `raw` call. Its parser
trusts the lengths in an answer and can run for ever on wrong ones, so an answer is walked through before it gets it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

from aiohttp import ClientError
from pyipp import IPP
from pyipp.enums import IppOperation
from pyipp.exceptions import IPPConnectionError, IPPError
from pyipp.parser import parse

from hardware.addresses import IppAddress
from hardware.errors import HardwareError, LineLost, NoAnswer
from hardware.vocabulary import Detail, Outcome

T = TypeVar("T")

POLL_SLICE_S: Final = 0.05
MAX_ANSWER_BYTES: Final = 1_000_000
USER: Final = "estation"
_HEADER: Final = 8
_END_TAG: Final = 0x03
_LAST_DELIMITER: Final = 0x0F
_LENGTHS: Final[Mapping[int, int]] = {0x21: 4, 0x22: 1, 0x23: 4, 0x32: 9}
"""Bytes of integer, boolean, enum and resolution."""
_WITH_LANGUAGE: Final = frozenset({0x35, 0x36})

NOT_FOUND: Final = frozenset({0x0406, 0x0407})
NOT_POSSIBLE: Final = 0x0404


class IppRefused(HardwareError):
    """The printer or scheduler answered and refused. `status` as in RFC 8011, 4.1.8 (and appendix B)."""

    detail = Detail.PRINTER_ERROR

    def __init__(self, status: int) -> None:
        super().__init__(f"IPP status {status:#06x}")
        self.status = status
        if status == 0x0501:
            self.outcome = Outcome.NOT_SUPPORTED
        elif status in {0x040A, 0x0411, 0x0410, 0x041A}:  # formats and documents that it cannot print
            self.outcome, self.detail = Outcome.NOT_SUPPORTED, Detail.BAD_DOCUMENT


class IppConnection:
    """Printers and schedulers as one device's thread talks to them. Used on that thread only."""

    def __init__(self, *, verify_tls: bool = True) -> None:
        self._verify_tls = verify_tls
        self._runner = asyncio.Runner()
        self._peers: dict[IppAddress, IPP] = {}
        self._closed = False

    def ask(
        self,
        where: IppAddress,
        operation: IppOperation,
        groups: Mapping[str, Any],
        *,
        within_s: float,
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """One operation; the parsed answer, with `printers`, `jobs` and `operation-attributes`.

        `check` is called every 50 ms while waiting and may raise. Raises `LineLost` (nobody there), `NoAnswer` (silent,
        or an answer that is none) and `IppRefused`.
        """
        if self._closed:
            raise LineLost(f"{where}: closed")
        raw = self._runner.run(
            self._guarded(self._send(where, operation, dict(groups), within_s), where, within_s, check)
        )
        return understood(raw, str(where))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):
            self._runner.run(self._close_peers())
        self._runner.close()

    async def _send(self, where: IppAddress, operation: IppOperation, groups: dict[str, Any], within_s: float) -> bytes:
        peer = self._peers.get(where)
        if peer is None:
            peer = self._peers[where] = IPP(host=str(where), verify_ssl=self._verify_tls)
        peer.request_timeout = within_s  # type: ignore[assignment]  # an int by its annotation only
        groups = {"operation-attributes-tag": {}} | groups
        groups["operation-attributes-tag"] = {"requesting-user-name": USER} | groups["operation-attributes-tag"]
        return await peer.raw(operation, groups)

    async def _guarded(
        self, sending: Coroutine[Any, Any, bytes], where: IppAddress, within_s: float, check: Callable[[], None]
    ) -> bytes:
        """Wait for the answer, looking at `check` meanwhile; nothing is left running afterwards."""
        task = asyncio.ensure_future(sending)
        until = time.monotonic() + within_s
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=POLL_SLICE_S)
                if not task.done():
                    check()
                    if time.monotonic() >= until:
                        raise NoAnswer(f"{where}: no answer within {within_s:.1f} s")
            return task.result()
        except IPPConnectionError as error:
            if isinstance(error.__cause__, asyncio.TimeoutError):
                raise NoAnswer(f"{where}: {error}") from error
            raise LineLost(f"{where}: {error}") from error
        except (IPPError, UnicodeDecodeError) as error:
            raise NoAnswer(f"{where}: {error}") from error
        except (ClientError, OSError) as error:
            raise LineLost(f"{where}: {error}") from error
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _close_peers(self) -> None:
        for peer in self._peers.values():
            await peer.close()


def understood(raw: bytes, where: str) -> dict[str, Any]:
    """The parsed answer. Raises `NoAnswer` for bytes that are none, `IppRefused` for a refusal."""
    if len(raw) > MAX_ANSWER_BYTES or not well_formed(raw):
        raise NoAnswer(f"{where}: an answer that is no IPP")
    status = int.from_bytes(raw[2:4], "big")
    if status >= 0x0100:
        raise IppRefused(status)
    try:
        return parse(raw)
    except Exception as error:
        raise NoAnswer(f"{where}: {type(error).__name__} in an answer") from error


def well_formed(raw: bytes) -> bool:
    """Whether all lengths of an IPP message lead to its end tag (RFC 8010, 3.1)."""
    at = _HEADER
    while at < len(raw):
        tag = raw[at]
        if tag == _END_TAG:
            return True
        at += 1
        if tag <= _LAST_DELIMITER:
            continue
        at = _past(raw, at)
        value_length = int.from_bytes(raw[at : at + 2], "big")
        value = raw[at + 2 : at + 2 + value_length]
        at += 2 + value_length
        if at > len(raw) or value_length > 0x7FFF or not _value_fits(tag, value):
            return False
    return False


def _past(raw: bytes, at: int) -> int:
    """Behind the name; beyond the end where it does not fit."""
    length = int.from_bytes(raw[at : at + 2], "big")
    end = at + 2 + length
    return end if length <= 0x7FFF and end + 2 <= len(raw) else len(raw) + 1


def _value_fits(tag: int, value: bytes) -> bool:
    if tag in _LENGTHS:
        return len(value) == _LENGTHS[tag]
    if tag not in _WITH_LANGUAGE:
        return True
    language = int.from_bytes(value[:2], "big")
    text = int.from_bytes(value[2 + language : 4 + language], "big")
    return len(value) == 4 + language + text
