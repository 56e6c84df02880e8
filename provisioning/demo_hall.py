"""A running hall on this machine, on loopback: broker, queue server, one terminal with simulated devices."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.line import PtyLine
from hardware.simulators.ticket_printer import TicketPrinterSimulator
from provisioning.guide_client import GuideClient
from provisioning.processes import Program, server_program, terminal_program
from provisioning.site import Panel, Site
from queue_server.staff import Role

TERMINAL = "terminal-1"
STAFF: dict[str, tuple[str, tuple[Role, ...]]] = {
    "limin": ("李敏", ("clerk",)),
    "wangfang": ("王芳", ("clerk",)),
    "zhaolei": ("赵磊", ("manager", "technician")),
}
FONT = Path(__file__).parent.parent / "assets" / "fonts" / "NotoSansSC-Regular.otf"
BAUD = 115_200


class DemoHall:
    """An async context manager: entered, the terminal's home screen is up and the hall answers it.

    `extra_devices` and `staff` are registered beside the terminal and the usual people.
    """

    def __init__(
        self,
        directory: Path,
        *,
        extra_devices: tuple[str, ...] = (),
        extra_staff: dict[str, tuple[str, tuple[Role, ...]]] | None = None,
        panel: Panel | None = None,
    ) -> None:
        self.site = Site(directory, devices=(TERMINAL, *extra_devices))
        self._staff = {**STAFF, **(extra_staff or {})}
        self._panel = panel or panel_for_this_machine()
        lines = directory / "lines"
        self.reader = IdCardReaderSimulator(PtyLine(lines / "reader", baud=BAUD))
        self.printer = TicketPrinterSimulator(PtyLine(lines / "printer", baud=BAUD), directory / "slips", FONT)
        self._guide_socket = directory / "guide.socket"
        self.guide = GuideClient(self._guide_socket)
        self.server: Program = server_program(self.site.server_file, directory / "logs" / "server.log")
        self.terminal: Program = terminal_program(
            self.site.profile_file(TERMINAL), directory / "logs" / "terminal.log", guide=self._guide_socket
        )

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.guide.__aexit__(kind, error, trace)
        self._stop()

    async def _start(self) -> None:
        self.site.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.site.directory / "lines").mkdir(exist_ok=True)
        self.site.broker.start()
        self.site.lay_out(self._staff)
        self.reader.start()
        self.printer.start()
        self.site.write_profile(
            TERMINAL,
            {
                "id_card_reader": {"driver": "sam-v", "address": self.reader.address},
                "ticket_printer": {"driver": "escpos", "address": self.printer.address},
            },
            self._panel,
        )
        self.server.start()
        self.terminal.start()
        await self.server.ready(self._server_answers)
        await self.terminal.ready(self._guide_listens)
        await self.guide.__aenter__()

    async def _server_answers(self) -> bool:
        async with httpx.AsyncClient(timeout=2) as client:
            try:
                return (await client.get(f"{self.site.url}/health")).status_code == 200
            except httpx.HTTPError:
                return False

    async def _guide_listens(self) -> bool:
        return self._guide_socket.exists()

    def _stop(self) -> None:
        """The terminal first, so that it says goodbye; the broker last."""
        self.terminal.stop()
        self.server.stop()
        for device in (self.reader, self.printer):
            device.close()
        self.site.broker.stop()


def panel_for_this_machine() -> Panel:
    """A window of half the size where there is a display; else real pixels without a window."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Panel(width=540, height=960, mm_per_pixel=0.74)
    return Panel(offscreen=True)
