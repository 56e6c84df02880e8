"""A real browser, a real server process, and where their screenshots are kept."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.queue_server.web.rig import PASSWORD

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "var" / "artefacts" / "browser"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Servers:
    """Starts servers: `tests.browser.program` forks one for each line it reads."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.program"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, directory: Path, port: int) -> int:
        """The process id of a new server."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        print(directory, port, file=self._program.stdin, flush=True)
        return int(self._program.stdout.readline())

    def close(self) -> None:
        assert self._program.stdin is not None
        self._program.stdin.close()
        self._program.wait(10)


class Hall:
    """A server; stopped and started again it is the same hall."""

    def __init__(self, servers: Servers, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._servers = servers
        self._directory = directory
        self._process: int | None = None

    def start(self) -> None:
        self._process = self._servers.start(self._directory, self.port)
        self.until(lambda: self._get("/health")["status"] == "ok")

    def kill(self) -> None:
        """As a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: int) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            os.kill(process, how)
            self.until(lambda: not _lives(process))

    def issue(self, service: str, priority_class: str = "ordinary") -> dict[str, str]:
        taken: dict[str, str] = self.order(f"/orders/issue/{service}?priority_class={priority_class}")
        return taken

    def order(self, path: str, body: Any = None, token: str = "") -> Any:
        data = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.url + path, data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None

    def alerts(self) -> list[str]:
        found: list[str] = self._get("/orders/alerts")
        return found

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return json.load(answer)

    def until(self, holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Wait for a condition; a server that is not up yet does not fulfil it."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("the condition did not come true")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def until_true(page: Page, expression: str, timeout_s: float = 20.0) -> None:
    """Wait until a JavaScript expression is true; the pages' own policy forbids what Playwright has for that."""
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


class Clerk:
    """A clerk who works through the HTTP API."""

    def __init__(self, hall: Hall, login: str, counter: str) -> None:
        self._hall = hall
        self._token = hall.order("/api/v1/sign-in", {"login": login, "password": PASSWORD})["token"]
        self.state: dict[str, Any] = hall.order(f"/api/v1/counters/{counter}/open", {}, self._token)

    def act(self, name: str) -> dict[str, Any]:
        """`next`, `recall`, `start`, `complete`, `no-show`; answers the counter's state."""
        path = f"/api/v1/sessions/{self.state['session']}/{name}"
        self.state = self._hall.order(path, {"seen": self.state["version"]}, self._token)
        return self.state


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.close()


@pytest.fixture
def hall(servers: Servers, tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(servers, tmp_path)
    hall.start()
    yield hall
    hall.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Ended with each module: while it runs, the thread has an event loop, and no asynchronous test could have one."""
    with sync_playwright() as playwright:
        yield playwright


def _browser(playwright: Playwright, *more: str) -> Browser:
    return playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*_ARGUMENTS, *more])


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """As visitors have it: sound needs a click."""
    browser = _browser(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def television(playwright: Playwright) -> Iterator[Browser]:
    """As a hall's television is set up: sound plays by itself."""
    browser = _browser(playwright, "--autoplay-policy=no-user-gesture-required")
    yield browser
    browser.close()


@pytest.fixture
def open_page() -> Iterator[Callable[..., Page]]:
    """Opens pages in contexts of their own; a script error or a request to another machine fails the test. With `clock`
    a page's time can be set forward."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(
        browser: Browser, url: str, width: int = 1366, height: int = 768, script: str = "", *, clock: bool = False
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        contexts.append(context)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        if clock:
            page.clock.install()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: None if _ours(request.url) else faults.append(request.url))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "about:"))


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Keeps a screenshot among the artefacts."""

    def keep(page: Page, name: str) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{name}.png")

    return keep


def sign_in(page: Page, login: str) -> None:
    """Fill in the consoles' form."""
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
