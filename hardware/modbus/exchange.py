"""Asking a Modbus module on a shared line, from a device's thread."""

import time

from pydantic import Field

from hardware.command import Run
from hardware.drivers import Options
from hardware.errors import DeviceFault, NoAnswer
from hardware.modbus.codec import AnswerDecoder, Question, Refused
from hardware.shared_line import SharedLine
from hardware.vocabulary import Detail

BUSY = 6
_TRIES = 2


class ModbusOptions(Options):
    """Which module on the line, and how long it may take."""

    station: int = Field(default=1, ge=1, le=247)
    answer_s: float = Field(default=0.3, ge=0.02, le=5)


def ask(run: Run[SharedLine], question: Question, answer_s: float) -> tuple[bool, ...]:
    """The bits of the answer; asked a second time where none came, since all questions may be repeated.

    Raises `NoAnswer`, or `DeviceFault` where the module refuses (it has no such input or output).
    """
    for _ in range(_TRIES):
        answer = _asked(run, question, answer_s)
        if isinstance(answer, tuple):
            return answer
        if answer is not None and answer.code != BUSY:
            raise DeviceFault(Detail.MODULE_REFUSED)
    raise NoAnswer(f"station {question.station}: no answer")


def _asked(run: Run[SharedLine], question: Question, answer_s: float) -> tuple[bool, ...] | Refused | None:
    with run.connection.turn(run):
        until = time.monotonic() + answer_s
        run.write(question.frame, until)
        decoder = AnswerDecoder(question)
        while time.monotonic() < until:
            answer = decoder.feed(run.read(until))
            if answer is not None:
                return answer
    return None
