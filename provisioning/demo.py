"""`./dev demo`: a whole hall on this machine, one guided visit, then everything stays up until Ctrl-C."""

import asyncio
import contextlib
import fcntl
import json
import logging
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from provisioning.broker import BrokerDidNotStart, BrokerMissing
from provisioning.browser import CHROMIUM, browser
from provisioning.clerk import ClerkRefused
from provisioning.demo_hall import DemoHall
from provisioning.guide_client import GuideRefused
from provisioning.guided_visit import COUNTER, Evidence, GuidedVisit
from provisioning.life import DEVICE, Life, life_staff
from provisioning.processes import ProgramEnded
from provisioning.site import SAMPLE_HALL

VAR = Path(__file__).parent.parent / "var"
FAULTS = (
    BrokerDidNotStart,
    BrokerMissing,
    ClerkRefused,
    GuideRefused,
    ProgramEnded,
    TimeoutError,
)

console = Console(highlight=False, soft_wrap=True)


class AlreadyRuns(Exception):
    """Another demonstration uses the same directory."""


def main(
    once: Annotated[bool, typer.Option("--once", help="End after the visit; the last line is a JSON object.")] = False,
    life: Annotated[
        int, typer.Option("--life", min=0, max=20_000, help="Add so many simulated citizens an hour, and clerks.")
    ] = 0,
    directory: Annotated[Path, typer.Option(help="Where its files go; emptied first.")] = VAR / "demo",
) -> None:
    """Run a hall with a terminal, simulated devices, display and consoles, and walk one visit through it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not CHROMIUM.exists():
        console.print(f"[red]{CHROMIUM} is missing: ./dev install")
        raise typer.Exit(2)
    try:
        with only_one(directory):
            raise typer.Exit(asyncio.run(demonstrate(directory, once, life)))
    except AlreadyRuns:
        console.print("[red]A demonstration already runs from this checkout; end it first (Ctrl-C in its terminal).")
        raise typer.Exit(2) from None


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Empty `directory`, which no other demonstration may use meanwhile. Raises `AlreadyRuns`."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRuns from None
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700)
        yield


async def demonstrate(directory: Path, once: bool, per_hour: int) -> int:
    """The exit status. Everything that was started has ended when it returns."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    work = asyncio.create_task(_hall_day(directory, once, per_hour, stop))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not work.done():
        console.print("\nending…")
        work.cancel()
    try:
        evidence = await work
    except asyncio.CancelledError:
        console.print("everything has ended")
        return 130 if once else 0
    except FAULTS as error:
        console.print(f"[red]the demonstration failed: {type(error).__name__}: {error}", markup=True)
        console.print(f"logs: {directory / 'logs'}")
        return 1
    console.print("everything has ended")
    sys.stdout.write(evidence.as_json() + "\n")
    return 0


async def _hall_day(directory: Path, once: bool, per_hour: int, stop: asyncio.Event) -> Evidence:
    counters = json.loads((files("assets") / SAMPLE_HALL).read_bytes())["counters"]
    began = time.monotonic()

    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:6.1f} s[/dim]  {sentence}")

    say("starting broker, queue server, terminal and simulated devices")
    hall = DemoHall(
        directory,
        extra_devices=(DEVICE,) if per_hour else (),
        extra_staff=life_staff(counters) if per_hour else None,
    )
    async with hall:
        async with browser() as chromium:
            say(f"up: MQTT on 127.0.0.1:{hall.site.broker.port} (an account for each program), web on {hall.site.url}")
            _print_addresses(hall)
            visit = GuidedVisit(hall, chromium, directory / "evidence", say)
            evidence = await visit.walk()
        if once:
            return evidence
        console.print("\nThe hall stays open. Sign in at the console, watch the display. Ctrl-C ends everything.\n")
        if per_hour:
            say(f"{per_hour} simulated citizens an hour arrive from now on")
            await Life(hall.site, per_hour, frozenset({COUNTER}), random.Random()).run()  # noqa: S311 - a demonstration
        await stop.wait()
        return evidence


def _print_addresses(hall: DemoHall) -> None:
    url = hall.site.url
    console.print(f"         displays   {url}/display/east?speaker=1   {url}/display/west?speaker=1")
    console.print(f"         console    {url}/console")
    console.print("         one-time passwords of this run (they are kept nowhere):")
    for login, password in hall.site.staff_passwords.items():
        if not login.startswith("life-"):
            console.print(f"           {login:10} {password}", markup=False)


if __name__ == "__main__":
    typer.run(main)
