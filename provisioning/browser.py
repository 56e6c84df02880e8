"""Headless Chromium before the hall's pages: what a display shows, when it showed it, and pictures of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
TELEVISION = (1920, 1080)
PHONE = (390, 844)

_WATCH = """number => {
    window.whenShown = new Promise(resolve => {
        const hero = document.getElementById("hero-number");
        const look = () => { if (hero.textContent.trim() === number) resolve(Date.now()); };
        new MutationObserver(look).observe(hero, {childList: true, characterData: true, subtree: true});
        look();
    });
}"""


class DisplayPage:
    """A call display in a browser."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.audio: list[str] = []
        """Addresses of the announcements that it fetched, oldest first."""
        page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if "/audio/" in request.url:
            self.audio.append(request.url)

    async def watch_for(self, number: str) -> None:
        """Note the moment at which the large call shows `number`."""
        await self._page.evaluate(_WATCH, number)

    async def shown_at(self) -> float:
        """That moment in seconds since 1970, on the clock that `time.time` reads."""
        return float(await self._page.evaluate("window.whenShown")) / 1000

    async def heard(self) -> None:
        """Wait until it has fetched an announcement."""
        if not self.audio:
            await self._page.wait_for_event("request", lambda request: "/audio/" in request.url, timeout=10_000)

    async def picture(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        await self._page.screenshot(path=str(path))
        return path


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    """A Chromium of our own, without a window."""
    # a queue server or terminal is installed without a browser's driver
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield chromium
        finally:
            await chromium.close()


async def open_display(chromium: Any, address: str) -> DisplayPage:
    """The display at `address`, as a television of 1920 × 1080 shows it; waits for its first board."""
    page = await chromium.new_page(viewport={"width": TELEVISION[0], "height": TELEVISION[1]})
    display = DisplayPage(page)
    await page.goto(address)
    await page.wait_for_selector("html[data-state=live]", timeout=15_000)
    return display


async def picture_of(chromium: Any, address: str, path: Path, size: tuple[int, int] = PHONE) -> Path:
    """A page as it stands half a second after it was loaded."""
    page = await chromium.new_page(viewport={"width": size[0], "height": size[1]})
    await page.goto(address)
    await page.wait_for_load_state("load")
    await page.screenshot(path=str(path), full_page=True)
    await page.close()
    return path
