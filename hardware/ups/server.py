"""Asking a server of Network UPS Tools from a device's thread: aionut on an event loop of its own, one error for each
way in which it can fail.

aionut puts the commands together and takes the answers apart (RFC 9271); it connects by itself, and again once.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from aionut import (
    AIONUTClient,
    NUTCommandError,
    NUTConnectionClosedError,
    NUTError,
    NUTOSError,
    NUTTimeoutError,
)

from hardware.addresses import NutAddress
from hardware.errors import DeviceFault, LineLost, NoAnswer
from hardware.vocabulary import Detail

POLL_SLICE_S: Final = 0.05
_STALE: Final = "ERR DATA-STALE"
_UNKNOWN_UPS: Final = "ERR UNKNOWN-UPS"
_NOT_CONNECTED: Final = "ERR DRIVER-NOT-CONNECTED"


class UpsServer:
    """A server as one device's thread talks to it. Used on that thread only. Raises `LineLost` when it is not there."""

    def __init__(self, address: NutAddress, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._runner = asyncio.Runner()
        self._client = AIONUTClient(address.host, address.port, timeout=timeout_s)
        self._closed = False
        try:
            self.variables()
        except (NoAnswer, DeviceFault):
            return  # it is there: how it is, the probe says
        except LineLost:
            self.close()
            raise

    def variables(self, check: Callable[[], None] = lambda: None) -> dict[str, str]:
        """All variables of the UPS. `check` is called every 50 ms while waiting and may raise.

        Raises `LineLost` (no server), `NoAnswer` (a silent one, or nonsense) and `DeviceFault` (no UPS of that name, or
        the server has lost it).
        """
        if self._closed:
            raise LineLost(f"{self._address}: closed")
        return self._runner.run(self._guarded(check))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._runner.run(self._leave())
            self._runner.close()

    async def _guarded(self, check: Callable[[], None]) -> dict[str, str]:
        task = asyncio.ensure_future(self._client.list_vars(self._address.ups))
        until = time.monotonic() + self._timeout_s
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=POLL_SLICE_S)
                if not task.done():
                    check()
                    if time.monotonic() >= until:
                        raise NoAnswer(f"{self._address}: no answer within {self._timeout_s:.1f} s")
            return task.result()
        except NUTCommandError as error:
            raise self._refused(str(error)) from error
        except (NUTTimeoutError, TimeoutError) as error:
            raise NoAnswer(f"{self._address}: no answer") from error
        except (NUTConnectionClosedError, NUTOSError, OSError) as error:
            raise LineLost(f"{self._address}: {error}") from error
        except (NUTError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise NoAnswer(f"{self._address}: {type(error).__name__}") from error
        finally:
            if not task.done():
                self._client.disconnect()  # a late answer would be taken for the next one's
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _refused(self, said: str) -> DeviceFault | NoAnswer:
        if _UNKNOWN_UPS in said:
            return DeviceFault(Detail.NO_SUCH_UPS)
        if _STALE in said or _NOT_CONNECTED in said:
            return DeviceFault(Detail.UPS_LOST)
        return NoAnswer(f"{self._address}: refused")

    async def _leave(self) -> None:
        self._client.shutdown()
        await asyncio.sleep(0)  # lets the transport close
