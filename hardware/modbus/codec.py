"""Modbus RTU requests and their answers; frames, checksum and fields by pymodbus. Pure.

Sources: MODBUS Application Protocol Specification V1.1b3 (functions 01, 02, 05; exceptions in chapter 7) and MODBUS
over Serial Line V1.02 (RTU frame, CRC).
"""

from dataclasses import dataclass
from typing import Final

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteSingleCoilRequest,
)

_REFUSAL: Final = 0x80
_REFUSAL_BYTES: Final = 5
_FRAMER: Final = FramerRTU(DecodePDU(is_server=False))


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and what its answer looks like."""

    frame: bytes
    station: int
    """1 to 247."""
    function: int
    answer_bytes: int
    count: int
    """Bits in the answer."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The module answered with an exception; `code` of chapter 7: 1 function, 2 address, 3 value, 4 failure, 6 busy."""

    code: int


Answer = tuple[bool, ...] | Refused
"""The bits that were read; for a coil that was written, its state."""


def read_coils(station: int, first: int, count: int) -> Question:
    """Outputs as they are. `count` 1 to 2000."""
    return _reading(ReadCoilsRequest(address=first, count=count, dev_id=station), count)


def read_inputs(station: int, first: int, count: int) -> Question:
    """Discrete inputs. `count` 1 to 2000."""
    return _reading(ReadDiscreteInputsRequest(address=first, count=count, dev_id=station), count)


def write_coil(station: int, coil: int, *, on: bool) -> Question:
    """Switch one output."""
    frame = _FRAMER.buildFrame(WriteSingleCoilRequest(address=coil, bits=[on], dev_id=station))
    return Question(frame, station, WriteSingleCoilRequest.function_code, len(frame), 1)


def _reading(request: ModbusPDU, count: int) -> Question:
    frame = _FRAMER.buildFrame(request)
    return Question(frame, request.dev_id, request.function_code, 5 + (count + 7) // 8, count)


class AnswerDecoder:
    """Finds the answer to one question among bytes as they come. Never raises; keeps one frame of noise at most."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._begun = bytearray()

    def feed(self, data: bytes) -> Answer | None:
        """The answer, once it is complete."""
        self._begun += data
        while len(self._begun) >= _REFUSAL_BYTES:
            size = self._size()
            if size > len(self._begun):
                return None
            answer = self._understood(bytes(self._begun[:size])) if size else None
            del self._begun[: size if answer is not None else 1]
            if answer is not None:
                return answer
        return None

    def _size(self) -> int:
        """Of the frame that may begin here; 0 where none does."""
        station, function = self._begun[:2]
        if station != self._question.station:
            return 0
        if function == self._question.function:
            return self._question.answer_bytes
        return _REFUSAL_BYTES if function == self._question.function | _REFUSAL else 0

    def _understood(self, frame: bytes) -> Answer | None:
        if FramerRTU.compute_CRC(frame[:-2]) != int.from_bytes(frame[-2:], "big"):
            return None
        try:
            answer = _FRAMER.decoder.decode(frame[1:-2])
        except ModbusException:
            return None
        if isinstance(answer, ExceptionResponse):
            return Refused(answer.exception_code)
        if answer is None or len(answer.bits) < self._question.count:
            return None
        return tuple(answer.bits[: self._question.count])
