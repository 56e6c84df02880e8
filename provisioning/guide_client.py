"""Commands to a terminal's guide: touch, wait, look, take a picture (see `screens/guide.py`)."""

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class GuideRefused(Exception):
    """The terminal could not obey; the message is its own."""


class GuideClient:
    """One connection to the guide's socket; an async context manager."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        self._streams = await asyncio.open_unix_connection(str(self._socket))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._streams is not None:
            self._streams[1].close()

    async def view(self) -> dict[str, Any]:
        """The fields of what is shown, with its `kind`."""
        return _flat(await self._ask({"do": "view"}))

    async def tap(self, words: str) -> None:
        """Touch what says this."""
        await self._ask({"do": "tap", "words": words})

    async def wait(self, kind: str, *, within_s: float = 30, **fields: Any) -> dict[str, Any]:
        """Wait until a view of `kind` with these fields is shown; its fields."""
        return _flat(await self._ask({"do": "wait", "kind": kind, "with": fields, "within_s": within_s}))

    async def picture(self, path: Path) -> Path:
        """Save what a person sees as a PNG."""
        await self._ask({"do": "picture", "path": str(path)})
        return path

    async def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        if self._streams is None:
            raise GuideRefused("not connected")
        reader, writer = self._streams
        writer.write(json.dumps(command, ensure_ascii=False).encode() + b"\n")
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise GuideRefused("the terminal has ended")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise GuideRefused(f"{command['do']}: {answer['error']} (shown: {answer['kind']})")
        return answer


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    return {"kind": answer["kind"], **answer["view"]}
