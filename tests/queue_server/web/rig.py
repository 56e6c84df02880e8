"""A whole hall in this process: real ledger, real thread, real registers; only terminals and the broker are missing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from queue_server.alerts import AlertBook
from queue_server.channels.api import ChannelDoor
from queue_server.channels.keys import ApiKeys
from queue_server.channels.service import ChannelService
from queue_server.clock import utc_now
from queue_server.devices import DeviceBook
from queue_server.hall import (
    Actor,
    AskForHelp,
    Configure,
    HallConfiguration,
    Issue,
    TicketIssued,
    configuration_from_json,
)
from queue_server.hall_port import Done
from queue_server.hall_settings import HallSettings
from queue_server.hall_thread import HallThread
from queue_server.ids import new_id, new_token
from queue_server.ledger import SqliteDatabase, SqlLedger
from queue_server.ledger.channels import ChannelRegisters
from queue_server.ledger.registers import Registers
from queue_server.staff import Staff, StaffRegister

HALL = "shili"
HALL_KEY = bytes(range(32))
PASSWORD = "correct horse battery"
SYSTEM = Actor("system", "rig")
KIOSK = Actor("device", "kiosk-1")


def sample() -> HallConfiguration:
    text = resources.files("assets").joinpath("halls", "sample.json").read_bytes()
    return configuration_from_json(text)


@dataclass(frozen=True)
class Taken:
    """A ticket as its holder got it."""

    ticket: str
    number: str
    token: str


class Rig:
    """Opens its parts over `path`; the same path again is the same hall after a restart."""

    def __init__(
        self,
        path: Path,
        *,
        public_url: str = "http://hall.test",
        now: Callable[[], datetime] = utc_now,
        configuration: HallConfiguration | None = None,
    ) -> None:
        self._database = SqliteDatabase(path / "hall.sqlite")
        registers = self.registers = Registers(self._database)
        self.alerts = AlertBook(HALL, registers, now=now)
        self.devices = DeviceBook(HALL, registers, self.alerts, now=now)
        # the cheapest hash there is: what is tested here is not argon2
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.staff = StaffRegister(HALL, registers, self.alerts, now=now, hasher=hasher)
        self.channels = ChannelRegisters(self._database)
        self.keys = ApiKeys(HALL, self.channels, registers, now=now)
        settings = HallSettings(hall=HALL, server="s1", public_url=public_url, data=path, projection_every=0.02)
        self.port = HallThread(settings, SqlLedger(self._database), self.alerts, self.devices, now=now)
        self.door = ChannelDoor(ChannelService(self.port, hall_key=HALL_KEY, public_url=public_url), self.keys)
        self._configuration = configuration or sample()
        self._ids = count()

    async def open(self) -> None:
        """Start the hall and put its configuration in force."""
        self.port.start()
        await self.until(lambda: self.port.projection().leading)
        await self.port.execute(Configure(by=SYSTEM, configuration=self._configuration))
        await self.until(lambda: bool(self.port.boards()))

    def close(self) -> None:
        self.port.stop()
        self._database.close()

    async def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():  # noqa: ASYNC110 - the hall changes on its own thread
                await asyncio.sleep(0.01)

    def person(self, login: str, name: str, *roles: Any) -> Staff:
        """An account, made once; its password is `PASSWORD`."""
        known = next((staff for staff in self.staff.all() if staff.login == login), None)
        return known or self.staff.add(login, name, PASSWORD, roles or ("clerk",))

    async def issue(self, service: str, priority_class: str = "ordinary") -> Taken:
        """Take a number; it is in the projection when this returns."""
        ticket, token = new_id(), new_token()
        done = await self.port.execute(
            Issue(
                by=KIOSK,
                visit=new_id(),
                ticket=ticket,
                step=new_id(),
                service=service,
                follow_token=token,
                priority_class=priority_class,
                device=KIOSK.id,
            )
        )
        assert isinstance(done, Done), done
        issued = done.events[-1]
        assert isinstance(issued, TicketIssued)
        await self.until(lambda: any(w.ticket == ticket for q in self.port.projection().queues for w in q.waiting))
        return Taken(ticket, issued.number, token)

    async def ask_for_help(self, screen: str = "catalogue") -> str:
        """A citizen at the terminal asks for staff."""
        help_id = new_id()
        done = await self.port.execute(AskForHelp(by=KIOSK, help=help_id, device=KIOSK.id, screen=screen))
        assert isinstance(done, Done), done
        await self.until(lambda: bool(self.port.projection().helps))
        return help_id


def quick_recalls() -> HallConfiguration:
    """The sample hall, where a ticket may be recalled at once."""
    configuration = sample()
    return replace(configuration, rules=replace(configuration.rules, recall_interval_s=0))
