"""From booking to number with the real programs: a channel books over HTTP, its client checks in at a terminal."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import PtyLine
from kiosk.journeys import intents
from kiosk.journeys.views import AppointmentCodeView, CardView, HomeView, RefusedView, TicketView, View
from kiosk.profile import load, load_secrets
from kiosk.terminal import Terminal
from provisioning.site import Panel, Site
from queue_server import config
from queue_server.hall import AppointmentRules, configuration_to_json
from queue_server.stores import Stores
from tests.queue_server.channels.conftest import PLAN
from tests.queue_server.web.rig import sample
from tests.wire.seats import until

ROOT = Path(__file__).parents[3]
SERVICE = "social-card"
HALL = replace(
    sample(),
    slot_plans=(replace(PLAN, weekdays=(1, 2, 3, 4, 5, 6, 7), begins="00:00", ends="23:59"),),
    appointments=AppointmentRules(early_minutes=24 * 60),
)


@dataclass
class Visit:
    """A hall with its server, one terminal, and a booking channel."""

    api: httpx.AsyncClient
    terminal: Terminal
    reader: IdCardReaderSimulator

    async def slots(self) -> list[dict[str, Any]]:
        """What can be booked, the first slot first."""
        days = (await self.api.get("/slots", params={"service": SERVICE, "days": 4})).json()
        return [slot for day in days for slot in day["slots"] if slot["left"]]

    async def book(self, document_number: str, slot: dict[str, Any]) -> dict[str, Any]:
        person = {"document_number": document_number}
        body = {"service": SERVICE, "starts_at": slot["starts_at"], "person": person}
        headers = {"Idempotency-Key": f"booking-{document_number}"}
        answer = await self.api.post("/appointments", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        booked: dict[str, Any] = answer.json()
        return booked

    async def shows(self, kind: type, **fields: object) -> Any:
        def shown(view: View) -> bool:
            return isinstance(view, kind) and all(getattr(view, name) == value for name, value in fields.items())

        await until(lambda: shown(self.terminal.view), patience_s=60)
        return self.terminal.view

    async def type(self, code: str) -> None:
        """From home, on the keypad."""
        self.terminal.send(intents.CheckIn())
        await self.shows(CardView, check_in=True)
        self.terminal.send(intents.TypeAppointmentCode())
        for key in code:
            self.terminal.send(intents.AppointmentKey(key))
        await self.shows(AppointmentCodeView, typed=code)
        self.terminal.send(intents.ConfirmAppointmentCode())


@asynccontextmanager
async def hall(directory: Path) -> AsyncIterator[Visit]:
    made = configuration_to_json(HALL).encode()
    site = Site(directory, devices=("k1",), hall_file=made, console=False, voice=False)
    reader = IdCardReaderSimulator(PtyLine(directory / "reader"))
    with site.broker:
        site.lay_out({})
        with Stores(config.read(site.server_file)) as stores:
            _, key = stores.books().keys.add("app", "city app", ["slots:read", "appointments:write"])
        address = f"serial:{directory / 'reader'}?baud=115200"
        devices = {"id_card_reader": {"driver": "sam-v", "address": address}}
        profile = load(site.write_profile("k1", devices, Panel(offscreen=True)))
        server = _start(site)
        try:
            await until(lambda: _is_up(site), patience_s=60)
            reader.start()
            terminal = Terminal(profile, load_secrets(profile))
            api = httpx.AsyncClient(
                base_url=f"{site.url}/api/v1/channels",
                headers={"Authorization": f"Bearer {key}"},
                timeout=30,
                trust_env=False,
            )
            async with api, _running(terminal):
                visit = Visit(api, terminal, reader)
                await visit.shows(HomeView, check_in=True, reader_ready=True)
                yield visit
        finally:
            reader.close()
            server.terminate()
            await asyncio.to_thread(server.wait, 20)


@asynccontextmanager
async def _running(terminal: Terminal) -> AsyncIterator[None]:
    serving = asyncio.create_task(terminal.run())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _start(site: Site) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "queue_server", "run", "--config", str(site.server_file)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT)


def _is_up(site: Site) -> bool:
    try:
        return httpx.get(f"{site.url}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def clock(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo(HALL.time_zone)):%H:%M}"


async def test_who_booked_checks_in_with_the_code_or_the_card_and_who_is_early_hears_when_to_come(
    tmp_path: Path,
) -> None:
    async with hall(tmp_path) as visit:
        slots = await visit.slots()
        card = SAMPLE_CARDS[0]
        by_code = await visit.book("110101199003070038", slots[1])
        by_card = await visit.book(card.number, slots[1])
        early = await visit.book("110101199003070054", slots[-1])

        await visit.type(by_code["code"])
        ticket: TicketView = await visit.shows(TicketView)
        assert (ticket.number[0].isalpha(), ticket.booked_for) == (True, clock(slots[1]["starts_at"]))
        visit.terminal.send(intents.Finish())

        await visit.shows(HomeView)
        await visit.type(by_code["code"])
        again: RefusedView = await visit.shows(RefusedView)
        assert (again.code, again.params, again.may_take_number) == (
            "appointment_not_open", {"state": "checked_in"}, False,
        )  # fmt: skip
        visit.terminal.send(intents.Home())

        await visit.shows(HomeView)
        await visit.type(early["code"])
        refused: RefusedView = await visit.shows(RefusedView, code="check_in_too_early")
        assert refused.params["starts_at"] == clock(slots[-1]["starts_at"])
        assert not refused.may_retry
        visit.terminal.send(intents.Home())

        await visit.shows(HomeView)
        visit.terminal.send(intents.CheckIn())
        await visit.shows(CardView, check_in=True)
        visit.reader.lay(card)
        second: TicketView = await visit.shows(TicketView)
        assert (second.booked_for, second.number != ticket.number) == (clock(by_card["starts_at"]), True)
        assert second.masked_name == f"{card.name[0]}*"
