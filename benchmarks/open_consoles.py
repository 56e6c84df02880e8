"""Open counter consoles in a process of their own: each signs in, loads its page and follows it on its socket.

A page in a headless browser weighs more than the server that it looks at; this client does what the page does towards
the server (the form, the page, the socket with its handshake, every update taken and acknowledged) and draws nothing.
"""

import ast
import asyncio
import json
import re
import sys
import uuid
from typing import Any

import httpx
import socketio  # type: ignore[import-untyped]  # ships no types

ACK_EVERY_S = 3.0
"""As the page's own script does."""
_QUERY = re.compile(r"query: (\{.*?\}),\s*\n")


class OpenConsole:
    """The page of one clerk, whose computer has the address `address`."""

    def __init__(self, url: str, login: str, password: str, address: str) -> None:
        self._url, self._login, self._password, self._address = url, login, password, address
        self._cookies: dict[str, str] = {}
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._message)
        self._client_id = ""
        self._next_message = 0
        self.updates = 0
        """Drawings that came."""

    async def sign_in(self) -> None:
        """Raises `httpx.HTTPError`."""
        async with self._browser() as client:
            form = {"login": self._login, "password": self._password}
            self._cookies = dict((await client.post("/console/sign-in", data=form)).cookies)

    async def open(self) -> None:
        """Raises `httpx.HTTPError`, `socketio.exceptions.ConnectionError`."""
        async with self._browser() as client:
            page = await client.get("/console/")
            page.raise_for_status()
        found = _QUERY.search(page.text)
        if found is None:
            raise RuntimeError("the page has no socket")
        query: dict[str, Any] = ast.literal_eval(found[1])  # NiceGUI writes it as Python does
        self._client_id, self._next_message = query["client_id"], query["next_message_id"]
        query |= {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4()), "old_tab_id": "null"}
        asked = "&".join(f"{k}={json.dumps(v) if isinstance(v, bool) else v}" for k, v in query.items())
        await self._socket.connect(
            f"{self._url}?{asked}",
            socketio_path="/console/_nicegui_ws/socket.io",
            transports=["websocket"],
            headers={"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())},
        )

    def _browser(self) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(local_address=self._address)
        return httpx.AsyncClient(base_url=self._url, timeout=60, transport=transport, cookies=self._cookies)

    async def _message(self, event: str, *data: Any) -> None:
        if data and isinstance(data[0], dict) and "_id" in data[0]:
            self._next_message = data[0]["_id"] + 1
        self.updates += event == "update"

    async def acknowledge(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(ACK_EVERY_S)
            await self._socket.emit("ack", {"client_id": self._client_id, "next_message_id": self._next_message})

    async def close(self) -> None:
        await self._socket.disconnect()


def own_address(n: int) -> str:
    """An address of the loopback for the computer of counter `n`: sign-ins are limited by address."""
    return f"127.0.1.{n + 1}"


async def serve(url: str, clerks: dict[str, str]) -> None:
    """Obeys the lines `open` and `close` on standard input; says `open`, or `closed` and how often pages were drawn."""
    loop = asyncio.get_running_loop()
    consoles = [OpenConsole(url, login, password, own_address(n)) for n, (login, password) in enumerate(clerks.items())]
    for console in consoles:
        await console.sign_in()
    while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "open":
        for console in consoles:
            await console.open()
        acknowledging = [asyncio.create_task(console.acknowledge()) for console in consoles]
        print("open", flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        for task in acknowledging:
            task.cancel()
        await asyncio.gather(*acknowledging, return_exceptions=True)
        for console in consoles:
            await console.close()
        print(f"closed {sum(console.updates for console in consoles)}", flush=True)


def main() -> None:
    """Reads address and clerks as one JSON line from standard input, so that no password is in a command line."""
    given = json.loads(sys.stdin.readline())
    asyncio.run(serve(given["url"], given["clerks"]))


if __name__ == "__main__":
    main()
