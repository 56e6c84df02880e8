"""What a durable write costs on this disk now: append 4 KiB, fdatasync."""

import os
import time
from pathlib import Path

BLOCK = os.urandom(4096)


def fsync_times(folder: Path, writes: int) -> list[float]:
    """Milliseconds of each of `writes` appends with fdatasync, on a file in `folder` that is removed afterwards."""
    path = folder / "fsync.probe"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        times = []
        for _ in range(writes):
            began = time.perf_counter()
            os.write(descriptor, BLOCK)
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - began) * 1000)
        return times
    finally:
        os.close(descriptor)
        path.unlink()
