"""Command line of the device layer, for technicians and developers: `python -m hardware list|test|watch|simulate`."""

import json
import logging
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hardware.cabinet import Cabinet
from hardware.drivers import asset
from hardware.errors import BadAddress
from hardware.profile import BadProfile, Binding, load, terminal_name
from hardware.roles import Role
from hardware.self_test import Progress
from hardware.simulators.catalogue import make_simulator, simulated_drivers
from hardware.simulators.desk import SimulatorDesk
from hardware.simulators.hands import Hands
from hardware.simulators.simulator import Place, Simulator
from hardware.technician.listing import Place as FoundPlace
from hardware.technician.listing import ask, places
from hardware.technician.record import CabinetRecord
from hardware.technician.report_pdf import write_pdf
from hardware.technician.screen import SelfTestScreen
from hardware.technician.self_tests import run_self_tests
from hardware.technician.simulated import everything_simulated, simulators_for
from hardware.technician.watching import WatchScreen
from hardware.technician.words import HEALTHS, VERDICTS, advice
from hardware.ticket_printer.printer import TicketPrinter

BAD_PROFILE: Final = 3
"""Exit status where a profile cannot be used; 0, 1 and 2 are verdicts, 64 is a wrong command line."""
# A wrong command line ends with 2 otherwise, and 2 means "unknown" here. BadParameter is the one usage error in sight.
setattr(typer.BadParameter.__base__, "exit_code", 64)  # noqa: B010 - the base is not named in public

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Devices of the terminal.")
console = Console()
errors = Console(stderr=True)

ProfileOption = Annotated[Path | None, typer.Option("--profile", help="The terminal's profile (TOML)")]
SimulatedOption = Annotated[bool, typer.Option("--simulated", help="Simulated devices in the place of the real ones")]


@app.callback()
def _root() -> None:
    """Devices of the terminal."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@app.command("list")
def list_devices(
    probe: Annotated[bool, typer.Option(help="Ask what answers there; a running terminal keeps its own")] = True,
    within: Annotated[float, typer.Option(help="Seconds for each question", min=0.1, max=60)] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """What is found on this machine: addresses for a profile, and the device that answers there."""
    found = tuple(ask(place, within) if probe else place for place in places())
    if as_json:
        typer.echo(json.dumps([_place_as_json(place) for place in found], ensure_ascii=False, indent=2))
        return
    if not found:
        console.print("没有找到设备 No device was found: no serial port, card reader, camera, USB printer or keyboard.")
        return
    table = Table("地址 Address", "位置 Where", "驱动 Driver", "应答 Answer")
    for place in found:
        hit = place.answered
        drivers = hit.driver if hit else ", ".join(candidate.driver for candidate in place.candidates)
        table.add_row(
            Text(str(hit.address if hit else place.address), overflow="fold"),
            place.description,
            drivers,
            _answer(place),
        )
    console.print(table)


@app.command("test")
def self_test(
    profile: ProfileOption = None,
    simulated: SimulatedOption = False,
    within: Annotated[float, typer.Option(help="Seconds for each device's test", min=1, max=600)] = 60.0,
    report: Annotated[Path, typer.Option(help="Folder for the reports (JSON and PDF)")] = Path("device-test"),
) -> None:
    """Run every device's own test. Exit status: 0 all passed, 1 something failed, 2 something is unknown."""
    with _opened(profile, simulated) as (terminal, bindings, simulators):
        screen = SelfTestScreen(console, bindings)
        hands = {role: Hands(simulator) for role, simulator in simulators.items()}

        def said(role: Role, progress: Progress | None) -> None:
            screen.said(role, progress)
            if role in hands:
                hands[role].said(progress)

        with _cabinet(bindings, lambda _: None) as cabinet, screen:
            records = run_self_tests(cabinet, within_s=within, on_progress=said)
            for each in hands.values():
                each.rest()
    record = CabinetRecord(datetime.now().astimezone(), terminal, platform.node(), simulated, records)
    report.mkdir(parents=True, exist_ok=True)
    stem = f"device-test-{record.made_at:%Y%m%d-%H%M%S}"
    json_file, pdf_file = report / f"{stem}.json", report / f"{stem}.pdf"
    json_file.write_text(json.dumps(record.as_json(), ensure_ascii=False, indent=2) + "\n", "utf-8")
    write_pdf(record, pdf_file)
    console.print(f"结论 Verdict: {VERDICTS[record.verdict]}")
    console.print(f"报告 Report: {pdf_file}  {json_file}", soft_wrap=True)
    raise typer.Exit(record.exit_code)


