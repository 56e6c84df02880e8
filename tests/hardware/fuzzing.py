"""Fuzzing: frames damaged in many ways and bytes by chance go into a parser, each input with a limit of time.

A parser fails where it raises what its docstring does not name, and where it does not come to an end.
"""

import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import FrameType
from typing import Final

from tests.hardware.parsers import Parser

HANG_CPU_S: Final = 2.0
"""More computing than this on one input is a hang: the longest inputs take a few milliseconds."""
LONGEST: Final = 2560
MOST_SEEDS: Final = 64
MOST_FAILURES: Final = 10
SHORTENINGS: Final = 2000
SHORTENINGS_OF_A_HANG: Final = 20
_EDGES: Final = (0x00, 0x01, 0x03, 0x10, 0x7F, 0x80, 0xFE, 0xFF)


class Hang(BaseException):
    """An input took too long. No `Exception`: no parser's own handling shall take it for an answer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A defect: what was raised and where, the input that showed it, and the shortest one found that does."""

    error: str
    data: bytes
    shortest: bytes


@dataclass(slots=True)
class Report:
    """What became of a run; `failures` has each defect once, told by its kind and place."""

    parser: str
    inputs: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)


def fuzz(parser: Parser, seed: int, *, inputs: int | None = None, seconds: float | None = None) -> Report:
    """Feed a parser until so many inputs or seconds have passed; the same seed gives the same inputs."""
    report, seen = Report(parser.name), set[str]()
    chance, seeds = random.Random(seed), list(parser.golden)
    began = time.monotonic()
    for number in range(inputs) if inputs is not None else count():
        if seconds is not None and time.monotonic() - began >= seconds:
            break
        data = parser.golden[number] if number < len(parser.golden) else _input(seeds, chance)
        report.inputs += 1
        error, means_something = _outcome(parser, data)
        if error is not None and error not in seen:
            seen.add(error)
            report.failures.append(Failure(error, data, shortened(parser, data, error)))
            if len(report.failures) == MOST_FAILURES:
                break
        elif means_something and len(seeds) < MOST_SEEDS:
            seeds.append(data)
    report.seconds = time.monotonic() - began
    return report


def failure_of(parser: Parser, data: bytes) -> str | None:
    """What a parser did wrong with an input, and where; None where nothing."""
    return _outcome(parser, data)[0]


def shortened(parser: Parser, data: bytes, error: str) -> bytes:
    """A shorter input that fails in the same way: pieces are left out, then bytes made zero, as long as it does."""
    left = SHORTENINGS_OF_A_HANG if error.startswith(Hang.__name__) else SHORTENINGS

    def fails(candidate: bytes) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and failure_of(parser, candidate) == error

    size = len(data) // 2
    while size:
        at = 0
        while at < len(data):
            candidate = data[:at] + data[at + size :]
            if fails(candidate):
                data = candidate
            else:
                at += size
        size //= 2
    for at in range(len(data)):
        candidate = data[:at] + b"\x00" + data[at + 1 :]
        if data[at] and fails(candidate):
            data = candidate
    return data


def _outcome(parser: Parser, data: bytes) -> tuple[str | None, bool]:
    try:
        with _limited():
            return None, bool(parser.understood(data))
    except Hang as hang:
        return f"Hang at {_place(hang, parser)}", False
    except Exception as error:  # noqa: BLE001 - any is a finding
        return f"{type(error).__name__} at {_place(error, parser)}", False


def _place(error: BaseException, parser: Parser) -> str:
    """Where it happened. A hang's line depends on the moment: its parser is named instead."""
    if isinstance(error, Hang):
        return parser.name
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


@contextmanager
def _limited() -> Iterator[None]:
    """Raise `Hang` in the main thread when this process has computed too long."""

    def ring(_: int, __: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _input(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One in eight is bytes by chance; the others are a frame, damaged up to six times."""
    if chance.random() < 0.125:
        return chance.randbytes(chance.randrange(600))
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        chance.choice(_DAMAGES)(data, seeds, chance)
    return bytes(data[:LONGEST])


def _flip(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _edge(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    """One or two bytes, as a length might be, at the end of what they can be."""
    if data:
        at = chance.randrange(len(data))
        data[at : at + chance.randint(1, 2)] = bytes(chance.choices(_EDGES, k=chance.randint(1, 2)))


def _count(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    """A byte a little more or less."""
    if data:
        at = chance.randrange(len(data))
        data[at] = (data[at] + chance.randint(-4, 4)) % 256


def _leave_out(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    del data[at : at + chance.randint(1, 16)]


def _cut(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    del data[chance.randint(0, len(data)) :]


def _put_in(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 16))


def _repeat(data: bytearray, _: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    end = at + chance.randint(1, 32)
    data[at:end] = bytes(data[at:end]) * chance.choice((2, 3, 3, 16))
    del data[LONGEST:]


def _join(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    """Another frame behind this one, or in its middle."""
    at = chance.choice((len(data), chance.randint(0, len(data))))
    data[at:at] = chance.choice(seeds)


_DAMAGES: Final[tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...]] = (
    _flip,
    _edge,
    _count,
    _leave_out,
    _cut,
    _put_in,
    _repeat,
    _join,
)
