"""The ESC/POS driver as profiles name it: `driver = "escpos"`, a model of the table, and what differs from it."""

from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, model_validator

from hardware.drivers import Driver, Opening, Options, asset
from hardware.finding import LINE_SCHEMES, probe_by_opening, serial_ports
from hardware.roles import Role
from hardware.ticket_printer.printer import TicketPrinter
from hardware.ticket_printer.profile import ChineseFont, Cutter, Fence, Presenter, PrinterProfile, model_profile
from hardware.usb_line import find_usb_printers


class PrinterOptions(Options):
    """`model` names a row of `models.toml`; every other option goes before what that row says."""

    model: str = "generic-80mm"
    width_dots: int | None = None
    dots_per_mm: float | None = None
    chinese: ChineseFont | None = None
    native_qr: bool | None = None
    stored_logos: bool | None = None
    fence: Fence | None = None
    automatic_status: bool | None = None
    cutter: Cutter | None = None
    presenter: Presenter | None = None
    near_end_sensor: bool | None = None
    near_end_mm: int | None = None
    roll_mm: int | None = None
    feed_before_cut_lines: int | None = Field(default=None, ge=0, le=20)
    font: Path = Field(default_factory=lambda: asset("fonts/NotoSansSC-Regular.otf"))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.profile()
        return self

    def profile(self) -> PrinterProfile:
        """Raises `ValueError` for a model that is not in the table, or measures that do not fit."""
        said: dict[str, Any] = self.model_dump(exclude={"model", "font"}, exclude_none=True)
        return model_profile(self.model).changed(said)


def open_printer(opening: Opening[PrinterOptions]) -> TicketPrinter:
    """As `Driver.open`."""
    options = opening.options
    return TicketPrinter(
        str(opening.address),
        options.font,
        role=opening.role,
        profile=options.profile(),
        jobs=opening.jobs,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


DRIVER: Final = Driver(
    id="escpos",
    title="Ticket printer (ESC/POS)",
    roles=frozenset({Role.TICKET_PRINTER}),
    schemes=LINE_SCHEMES | {"usb", "usblp"},
    open=open_printer,
    options=PrinterOptions,
    find=lambda: chain(find_usb_printers(), serial_ports()),
    probe=partial(probe_by_opening, open_printer, PrinterOptions(), Role.TICKET_PRINTER),
)