@app.command("printer-model")
def printer_model(
    address: Annotated[str, typer.Argument(help="Such as tcp:192.0.2.7:9100 or usb:04b8:0e15")],
    within: Annotated[float, typer.Option(help="Seconds", min=1, max=60)] = 10.0,
) -> None:
    """Ask a ticket printer for its model and the proofs of printing that it knows; prints the lines for the profile.

    A printer that does not know a question may print some of its letters. Exit status 1 when it does not answer."""
    try:
        printer = TicketPrinter(address, asset("fonts/NotoSansSC-Regular.otf"))
    except BadAddress as error:
        raise typer.BadParameter(str(error)) from None
    try:
        probed = printer.identify(time.monotonic() + within).result()
    finally:
        printer.close()
    if probed is None:
        errors.print("打印机无应答或不可用 The printer does not answer, or cannot work now.")
        raise typer.Exit(1)
    said = probed.identity
    known = "" if probed.known else "  # not in the table of models: check width and font on the slip of its test"
    console.print(f"# {said.maker} {said.model} {said.firmware}".rstrip(), soft_wrap=True, highlight=False)
    lines = ["[devices.ticket_printer]", 'driver = "escpos"', f'address = "{address}"']
    for line in (*lines, f'model = "{probed.profile.name}"{known}', f'fence = "{probed.profile.fence}"'):
        console.print(line, markup=False, soft_wrap=True, highlight=False)


@app.command()
def watch(
    profile: ProfileOption = None,
    simulated: SimulatedOption = False,
    seconds: Annotated[float | None, typer.Option(help="End after so long; else with Ctrl-C", min=0)] = None,
) -> None:
    """States and events of a profile's devices, live."""
    with _opened(profile, simulated) as (_, bindings, _):
        screen = WatchScreen(console, lambda: datetime.now().astimezone())
        with _cabinet(bindings, screen.said) as cabinet, screen:
            screen.show(cabinet)
            _wait_for_end(seconds)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Where the devices' links and files are made")],
    devices: Annotated[
        list[str] | None, typer.Option("--device", help="Driver id of a device, or NAME=ID; may be repeated")
    ] = None,
    baud: Annotated[int, typer.Option(help="Rate at which serial lines are paced")] = 115200,
) -> None:
    """Keep simulated devices up, and take commands on standard input (try `help`). All there are, unless named."""
    desk = SimulatorDesk(typer.echo)
    try:
        for name, driver_id in _named(devices or list(simulated_drivers())):
            home = folder / name
            home.mkdir(parents=True, exist_ok=True)
            desk.add(name, make_simulator(driver_id, Place(home, baud)))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for text in sys.stdin:
            if not desk.obey(text):
                return
        signal.pause()  # standard input has ended: stay up until told to end
    except KeyboardInterrupt:
        pass
    finally:
        desk.close()


def _named(devices: list[str]) -> Iterator[tuple[str, str]]:
    for text in devices:
        name, _, driver_id = text.rpartition("=")
        if driver_id not in simulated_drivers():
            raise typer.BadParameter(f"{driver_id!r} is none of {', '.join(simulated_drivers())}")
        yield name or driver_id, driver_id


@contextmanager
def _opened(profile: Path | None, simulated: bool) -> Iterator[tuple[str, tuple[Binding, ...], dict[Role, Simulator]]]:
    """The terminal's name, its devices, and the simulators in their place if so wished."""
    with ExitStack() as stack:
        if profile is None and not simulated:
            raise typer.BadParameter("give --profile FILE, or --simulated")
        terminal = "simulated" if profile is None else _checked(terminal_name, profile)
        bindings = everything_simulated() if profile is None else _checked(load, profile)
        if not bindings:
            errors.print(f"{profile}: no [devices]", markup=False, soft_wrap=True)
            raise typer.Exit(BAD_PROFILE)
        if not simulated:
            yield terminal, bindings, {}
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="devices-")))
        made = stack.enter_context(simulators_for(bindings, folder))
        yield terminal, tuple(each for _, each in made.values()), {role: each for role, (each, _) in made.items()}


@contextmanager
def _cabinet(bindings: tuple[Binding, ...], on_event: Any) -> Iterator[Cabinet]:
    cabinet = _checked(Cabinet, bindings, on_event)
    try:
        yield cabinet
    finally:
        cabinet.close()


def _checked(make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except BadProfile as error:
        errors.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(BAD_PROFILE) from None


def _wait_for_end(seconds: float | None) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if seconds is None:
            signal.pause()
        else:
            signal.sigtimedwait([], seconds)
    except KeyboardInterrupt:
        pass


def _answer(place: FoundPlace) -> str:
    hit = place.answered
    if hit is not None and hit.status is not None:
        return f"{HEALTHS[hit.status.health]} {advice(hit.status.detail)}".strip()
    if place.in_use is not None:
        return f"不能打开 cannot be opened: {place.in_use}"
    return "无应答 no answer" if place.asked else ""


def _place_as_json(place: FoundPlace) -> dict[str, Any]:
    hit = place.answered
    return {
        "address": str(hit.address if hit else place.address),
        "description": place.description,
        "drivers": [candidate.driver for candidate in place.candidates],
        "answered": None
        if hit is None or hit.status is None
        else {"driver": hit.driver, "health": hit.status.health.value, "detail": hit.status.detail.value},
        "in_use": place.in_use,
    }


if __name__ == "__main__":
    app()
