"""The IPP driver as profiles name it: `driver = "ipp"`, a scheduler's queue, and the printer behind it."""

from typing import Final

from pydantic import field_validator

from hardware.addresses import IppAddress, parse_address
from hardware.document_printer.printer import DocumentPrinter
from hardware.drivers import Driver, Opening, Options
from hardware.errors import BadAddress
from hardware.roles import Role


class DocumentPrinterOptions(Options):
    """`printer`: the address of the printer itself, where the device's address is a scheduler's queue; it is asked too,
    since the scheduler learns of some errors late or never (`ipp://localhost:60000/ipp/print` for ipp-usb)."""

    printer: str | None = None
    media: str = "iso_a4_210x297mm"
    verify_tls: bool = True

    @field_validator("printer")
    @classmethod
    def _is_ipp(cls, text: str | None) -> str | None:
        if text is not None:
            _ipp(text)
        return text


def open_printer(opening: Opening[DocumentPrinterOptions]) -> DocumentPrinter:
    """As `Driver.open`."""
    options = opening.options
    return DocumentPrinter(
        _ipp(str(opening.address)),
        printer=None if options.printer is None else _ipp(options.printer),
        role=opening.role,
        media=options.media,
        verify_tls=options.verify_tls,
        jobs=opening.jobs,
        on_event=opening.on_event,
        supervision=opening.supervision,
    )


def _ipp(text: str) -> IppAddress:
    address = parse_address(text)
    if not isinstance(address, IppAddress):
        raise BadAddress(f"{text!r}: want ipp://… or ipps://…")
    return address


DRIVER: Final = Driver(
    id="ipp",
    title="Document printer (IPP, CUPS)",
    roles=frozenset({Role.DOCUMENT_PRINTER}),
    schemes=frozenset({"ipp", "ipps"}),
    open=open_printer,
    options=DocumentPrinterOptions,
)
