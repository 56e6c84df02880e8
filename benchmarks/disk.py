"""What a durable write costs on this disk now: append 4 KiB, fdatasync."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = os.urandom(4096)


@contextmanager
def fsync_probe(folder: Path) -> Iterator[Callable[[], float]]:
    """What is yielded appends once, durably, and says how many milliseconds it took.

    It writes to a file in `folder` that is removed afterwards.
    """
    path = folder / "fsync.probe"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def append() -> float:
        began = time.perf_counter()
        os.write(descriptor, BLOCK)
        os.fdatasync(descriptor)
        return (time.perf_counter() - began) * 1000

    try:
        yield append
    finally:
        os.close(descriptor)
        path.unlink()


def fsync_times(folder: Path, writes: int) -> list[float]:
    """Milliseconds of each of `writes` appends in a row."""
    with fsync_probe(folder) as append:
        return [append() for _ in range(writes)]
