"""The terminal as it is, with a door for the test: what of this process is reachable is written to a file on command.

Searching is done elsewhere, so that what is searched for never comes into this process. A line of JSON in, one out:

{"do": "dump", "path": "heap"}   every text, number and buffer that is reachable: `heap`, and `heap.index` (JSON)
{"do": "why", "ids": [1]}        who holds these objects, for a failed test
{"do": "scan"}                   the code scanner looks for a code of this session, as a page that wants one would ask
{"do": "holds_code"}             whether the session has one
"""

import argparse
import array
import gc
import io
import json
import socketserver
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kiosk import __main__ as program
from kiosk.terminal import Terminal

BETWEEN = b"\x00\xff\x00\xff\x00"
LARGEST = 1 << 26
_PASSING = {"list_iterator", "generator", "frame"}


def reachable() -> list[object]:
    """Everything that any thread, module or container leads to; the thread that looks is left out."""
    gc.collect()
    mine = threading.get_ident()
    stack: list[object] = [thing for thing in gc.get_objects() if not _of_this_look(thing)]
    stack += [names for thread, frame in sys._current_frames().items() if thread != mine for names in _locals(frame)]
    seen = {id(thing) for thing in stack}
    found = list(stack)
    while stack:
        for thing in gc.get_referents(stack.pop()):
            if id(thing) not in seen:
                seen.add(id(thing))
                found.append(thing)
                stack.append(thing)
    return found


def _of_this_look(thing: object) -> bool:
    return type(thing).__name__ == "frame" and getattr(thing, "f_globals", None) is globals()


def _locals(frame: Any) -> Iterator[dict[str, Any]]:
    while frame is not None:
        yield dict(frame.f_locals)
        frame = frame.f_back


def content(thing: object) -> bytes | None:
    """The bytes of what has some; text as UTF-8."""
    if isinstance(thing, str):
        return thing.encode("utf-8", "surrogatepass")
    if isinstance(thing, bytes | bytearray):
        return bytes(thing)
    if isinstance(thing, int) and abs(thing) > 1 << 32:
        return str(thing).encode() if abs(thing) < 1 << 4096 else None
    if isinstance(thing, io.BytesIO | io.StringIO):
        return content(thing.getvalue())
    if isinstance(thing, memoryview | array.array) or type(thing).__name__ == "ndarray" or "c_" in type(thing).__name__:
        return _buffer(thing)
    return None


def _buffer(thing: Any) -> bytes | None:
    try:
        view = memoryview(thing)
        return view.tobytes() if view.nbytes < LARGEST else None
    except (TypeError, ValueError, BufferError):
        return None


def dump(path: Path) -> None:
    """Nothing else runs while things are gathered: an object that goes would lend its id to another."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        things = [(thing, text) for thing in reachable() if (text := content(thing))]
    finally:
        sys.setswitchinterval(before)
    index, at = [], 0
    with path.open("wb") as file:
        for thing, text in things:
            index.append((at, id(thing), type(thing).__name__))
            at += file.write(text + BETWEEN)
    path.with_suffix(".index").write_text(json.dumps(index))


def why(ids: Iterable[int], depth: int = 4) -> list[str]:
    """For each object its holders, theirs, and so on."""
    wanted = set(ids)
    things = [thing for thing in reachable() if id(thing) in wanted]
    return [" <- ".join(_holders(thing, depth, things)) for thing in things]


def _holders(thing: object, depth: int, mine: list[object]) -> Iterator[str]:
    for _ in range(depth):
        yield f"{type(thing).__module__}.{type(thing).__qualname__}"
        holders = [
            holder
            for holder in gc.get_referrers(thing)
            if holder is not mine and not _of_this_look(holder) and type(holder).__name__ not in _PASSING
        ]
        if not holders:
            return
        thing = holders[0]
        if isinstance(thing, dict):
            yield f"dict with {list(thing)[:6]}"


class _Door(socketserver.StreamRequestHandler):
    terminal: Terminal

    def handle(self) -> None:
        for line in self.rfile:
            answer = self._obey(json.loads(line))
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _obey(self, order: dict[str, Any]) -> Any:
        match order["do"]:
            case "dump":
                return dump(Path(order["path"]))
            case "why":
                return why(order["ids"])
            case "holds_code":
                return bool(self.terminal._session._code)
            case "scan":
                devices = self.terminal._devices
                return devices and devices._from_thread(self._scan)
        raise ValueError(order)

    def _scan(self) -> None:
        if self.terminal._devices is not None:
            self.terminal._devices.start_code_scan(self.terminal._session)


class _Inspected(Terminal):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _Door.terminal = self


def main() -> None:
    arguments = argparse.ArgumentParser()
    for name in ("profile", "guide", "door"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    given = arguments.parse_args()
    program.Terminal = _Inspected  # type: ignore[misc]
    server = socketserver.ThreadingUnixStreamServer(str(given.door), _Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program.main(given.profile, headless=False, guide=given.guide)


if __name__ == "__main__":
    main()
