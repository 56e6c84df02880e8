"""How many displays are connected now, for metrics and the technicians' page."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Displays:
    """Counts open streams by zone."""

    def __init__(self) -> None:
        self._zones: Counter[str] = Counter()

    @contextmanager
    def joined(self, zone: str) -> Iterator[None]:
        """For as long as a display's stream is open."""
        self._zones[zone] += 1
        try:
            yield
        finally:
            self._zones[zone] -= 1

    def of_zone(self, zone: str) -> int:
        return self._zones[zone]

    @property
    def connected(self) -> int:
        return self._zones.total()
