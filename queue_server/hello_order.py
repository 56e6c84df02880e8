"""Which hello of a device is an old one: what it says of the device's numbers was overtaken by what came after it.

A request id is `<boot>-<n>`, and `n` grows with everything that a boot says. A hello that the broker delivers once
more, or late, must be answered, but it is no sign of a second machine that forgot numbers, and gives nothing back.
"""

BOOTS_KEPT = 8


class HelloOrder:
    """What each device said last of its numbers, by boot; used on one loop."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, int]] = {}

    def note(self, device: str, request_id: str) -> None:
        """The device told of its numbers under this id: a hello, or a number that it gave."""
        boots = self._last.setdefault(device, {})
        boot, _, n = request_id.rpartition("-")
        if boot not in boots and len(boots) >= BOOTS_KEPT:
            del boots[next(iter(boots))]
        boots[boot] = max(int(n), boots.get(boot, 0))

    def is_old(self, device: str, request_id: str) -> bool:
        """Whether the hello under this id was said before something that is known already."""
        boots = self._last.get(device, {})
        boot, _, n = request_id.rpartition("-")
        return boot in boots and (boot != next(reversed(boots)) or int(n) <= boots[boot])
