"""Whole terminals for the fault tests: everything but screen and devices, at a real broker."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from kiosk.journeys import intents
from kiosk.journeys.state import Rules
from kiosk.journeys.views import CardView, HomeView, Network, OutOfServiceView, SlipState, TicketView, View
from kiosk.profile import Profile, Times, load, load_secrets
from kiosk.terminal import Terminal
from provisioning.site import Panel, Site
from queue_server import bundle
from queue_server.hall import HallConfiguration
from tests.wire.seats import until
from wire.link import LinkSettings, MqttLink, OnConnected, OnLost, OnMessage

PATIENCE_S = 90.0
SERVICE = "id-card"
"""A service of the sample hall that asks for no card."""


def lay_out_terminal(site: Site, device: str, configuration: HallConfiguration) -> Path:
    """The files of a terminal without devices that has its hall's bundle; its directory."""
    home = site.write_profile(device, {}, Panel(offscreen=True)).parent
    (home / "state" / "bundle.json").write_bytes(bundle.build(site.hall, configuration).body)
    return home


def pending(home: Path, *kinds: str) -> int:
    """How many entries of a terminal's journal (of these kinds alone, if any are given) wait for the hall's answer."""
    with closing(sqlite3.connect(f"file:{home / 'state' / 'journal.sqlite3'}?mode=ro", uri=True)) as journal:
        found = [kind for (kind,) in journal.execute("SELECT kind FROM entries WHERE state = 'pending'")]
    return sum(not kinds or kind in kinds for kind in found)


def copy_disk(home: Path, to: Path) -> Path:
    """What cloning a disk comes to; the terminal must not run."""
    shutil.copytree(home, to)
    return to


def soon_back(settings: LinkSettings, on_message: OnMessage, on_connected: OnConnected, on_lost: OnLost) -> MqttLink:
    """A link that does not spread its return over half a minute, as those of a city's terminals must."""
    return MqttLink(replace(settings, backoff_cap_s=1.0), on_message, on_connected, on_lost)


class Hurried(Times):
    """The times of a terminal that waits half a second, not five, before it says that the hall is away."""

    def rules(self) -> Rules:
        return replace(super().rules(), hall_grace_s=0.5)


class Trusting(Times):
    """The times of a terminal that does not take a slow machine for a hall that is away."""

    def rules(self) -> Rules:
        return replace(super().rules(), hall_grace_s=60)


def timed(profile: Profile, times: Times) -> Profile:
    """The profile with other times."""
    return profile.model_copy(update={"times": times})


class RunningTerminal:
    """A terminal's program in this process; leaving it is switching it off."""

    def __init__(self, home: Path, times: Times | None = None) -> None:
        self._home = home
        self._times = times or Hurried()
        self._terminal: Terminal | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "RunningTerminal":
        profile = timed(load(self._home / "profile.toml"), self._times)
        self._terminal = Terminal(profile, load_secrets(profile), make_link=soon_back)
        self._task = asyncio.create_task(self._terminal.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def view(self) -> View:
        assert self._terminal is not None
        return self._terminal.view

    async def shows(self, condition: Callable[[View], bool]) -> None:
        await until(lambda: condition(self.view), patience_s=PATIENCE_S)

    async def serves(self, network: Network) -> None:
        """At the start, with the hall (`CONNECTED`) or without (`OFFLINE`)."""
        await self.shows(lambda view: isinstance(view, HomeView) and view.frame.network is network)

    async def stands_still(self, code: str) -> None:
        await self.shows(lambda view: isinstance(view, OutOfServiceView) and view.code == code)

    async def takes(self) -> TicketView:
        """A person takes a number without a card and leaves."""
        assert self._terminal is not None
        self._terminal.send(intents.ChooseService(SERVICE))
        await self.shows(lambda view: isinstance(view, CardView))
        self._terminal.send(intents.GoOnWithoutCard())
        await self.shows(lambda view: isinstance(view, TicketView) and view.slip is not SlipState.PRINTING)
        ticket = self.view
        assert isinstance(ticket, TicketView)
        self._terminal.send(intents.Finish())
        await self.shows(lambda view: not isinstance(view, TicketView))
        return ticket
