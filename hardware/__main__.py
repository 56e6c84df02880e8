"""Command line of the device layer: `python -m hardware simulate` keeps simulated devices up for a developer."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from hardware.simulators.desk import SimulatorDesk
from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.line import PtyLine
from hardware.simulators.ticket_printer import TicketPrinterSimulator

DEFAULT_FONT = Path(__file__).parent.parent / "assets" / "fonts" / "NotoSansSC-Regular.otf"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Devices of the terminal.")


@app.callback()
def _root() -> None:
    """Devices of the terminal."""


@app.command()
def simulate(
    reader: Annotated[Path | None, typer.Option(help="Folder for the ID card reader's serial line")] = None,
    printer: Annotated[Path | None, typer.Option(help="Folder for the ticket printer's line and its slips")] = None,
    font: Annotated[Path, typer.Option(help="Chinese font of the simulated printer")] = DEFAULT_FONT,
    baud: Annotated[int, typer.Option(help="Rate at which the lines are paced")] = 115200,
) -> None:
    """Keep simulated devices up behind pseudo-terminals, and take commands on standard input (try `help`)."""
    if reader is None and printer is None:
        raise typer.BadParameter("nothing to simulate: give --reader and/or --printer a folder")
    desk = SimulatorDesk(typer.echo)
    try:
        if reader is not None:
            reader.mkdir(parents=True, exist_ok=True)
            desk.add_reader(IdCardReaderSimulator(PtyLine(reader / "id-card-reader", baud=baud)))
        if printer is not None:
            printer.mkdir(parents=True, exist_ok=True)
            line = PtyLine(printer / "ticket-printer", baud=baud)
            slips = printer / "slips"
            desk.add_printer(TicketPrinterSimulator(line, slips, font, on_event=desk.printer_event))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for text in sys.stdin:
            if not desk.obey(text):
                return
        signal.pause()  # standard input has ended: stay up until told to end
    except KeyboardInterrupt:
        pass
    finally:
        desk.close()


if __name__ == "__main__":
    app()
