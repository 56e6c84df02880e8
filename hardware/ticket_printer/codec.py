"""ESC/POS status: the questions, the bytes that come back in any order, and what they say of the printer. Pure.

Sources: download4.epson.biz/sec_pubs/pos/reference_en/escpos/{dle_eot,gs_la,gs_lr}.html,
https://www.easymanua.ls/epson/tm-u220a/manual?p=54.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hardware.vocabulary import Detail, DeviceStatus, Health, Supply

PAPER: Final = "paper"
REAL_TIME_QUESTIONS: Final = (1, 2, 3, 4)
"""Printer, cause of being offline, cause of error, paper."""
ASK_PAPER_IN_ORDER: Final = bytes.fromhex("1D 72 01")
ASK_AUTOMATIC_STATUS: Final = bytes.fromhex("1D 61 0E")
FORGET_WHAT_WAITS: Final = bytes.fromhex("10 05 02")
"""`DLE ENQ 2`: recover from a cutter or mechanical error, and throw away what the printer still held."""
FENCE_ID_SIZE: Final = 4


@dataclass(frozen=True, slots=True)
class RealTimeStatus:
    """The answer to `DLE EOT n`; the byte does not say which n."""

    byte: int


@dataclass(frozen=True, slots=True)
class AutomaticStatus:
    """Four bytes that the printer sends by itself when `GS a` has allowed it."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class FenceEcho:
    """The answer to `GS ( H` function 48: everything sent before it has been printed."""

    fence_id: bytes


@dataclass(frozen=True, slots=True)
class OrderedPaperStatus:
    """The answer to `GS r 1`: everything sent before it has been printed."""

    byte: int


@dataclass(frozen=True, slots=True)
class FlowControl:
    """XON or XOFF."""

    go_on: bool


@dataclass(frozen=True, slots=True)
class Stray:
    """A byte that is none of these."""

    byte: int


Answer = RealTimeStatus | AutomaticStatus | FenceEcho | OrderedPaperStatus | FlowControl | Stray


def ask_real_time(n: int) -> bytes:
    """`DLE EOT n`; after it nothing may be sent until its answer came."""
    return bytes((0x10, 0x04, n))


def ask_fence(fence_id: bytes) -> bytes:
    """`GS ( H` function 48 with an id made by `fence_id_of`."""
    return bytes.fromhex("1D 28 48 06 00 30 30") + fence_id


def fence_id_of(number: int) -> bytes:
    """Four letters for a number (modulo 65536), of bytes that no status uses, so that they are told apart."""
    return bytes(0x40 | (number >> shift & 0x0F) for shift in (12, 8, 4, 0))


class AnswerClassifier:
    """Sorts the bytes of a printer by their fixed bits, since its answers interleave. Never raises."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def reset(self) -> None:
        """Forget an answer that was begun."""
        self._begun.clear()

    def feed(self, data: bytes) -> list[Answer]:
        """Take bytes; the answers that are complete now, in order of their last byte."""
        answers: list[Answer] = []
        for byte in data:
            answers += self._take(byte)
        return answers

    def _take(self, byte: int) -> list[Answer]:
        if byte & 0x93 == 0x12:
            return [RealTimeStatus(byte)]
        if byte in {0x11, 0x13}:
            return [FlowControl(go_on=byte == 0x11)]
        if self._begun:
            return self._continue(byte)
        if byte == 0x37 or byte & 0x93 == 0x10:
            self._begun.append(byte)
            return []
        return [OrderedPaperStatus(byte)] if byte & 0x90 == 0 else [Stray(byte)]

    def _continue(self, byte: int) -> list[Answer]:
        begun = self._begun
        if begun[0] == 0x37:
            fits = _fits_fence(len(begun), byte)
            whole = len(begun) == FENCE_ID_SIZE + 2
        else:
            fits = byte & 0x90 == 0
            whole = len(begun) == 3
        if not fits:
            strays: list[Answer] = [Stray(b) for b in begun]
            begun.clear()
            return strays + self._take(byte)
        begun.append(byte)
        if not whole:
            return []
        frame = bytes(begun)
        begun.clear()
        return [FenceEcho(frame[2:6]) if frame[0] == 0x37 else AutomaticStatus(frame)]


def status_of(answers: Mapping[int, int]) -> DeviceStatus:
    """What the answers to `DLE EOT` (by n) say. A question without answer leaves UNKNOWN, unless another shows a fault.

    An error goes before an open cover, that before missing paper, that before being offline for no stated cause.
    """
    printer, cause, error, roll = (answers.get(n, 0) for n in REAL_TIME_QUESTIONS)
    paper = _paper(answers)
    supplies = {PAPER: paper}
    faults = (
        (error & 0x08, Detail.CUTTER_ERROR),
        (error & 0x24, Detail.PRINTER_ERROR),
        (error & 0x40, Detail.HEAD_TOO_HOT),
        (cause & 0x40 and 3 not in answers, Detail.PRINTER_ERROR),
        (cause & 0x04, Detail.COVER_OPEN),
        (cause & 0x20 or roll & 0x60, Detail.PAPER_OUT),
        (cause & 0x40, Detail.PRINTER_ERROR),
        (printer & 0x08, Detail.PRINTER_OFFLINE),
    )
    for shown, detail in faults:
        if shown:
            return DeviceStatus(Health.FAULT, detail, supplies)
    if not all(n in answers for n in REAL_TIME_QUESTIONS):
        return DeviceStatus(Health.UNKNOWN, Detail.NO_ANSWER, supplies)
    if paper is Supply.LOW:
        return DeviceStatus(Health.DEGRADED, Detail.PAPER_LOW, supplies)
    return DeviceStatus(Health.OK, Detail.NONE, supplies)


def automatic_status(frame: bytes) -> DeviceStatus:
    """What a `GS a` frame of four bytes says: the same facts, in other places."""
    printer, error, roll, _ = frame
    answers = {
        1: printer & 0x08,
        2: 0x04 if printer & 0x20 else 0,
        3: error & 0x6C,
        4: (0x0C if roll & 0x03 else 0) | (0x60 if roll & 0x0C else 0),
    }
    return status_of(answers)


def proves_print(status: OrderedPaperStatus) -> bool:
    """Whether an ordered answer stands for printed lines: clones answer `0F` at once when they have no paper."""
    return status.byte & 0x0C == 0


def real_time_sequences(stream: bytes) -> Iterable[int]:
    """Where in a stream of commands a printer would see a real-time command."""
    return (i for i in range(len(stream) - 1) if stream[i] == 0x10 and stream[i + 1] in {0x04, 0x05, 0x14})


def _fits_fence(position: int, byte: int) -> bool:
    if position == 1:
        return byte == 0x22
    if position == FENCE_ID_SIZE + 2:
        return byte == 0
    return byte & 0xF0 == 0x40


def _paper(answers: Mapping[int, int]) -> Supply:
    if answers.get(4, 0) & 0x60 or answers.get(2, 0) & 0x20:
        return Supply.OUT
    if 4 not in answers:
        return Supply.UNKNOWN
    return Supply.LOW if answers[4] & 0x0C else Supply.OK
