"""Asking a device whose frames a table describes, on a shared line, from a device's thread."""

import time
from collections.abc import Callable, Sequence

from hardware.command import Run
from hardware.frame_table import FrameTable, TableDecoder
from hardware.shared_line import SharedLine

Values = dict[str, int | str]


def ask(
    run: Run[SharedLine],
    frame: bytes,
    answers: Sequence[FrameTable],
    *,
    answer_s: float,
    tries: int,
    fits: Callable[[Values], bool] = lambda _: True,
) -> Values | None:
    """Send a frame until an answer comes that `fits`; None when none came after so many tries. What is sent is sent
    again, so it has to be something that may be."""
    for _ in range(tries):
        with run.connection.turn(run):
            until = time.monotonic() + answer_s
            run.write(frame, until)
            decoder = TableDecoder(answers)
            while time.monotonic() < until:
                answer = next(filter(fits, decoder.feed(run.read(until))), None)
                if answer is not None:
                    return answer
    return None
