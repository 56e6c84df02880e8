"""The ticket printer's driver judged by emupos, a simulated printer of another make (alpha; Python 3.13 or newer).

    python3.13 -m venv DIR && DIR/bin/pip install emupos==0.4.0
    python -m tools.emupos_check DIR/bin/emupos

It knows neither `GS ( H` nor Chinese mode, so the fence is `GS r` and Chinese is drawn. Not part of CI.
"""

import contextlib
import dataclasses
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
import zxingcpp
from PIL import Image as Picture

from hardware.drivers import asset
from hardware.print_jobs import JobState
from hardware.ticket_printer.document import BigText, PrintDocument, QrCode, Text
from hardware.ticket_printer.printer import TicketPrinter
from hardware.ticket_printer.profile import ChineseFont, Fence, model_profile
from hardware.vocabulary import Detail, Health, Outcome

CONFIGURATION = """\
schema: 1
devices:
  - id: front
    type: printer
    profile: epson-tm-t20iii
    connections: [ {{ tcp: {{ host: 127.0.0.1, port: {port} }} }} ]
"""
LINK = "https://hall.example/t/9"
SLIP = PrintDocument((Text("Ticket A036"), Text("政务服务大厅"), BigText("A036", 120), QrCode(LINK)))


def main(emupos: Annotated[Path, typer.Argument(help="The program, in an environment of its own")]) -> None:
    """Exit status 1 where something is not as it should be."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder, running(emupos, Path(folder)) as (address, fault):
        for what, right in checks(address, fault, Path(folder)):
            print(f"{'pass' if right else 'FAIL'}  {what}")
            failed += not right
    raise typer.Exit(1 if failed else 0)


def checks(address: str, fault: Callable[[str, str], None], folder: Path) -> Iterator[tuple[str, bool]]:
    """What is tried, and whether it went as it should."""
    probing = TicketPrinter(address, asset("fonts/NotoSansSC-Regular.otf"))
    probed = probing.identify(soon()).result()
    probing.close()
    yield (
        "names itself, and its fence is found out",
        (probed is not None and probed.profile.name == "epson-tm-t20" and probed.fences == {Fence.PAPER_SENSOR}),
    )
    profile = dataclasses.replace(
        model_profile("epson-tm-t20"), fence=Fence.PAPER_SENSOR, chinese=ChineseFont.NONE, stored_logos=False
    )
    printer = TicketPrinter(address, asset("fonts/NotoSansSC-Regular.otf"), profile=profile)
    try:
        yield "is well", printer.ask_status(soon()).result().health is Health.OK
        yield "prints with proof", printer.print(SLIP, soon()).result().outcome is Outcome.DONE
        yield "the slip's text and code can be read", reads(folder)
        for name, detail in (("paper-out", Detail.PAPER_OUT), ("cover-open", Detail.COVER_OPEN)):
            fault("set", name)
            result = printer.print(SLIP, soon()).result()
            yield f"{name}: told, and nothing sent", (result.state, result.detail) == (JobState.FAILED, detail)
            fault("clear", name)
        fault("set", "paper-near-end")
        yield "near the end it still prints", printer.print(SLIP, soon()).result().outcome is Outcome.DONE
        yield "and says so", printer.ask_status(soon()).result().detail is Detail.PAPER_LOW
    finally:
        printer.close()


def reads(folder: Path) -> bool:
    """Whether emupos saw the text, and its picture's code decodes."""
    text = next(folder.glob("receipts/*.txt")).read_text("utf-8")
    picture = Picture.open(next(folder.glob("receipts/*.png"))).convert("L")
    return "Ticket A036" in text and [code.text for code in zxingcpp.read_barcodes(picture)] == [LINK]


@contextlib.contextmanager
def running(emupos: Path, folder: Path) -> Iterator[tuple[str, Callable[[str, str], None]]]:
    """emupos on a free port; its address, and how its faults are set and cleared."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    (folder / "e.yaml").write_text(CONFIGURATION.format(port=port))
    command = [str(emupos.absolute()), "run", "--config", "e.yaml"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not _listens(port):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError("emupos does not start")
            time.sleep(0.1)

        def fault(act: str, name: str) -> None:
            command = [str(emupos.absolute()), "fault", act, "front", name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=30)

        yield f"tcp:127.0.0.1:{port}", fault
    finally:
        process.terminate()
        process.wait()


def soon() -> float:
    """A deadline."""
    return time.monotonic() + 20


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


if __name__ == "__main__":
    typer.run(main)
