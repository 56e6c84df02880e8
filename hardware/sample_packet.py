"""Sample frames of callers and evaluators at counters. There is no standard, and no maker's description was found; a
terminal of another make gets its own tables in the profile. Pure.

The packet is the published one of number displays (9600 8N1; id, high byte, low byte, sum;
musicexecdevelopment.com/8238227). That a terminal is polled with 0, answers with the number of the key that was pressed
until it is told that this was taken (8000 hexadecimal and the key), and lights up for an evaluation on 1, is an
assumption of this sample.
"""

from typing import Final

PACKET: Final = ("address", "number:be16", "sum8")
NOTHING: Final = 0
LIGHT_UP: Final = 1
TAKEN: Final = 0x8000
"""And the number of the key; no press is lost with an answer."""
