"""What an ultrasonic MaxSonar sensor says: one distance after another, unasked. Pure.

A reading is `R`, four digits (millimetres), on USB models a space, and a carriage return; 300 stands for everything
nearer, 5000 for nobody within reach. Source: MaxBotix data sheets PD12141 (HRUSB-MaxSonar-EZ) and PD11500
(HRXL-MaxSonar-WR), serial output.
"""

import re
from typing import Final

NEAREST_MM: Final = 300
FARTHEST_MM: Final = 5000
READING_BYTES: Final = 7
_READING: Final = re.compile(rb"R(\d{4}) ?")


class ReadingDecoder:
    """Feed bytes as they come; distances in millimetres come out. What is no reading is passed over. Never raises."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[int]:
        """The distances of the readings that end within `data`."""
        self._begun += data
        *lines, rest = bytes(self._begun).split(b"\r")
        self._begun[:] = rest[-READING_BYTES:]  # noise without an end is not kept
        found = (_READING.fullmatch(line[line.rfind(b"R") :] if b"R" in line else line) for line in lines)
        return [int(reading[1]) for reading in found if reading]
