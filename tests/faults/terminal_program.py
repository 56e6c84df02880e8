"""A whole terminal as a process of its own, at which people take numbers without pause: `python … PROFILE`.

Each number that a person sees is a line of JSON on standard output, `{"number", "offline"}`, flushed before the person
leaves: what the public holds. SIGUSR1: nobody comes any more, but the terminal stays on; the line `{"empty": true}`
says that the last person has left.
"""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

import structlog

from kiosk.journeys import intents
from kiosk.journeys.views import CardView, HomeView, RefusedView, SlipState, TicketView, View
from kiosk.profile import load, load_secrets
from kiosk.terminal import Terminal
from tests.faults.terminals import Hurried, soon_back, timed

PAUSE_S = 0.3
"""Between two people."""
SERVICE = "id-card"
"""A service of the sample hall that asks for no card."""


class People:
    """One after another, for as long as the doors are open."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._changed = asyncio.Event()
        self._holds: str | None = None
        self._empty = False
        self._doors_open = True
        terminal.on_view(lambda _view: self._changed.set())

    def close_doors(self) -> None:
        """Nobody comes any more; who is inside is served."""
        self._doors_open = False
        self._changed.set()

    async def come(self) -> None:
        """Until cancelled: whoever stands there touches what leads on."""
        while True:
            self._changed.clear()
            if isinstance(self._terminal.view, HomeView):
                await asyncio.sleep(PAUSE_S)
            self._touch(self._terminal.view)
            await self._changed.wait()

    def _touch(self, view: View) -> None:
        match view:
            case HomeView() if self._doors_open:
                self._holds = None
                self._terminal.send(intents.ChooseService(SERVICE))
            case HomeView() if not self._empty:
                self._empty = True
                _say({"empty": True})
            case CardView():
                self._terminal.send(intents.GoOnWithoutCard())
            case TicketView() if view.slip is not SlipState.PRINTING:
                if view.number != self._holds:
                    self._holds = view.number
                    _say({"number": view.number, "offline": view.offline})
                self._terminal.send(intents.Finish())
            case RefusedView():
                self._terminal.send(intents.Finish())


def _say(line: dict[str, str | bool]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(profile_file: Path) -> None:
    profile = timed(load(profile_file), Hurried())
    terminal = Terminal(profile, load_secrets(profile), make_link=soon_back)
    people = People(terminal)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, people.close_doors)
    async with asyncio.TaskGroup() as parts:
        parts.create_task(terminal.run())
        parts.create_task(people.come())


if __name__ == "__main__":
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    asyncio.run(run(Path(sys.argv[1])))
