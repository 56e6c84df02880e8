"""A simulated ESC/POS ticket printer with paper, cover and cutter, its menu of faults, and slips as pictures.

Printing and ordered questions wait while paper is missing or the cover is open; real-time questions are answered at
once, wherever in the stream they stand (also by accident, inside a picture). Its status bytes are written from
download4.epson.biz/sec_pubs/pos/reference_en/escpos/{dle_eot,gs_la,gs_lr}.html.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hardware.drivers import asset
from hardware.simulators.escpos_parser import Command, CommandParser
from hardware.simulators.line import LineFaults, PtyLine, SimulatedLine
from hardware.simulators.paper import MARGIN_DOTS, Paper
from hardware.simulators.simulator import LineSimulator, Place

LINE_DOTS: Final = 32
DOTS_PER_MM: Final = 8
_WITHOUT_EFFECT: Final = frozenset(
    {"NUL", "CR", "ESC {", "ESC M", "ESC R", "ESC  ", "FS S", "FS ( A", "GS b", "GS L", "GS W"}
)
"""Commands that are taken and change nothing here: upside-down print, small font, national characters, space between
characters, smoothing, margins (the head's whole width is used)."""


@dataclass(frozen=True, slots=True)
class PrinterFaults:
    """What is wrong with the printer. Counters (`…_after`) count lines of 32 dots from the moment they are set."""

    paper_out: bool = False
    paper_out_after: int | None = None
    near_end: bool = False
    cover_open: bool = False
    cover_open_after: int | None = None
    cutter_error: bool = False
    """The next cut jams the knife."""
    head_too_hot: bool = False
    unrecoverable: bool = False
    silent_questions: frozenset[int] = frozenset()
    """`DLE EOT` questions (1 to 4) that stay unanswered."""


@dataclass(frozen=True, slots=True)
class PrinterModel:
    """What kind of printer is played."""

    maker: str = "EPSON"
    name: str = "TM-T20III"
    firmware: str = "60.01 ESC/POS"
    knows_process_id: bool = True
    """Whether it answers `GS ( H`, which many clones do not."""
    keeps_pictures: bool = True
    ordered_without_paper: bool = False
    """Clones answer `GS r` at once when they have no paper, with `0F`."""
    has_mouth: bool = False
    """A cut slip hangs in the mouth until somebody takes it; `DLE EOT 20` tells."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One slip that was cut off."""

    path: Path
    text: str
    """What the printer's own font printed, line by line, QR codes as `[QR …]`."""
    height_mm: float


@dataclass(frozen=True, slots=True)
class PrinterEvent:
    """Something that happened at the printer: `slip`, `cut_failed`, `real_time_inside_data`, `unknown_command` …"""

    kind: str
    detail: str = ""


class TicketPrinterSimulator(LineSimulator):
    """A printer on a simulated line; slips are saved into `slips_folder`. Methods may be called from any thread.

    `on_event` runs on the line's thread.
    """

    def __init__(
        self,
        line: SimulatedLine,
        slips_folder: Path,
        font: Path,
        *,
        model: PrinterModel | None = None,
        on_event: Callable[[PrinterEvent], None] | None = None,
    ) -> None:
        super().__init__(line)
        self.faults = PrinterFaults()
        self.slips: list[Slip] = []
        self.events: list[PrinterEvent] = []
        self._on_event = on_event or (lambda _: None)
        self._folder = slips_folder
        self._paper = Paper(font)
        self._parser = CommandParser()
        self._waiting: deque[Command] = deque()
        self._recent = bytearray()
        self._recent_inside = False
        self._knife_jammed = False
        self.model = model or PrinterModel()
        self.slip_in_mouth = False
        self._automatic = 0
        self._last_automatic = b""
        self._counting_from = 0

    @property
    def actions(self) -> Mapping[str, Callable[..., None]]:
        return {"power": self.power_cycle, "take": self.take_slip}

    @property
    def paper_used_mm(self) -> float:
        """All paper that ever passed the head."""
        return self._paper.fed_dots / DOTS_PER_MM

    @property
    def uncut(self) -> bool:
        """Whether something printed still hangs out of the printer."""
        return not self._paper.empty

    def start(self) -> "TicketPrinterSimulator":
        self._folder.mkdir(parents=True, exist_ok=True)
        self.line.start(self._take, self._connected)
        return self

    def help_self_test(self) -> None:
        """Nobody's hands are needed: the slip falls out."""

    def set_faults(self, **changes: Any) -> None:
        """Change single faults of the printer, by the names of `PrinterFaults`; printing goes on where it may."""

        def change() -> None:
            self._change(**changes)

        self.line.call(change)

    def clear_faults(self) -> None:
        """Fresh paper, closed cover, free knife, good line; what waited is printed."""
        self.line.set_faults(LineFaults())

        def change() -> None:
            self._knife_jammed = False
            self.faults = PrinterFaults()
            self._work()

        self.line.call(change)

    def take_slip(self) -> None:
        """Somebody takes what hangs in the mouth."""
        self.line.call(lambda: setattr(self, "slip_in_mouth", False))

    def power_cycle(self) -> None:
        """Off and on: what waited is lost, what is on the paper stays there."""

        def change() -> None:
            self._waiting.clear()
            self._parser.reset()
            self._paper.restart()
            self._knife_jammed = False
            self._automatic = 0

        self.line.call(change)

    def _connected(self) -> None:
        """A network printer starts each connection with a fresh input stage."""
        self._parser.reset()
        self._automatic = 0

    def _change(self, **changes: Any) -> None:
        self.faults = replace(self.faults, **changes)
        self._counting_from = self._paper.fed_dots
        self._work()

    def _happened(self, kind: str, detail: str = "") -> None:
        event = PrinterEvent(kind, detail)
        self.events.append(event)
        self._on_event(event)
        self.tell(f"{kind} {detail}".rstrip())

    def _take(self, data: bytes) -> None:
        for byte in data:
            self._look_for_real_time(byte)
            for command in self._parser.feed(byte):
                self._waiting.append(command)
        self._work()

    def _look_for_real_time(self, byte: int) -> None:
        if byte == 0x10:
            self._recent[:] = b"\x10"
            self._recent_inside = not self._parser.between_commands
            return
        if not self._recent:
            return
        self._recent.append(byte)
        if self._recent[1] not in {0x04, 0x05, 0x14}:
            self._recent.clear()
        elif len(self._recent) == 3:
            kind, n = self._recent[1], self._recent[2]
            self._recent.clear()
            if self._recent_inside:
                self._happened("real_time_inside_data")
            if kind == 0x04:
                self._answer_real_time(n)
            elif kind == 0x05:
                self._recover(n)

    def _answer_real_time(self, n: int) -> None:
        faults = self.faults
        if n in faults.silent_questions:
            return
        if n == 20 and self.model.has_mouth:
            self.line.send(self._full_status())
            return
        status = {
            1: 0x08 * self._blocked,
            2: 0x04 * faults.cover_open | 0x20 * faults.paper_out | 0x40 * self._in_error,
            3: 0x08 * self._knife_jammed | 0x20 * faults.unrecoverable | 0x40 * faults.head_too_hot,
            4: 0x0C * (faults.near_end or faults.paper_out) | 0x60 * faults.paper_out,
        }.get(n)
        if status is not None:
            self.line.send(bytes((0x12 | status,)))

    def _full_status(self) -> bytes:
        """`10 0F`, then paper, user, recoverable and unrecoverable state."""
        faults = self.faults
        paper = 0x01 * faults.paper_out | 0x04 * (faults.near_end or faults.paper_out) | 0x20 * self.slip_in_mouth
        unrecoverable = 0x01 * self._knife_jammed | 0x04 * faults.unrecoverable
        return bytes((0x10, 0x0F, paper, 0x02 * faults.cover_open, 0x01 * faults.head_too_hot, unrecoverable))

    def _recover(self, n: int) -> None:
        """`DLE ENQ`: 1 goes on, 2 forgets what waited."""
        self._knife_jammed = False
        if n == 2:
            self._waiting.clear()
        self._work()

    @property
    def _in_error(self) -> bool:
        return self._knife_jammed or self.faults.unrecoverable or self.faults.head_too_hot

    @property
    def _blocked(self) -> bool:
        return self.faults.paper_out or self.faults.cover_open or self._in_error

    def _work(self) -> None:
        """Print what waits, as far as paper, cover and knife allow."""
        while self._waiting and not self._blocked:
            self._execute(self._waiting.popleft())
            self._use_up()
        while self._waiting and self.model.ordered_without_paper and self.faults.paper_out:
            if self._waiting.popleft().name == "GS r":
                self.line.send(b"\x0f")
        self._send_automatic()

    def _use_up(self) -> None:
        lines = (self._paper.fed_dots - self._counting_from) / LINE_DOTS
        if self.faults.paper_out_after is not None and lines >= self.faults.paper_out_after:
            self.faults = replace(self.faults, paper_out=True, paper_out_after=None)
        if self.faults.cover_open_after is not None and lines >= self.faults.cover_open_after:
            self.faults = replace(self.faults, cover_open=True, cover_open_after=None)

    def _execute(self, command: Command) -> None:
        if command.name in {"GS V", "ESC i", "ESC m"}:
            self._cut(command)
        elif command.name == "GS r":
            self.line.send(bytes((0x03 if self.faults.near_end else 0x00,)))
        elif command.name == "GS ( H":
            if self.model.knows_process_id and command.data[:2] == b"00" and len(command.data) == 6:
                self.line.send(b"\x37\x22" + command.data[2:] + b"\x00")
        elif command.name == "GS I":
            self._tell_names(command.data[0])
        elif command.name == "GS ( L" and command.data[:2] == b"\x30\x40":
            if self.model.keeps_pictures:
                self.line.send(b"\x37\x72\x40" + b"".join(self._paper.kept) + b"\x00")
        elif command.name == "GS a":
            self._automatic, self._last_automatic = command.data[0], b""
        elif not self._paper.execute(command) and command.name not in _WITHOUT_EFFECT:
            self._happened("unknown_command", command.name)

    def _tell_names(self, n: int) -> None:
        """`GS I`: names of the printer; it is silent about what it does not have."""
        said = {65: self.model.firmware, 66: self.model.maker, 67: self.model.name}.get(n)
        if said:
            self.line.send(b"\x5f" + said.encode("ascii") + b"\x00")

    def _cut(self, command: Command) -> None:
        if self.faults.cutter_error:
            self.faults = replace(self.faults, cutter_error=False)
            self._knife_jammed = True
            self._waiting.appendleft(command)
            self._happened("cut_failed")
            return
        if self._paper.empty:
            return
        picture, text = self._paper.cut()
        path = self._folder / f"slip-{len(self.slips) + 1:04d}.png"
        unfinished = path.with_suffix(".part")
        picture.save(unfinished, "PNG", dpi=(203, 203))
        unfinished.replace(path)
        self.slips.append(Slip(path, text, (picture.height - MARGIN_DOTS) / DOTS_PER_MM))
        self.slip_in_mouth = self.model.has_mouth
        self._happened("slip", str(path))

    def _send_automatic(self) -> None:
        """`GS a` frames, at enabling and on each change."""
        if not self._automatic:
            return
        faults = self.faults
        frame = bytes(
            (
                0x10 | 0x08 * self._blocked | 0x20 * faults.cover_open,
                0x08 * self._knife_jammed | 0x20 * faults.unrecoverable | 0x40 * faults.head_too_hot,
                0x03 * (faults.near_end or faults.paper_out) | 0x0C * faults.paper_out,
                0x0F,
            )
        )
        if frame != self._last_automatic:
            self._last_automatic = frame
            self.line.send(frame)


def simulate(place: Place) -> TicketPrinterSimulator:
    """A printer on a pty; its slips fall into the folder `slips`."""
    line = PtyLine(place.folder / "ticket-printer", baud=place.baud)
    return TicketPrinterSimulator(line, place.folder / "slips", asset("fonts/NotoSansSC-Regular.otf"))
