"""Driver of code scanners that type (USB HID): the device is grabbed, so that no screen hears what is scanned."""

import contextlib
import math
from collections.abc import Iterator
from functools import partial
from typing import Final

from hardware.addresses import InputAddress, parse_address
from hardware.code_scanner.keys import KeyDecoder
from hardware.code_scanner.payload import CodeRules
from hardware.code_scanner.scanner import CodeScanner, CodeScannerCapabilities, KeepOn, ScannerOptions, ScannerTiming
from hardware.code_scanner.splitter import CodeEnd
from hardware.command import Run
from hardware.device import Supervision
from hardware.drivers import Driver, Opening
from hardware.errors import BadAddress
from hardware.events import OnEvent
from hardware.finding import keyboards
from hardware.lines import Line
from hardware.linux_input import InputLine
from hardware.roles import Role
from hardware.vocabulary import DeviceStatus, Health


class KeyboardCodeScanner(CodeScanner):
    """A scanner that types, at `input:/dev/input/by-id/…-event-kbd`, grabbed so that no screen hears it.

    Its node is there exactly while it is plugged in, so that an open and grabbed one is OK. Raises `BadAddress`.
    """

    def __init__(
        self,
        address: str,
        *,
        role: Role = Role.CODE_SCANNER,
        rules: CodeRules | None = None,
        end: CodeEnd = CodeEnd.LINE_END,
        timing: ScannerTiming | None = None,
        on_event: OnEvent | None = None,
        supervision: Supervision | None = None,
    ) -> None:
        rules, timing = rules or CodeRules(), timing or ScannerTiming()
        where = parse_address(address)
        if not isinstance(where, InputAddress):
            raise BadAddress(f"{address!r}: want input:…")
        self._new_decoder = partial(KeyDecoder, rules.max_bytes, end=end, gap_s=timing.gap_s)
        super().__init__(
            role,
            partial(self._opened, where),
            self._new_decoder(),
            capabilities=CodeScannerCapabilities(rules, triggered=False, can_be_asked=False),
            on_event=on_event,
            supervision=supervision,
        )

    def _opened(self, where: InputAddress) -> Line:
        line = InputLine(where)
        self._decoder = self._new_decoder()  # which keys are down is not known of a device just opened
        return line

    @contextlib.contextmanager
    def _triggered(self, run: Run[Line]) -> Iterator[KeepOn]:  # noqa: ARG002 - nothing to tell it
        yield _always_on

    def _probe(self, run: Run[Line]) -> DeviceStatus:
        self._throw_away(run)
        return DeviceStatus(Health.OK)


def _always_on(now: float, *, anew: bool) -> float:  # noqa: ARG001 - nothing is to be told to such a scanner
    return math.inf


def _open(opening: Opening[ScannerOptions]) -> KeyboardCodeScanner:
    return KeyboardCodeScanner(
        str(opening.address),
        role=opening.role,
        rules=opening.options.rules,
        end=opening.options.end or CodeEnd.LINE_END,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="code-keyboard",
    title="Code scanner that types (USB HID), grabbed exclusively",
    roles=frozenset({Role.CODE_SCANNER}),
    schemes=frozenset({"input"}),
    open=_open,
    options=ScannerOptions,
    find=keyboards,
)
