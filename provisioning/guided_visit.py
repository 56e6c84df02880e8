"""One visit from card to call, through real parts, told step by step with evidence."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from hardware.simulators.id_cards import SAMPLE_CARDS
from provisioning.browser import DisplayPage, open_display, picture_of
from provisioning.clerk import Clerk
from provisioning.demo_hall import DemoHall

CLERK = "limin"
COUNTER = "counter-2"
SERVICE = "pension-claim"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Evidence:
    """What a visit left behind; paths are absolute."""

    ticket: str
    counter: str
    slip_png: str
    screens: list[str]
    display_png: str
    voice_wav: str
    issue_ms: float
    call_to_display_ms: float

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), ensure_ascii=False)


class GuidedVisit:
    """Walks the visit in `hall`; everything it makes goes into `folder`."""

    def __init__(self, hall: DemoHall, chromium: Any, folder: Path, say: Say) -> None:
        self._hall, self._chromium, self._folder, self._say = hall, chromium, folder, say
        self._screens: list[Path] = []
        self._configuration = json.loads((hall.site.server_file.parent / "hall.json").read_bytes())

    async def walk(self) -> Evidence:
        """Card, service, ticket, slip, call, display, voice."""
        site = self._hall.site
        async with Clerk(site.url, CLERK, site.staff_passwords[CLERK]) as clerk:
            await clerk.open(COUNTER)
            self._say(f"{CLERK} signs in over HTTP and opens {self._counter()['name']['zh']}")
            ticket = await self._take_a_number()
            issue_ms = self._issue_ms()
            self._say(f"answer in the terminal's hands {issue_ms} ms after its publish; the ledger has it")
            slip = await self._slip(ticket)
            zone = self._counter()["zone"]
            display = await open_display(self._chromium, f"{site.url}/display/{zone}?speaker=1")
            await picture_of(self._chromium, ticket["follow_url"], self._folder / "phone.png")
            self._say(f"the QR code's page on a phone: {self._folder / 'phone.png'}")
            call_to_display_ms = await self._call(clerk, display, ticket["number"])
            picture = await display.picture(self._folder / "display.png")
            self._say(f"the display shows it after {call_to_display_ms} ms: {picture}")
            voice = await self._voice(display)
            await self._serve_and_leave(clerk)
        return Evidence(
            ticket=ticket["number"],
            counter=self._counter()["number"],
            slip_png=str(slip),
            screens=[str(path) for path in self._screens],
            display_png=str(picture),
            voice_wav=str(voice),
            issue_ms=issue_ms,
            call_to_display_ms=call_to_display_ms,
        )

    async def _take_a_number(self) -> dict[str, Any]:
        guide, reader = self._hall.guide, self._hall.reader
        await guide.wait("HomeView", reader_ready=True, within_s=60)
        await self._picture("home")
        reader.lay(SAMPLE_CARDS[0])
        self._say("a (fictitious) ID card is laid on the reader")
        catalogue = await guide.wait("CatalogueView")
        service = next(s for s in self._configuration["services"] if s["id"] == SERVICE)
        if not any(shown["id"] == SERVICE for shown in catalogue["services"]):
            group = next(g for g in catalogue["groups"] if g["id"] == service["group"])
            await guide.tap(group["name"])
            await guide.wait("CatalogueView", group=service["group"])
        await self._picture("catalogue")
        self._say(f"read: {catalogue['greeting']}; a touch chooses {service['name']['zh']}")
        await guide.tap(service["name"]["zh"])
        ticket = await guide.wait("TicketView", slip="printed")
        await self._picture("ticket")
        self._say(f"number {ticket['number']}, {ticket['people_ahead']} ahead, wait {_range(ticket['wait'])}")
        return ticket

    async def _slip(self, ticket: dict[str, Any]) -> Path:
        printed = self._hall.printer.slips[-1]
        slip = Path(shutil.copy(printed.path, self._folder / "slip.png"))
        self._say(f"the slip of {ticket['number']}, {printed.height_mm:.0f} mm of paper: {slip}")
        return slip

    async def _call(self, clerk: Clerk, display: DisplayPage, number: str) -> float:
        """The clerk calls whom the rule chooses until it is our number; milliseconds from that call to the display."""
        await display.watch_for(number)
        while True:
            began = time.time()
            called = (await clerk.act("next"))["current"]
            self._say(f"{CLERK} calls the next over HTTP: {called['number']}")
            if called["number"] == number:
                return round((await display.shown_at() - began) * 1000, 1)
            await clerk.act("start")
            await clerk.act("complete")

    async def _voice(self, display: DisplayPage) -> Path:
        await display.heard()
        async with httpx.AsyncClient() as client:
            sound = await client.get(display.audio[-1])
            sound.raise_for_status()
        path = self._folder / "voice.wav"
        path.write_bytes(sound.content)
        self._say(f"and speaks: {path}")
        return path

    async def _serve_and_leave(self, clerk: Clerk) -> None:
        self._hall.reader.lift()
        await self._hall.guide.tap("完成")
        await self._hall.guide.wait("HomeView")
        await self._picture("home-again")
        self._say("the card is taken; the terminal has forgotten the person and is back at its first screen")
        await clerk.act("start")
        await clerk.act("complete")
        self._say("served and completed at the counter")

    async def _picture(self, name: str) -> None:
        path = self._folder / f"terminal-{len(self._screens) + 1}-{name}.png"
        self._screens.append(await self._hall.guide.picture(path))
        self._say(f"the terminal's screen: {path}")

    def _counter(self) -> dict[str, Any]:
        found: dict[str, Any] = next(c for c in self._configuration["counters"] if c["id"] == COUNTER)
        return found

    def _issue_ms(self) -> float:
        """From the terminal's own log: publish of the request to the answer in its hands."""
        lines = self._hall.terminal.log.read_text(errors="replace").splitlines()
        events = (json.loads(line) for line in lines if line.startswith("{"))
        took = [event["took_ms"] for event in events if event["event"] == "answered" and event["kind"] == "issue"]
        return float(took[-1])


def _range(wait: dict[str, Any] | None) -> str:
    return "not known yet" if wait is None else f"about {wait['low']}–{wait['high']} min"
