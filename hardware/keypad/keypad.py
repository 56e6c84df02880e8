"""Driver of a keypad (Linux input): grabbed, so that no screen hears it; a key that is stuck is noticed."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import Field

from hardware.addresses import InputAddress, parse_address
from hardware.command import Run
from hardware.device import Capabilities, Device, Supervision
from hardware.drivers import Driver, Opening, Options
from hardware.errors import BadAddress, DeadlinePassed
from hardware.events import KeyPressed, OnEvent
from hardware.finding import keyboards
from hardware.keypad.codec import KEYS, KeypadDecoder
from hardware.lines import Line
from hardware.linux_input import InputLine
from hardware.roles import Role
from hardware.self_test import Request, Steps
from hardware.vocabulary import Detail, DeviceStatus, Health


@dataclass(frozen=True, slots=True)
class KeypadCapabilities(Capabilities):
    """What keys may be heard of."""

    keys: frozenset[str] = frozenset(KEYS.values())


class KeypadOptions(Options):
    """A key that is down for `stuck_s` seconds is not held by a finger."""

    stuck_s: float = Field(default=30.0, ge=0.1, le=600)


class Keypad(Device[Line]):
    """A keypad at `input:/dev/input/by-id/…-event-kbd`. Its node is there exactly while it is plugged in, so that an
    open and grabbed one is OK. Keys are `KeyPressed` events. Raises `BadAddress`."""

    listens = True

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.KEYPAD,
        options: KeypadOptions | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        where = parse_address(address)
        if not isinstance(where, InputAddress):
            raise BadAddress(f"{address!r}: want input:…")
        self._options = options or KeypadOptions()
        self._decoder = KeypadDecoder()
        super().__init__(
            role,
            partial(self._opened, where),
            capabilities=KeypadCapabilities(),
            on_event=on_event,
            supervision=supervision,
        )

    def _opened(self, where: InputAddress) -> Line:
        line = InputLine(where)
        self._decoder = KeypadDecoder()  # which keys are down is not known of a device just opened
        return line

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        self._tell(run.discard_input())
        stuck = self._decoder.held_s(time.monotonic()) >= self._options.stuck_s
        return DeviceStatus(Health.DEGRADED, Detail.KEY_STUCK) if stuck else DeviceStatus(Health.OK)

    def _listen(self, run: Run[Line]) -> None:
        while True:
            self._tell(run.read(run.deadline))

    def _tell(self, data: bytes) -> None:
        for key in self._decoder.feed(data, time.monotonic()):
            self._emit(KeyPressed(self.role, key))

    def _self_test(self, run: Run[Line], steps: Steps) -> None:
        with steps.step("status") as step:
            status = self._probe(run)
            run.report(status)
            if status.health is not Health.OK:
                step.fail(status.detail)
        if steps.failed:
            return
        with steps.step("key_pressed", Request.PRESS_KEY) as step:
            try:
                while not self._decoder.feed(run.read(run.deadline), time.monotonic()):
                    run.check()
            except DeadlinePassed:
                step.unknown(Detail.NO_KEY)


def _open(opening: Opening[KeypadOptions]) -> Keypad:
    return Keypad(
        str(opening.address),
        role=opening.role,
        options=opening.options,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="keypad",
    title="Keypad (Linux input), grabbed exclusively",
    roles=frozenset({Role.KEYPAD}),
    schemes=frozenset({"input"}),
    open=_open,
    options=KeypadOptions,
    find=keyboards,
)
