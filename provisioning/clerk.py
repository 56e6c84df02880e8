"""A clerk over the counters' HTTP API: signs in, opens a counter, calls and serves."""

from types import TracebackType
from typing import Any, Self

import httpx


class ClerkRefused(Exception):
    """The hall refused an act: `code` is the refusal's name."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"{code} ({status})")
        self.code = code


class Clerk:
    """One signed-in person; an async context manager. `state` is the counter as the last answer told it.

    `host`: the hall's host name, where a server of several halls is asked by address.
    """

    def __init__(self, url: str, login: str, password: str, *, host: str | None = None) -> None:
        headers = {"Host": host} if host is not None else {}
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=10, headers=headers)
        self._login, self._password = login, password
        self.state: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        answer = await self._client.post("/sign-in", json={"login": self._login, "password": self._password})
        self._client.headers["Authorization"] = f"Bearer {_checked(answer)['token']}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def open(self, counter: str) -> dict[str, Any]:
        """Take a counter."""
        return self._keep(await self._client.post(f"/counters/{counter}/open"))

    async def look(self) -> dict[str, Any]:
        """The counter as it is now."""
        return self._keep(await self._client.get(f"/sessions/{self.state['session']}"))

    async def act(self, what: str) -> dict[str, Any]:
        """`next`, `recall`, `start`, `complete`, `no-show`, `finish-and-next`, on the counter as last seen."""
        session, seen = self.state["session"], self.state["version"]
        return self._keep(await self._client.post(f"/sessions/{session}/{what}", json={"seen": seen}))

    async def counters(self) -> list[dict[str, Any]]:
        """All counters of the hall."""
        found: list[dict[str, Any]] = _checked(await self._client.get("/counters"))
        return found

    async def help_requests(self) -> list[dict[str, Any]]:
        """Open requests for help at terminals."""
        found: list[dict[str, Any]] = _checked(await self._client.get("/help-requests"))
        return found

    def _keep(self, answer: httpx.Response) -> dict[str, Any]:
        self.state = _checked(answer)
        return self.state


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        try:
            code = str(answer.json()["code"])
        except (ValueError, KeyError):
            code = "no_reason_given"
        raise ClerkRefused(code, answer.status_code)
    return answer.json()
