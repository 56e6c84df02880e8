"""The session of one citizen, as devices know it: when it ends, its commands end and what they gave is wiped."""

import threading
from collections.abc import Callable

from hardware.cancel import CancelToken


class DeviceSession(CancelToken):
    """Given with each command that may bring something personal. `cancel` ends the session for good.

    A command of an ended session is refused; a running one is cancelled; a result that comes after the end is wiped
    and never delivered; results delivered before are wiped at the end, whoever still holds them. Thread-safe.
    """

    def __init__(self) -> None:
        super().__init__()
        self._delivered: list[Callable[[], None]] = []
        self._delivering = threading.Lock()

    def end(self) -> None:
        """End the session. A second call does nothing."""
        self.cancel()
        with self._delivering:
            delivered, self._delivered = self._delivered, []
        for wipe in delivered:
            wipe()

    def deliver(self, wipe: Callable[[], None]) -> bool:
        """Whether a result may still be delivered; `wipe` is then called when the session ends."""
        with self._delivering:
            if self.cancelled:
                return False
            self._delivered.append(wipe)
            return True
