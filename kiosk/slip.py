"""The slip: what stands on the paper of a ticket, from top to bottom, on 80 mm and within 120 mm of length.

Where everything does not fit, the materials are shortened first (the QR code leads to all of them), never the number,
the windows or the rule on being passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from hardware.ticket_printer.document import (
    AIR_DOTS,
    CHARACTER_DOTS,
    LINE_GAP_DOTS,
    Align,
    Banner,
    BigText,
    Block,
    Feed,
    Image,
    PrintDocument,
    QrCode,
    Rule,
    Text,
)
from hardware.ticket_printer.profile import PrinterProfile
from hardware.ticket_printer.raster import qr_matrix
from hardware.ticket_printer.text import cells, wrap
from kiosk.journeys.catalogue import Catalogue
from kiosk.journeys.state import Ticket
from kiosk.slip_words import WORDS, Words

DOTS_PER_MM = 8
LONGEST_MM = 120
_PAPER = PrinterProfile()
_LINE_DOTS = CHARACTER_DOTS + LINE_GAP_DOTS
_BANNER_DOTS = 72 + AIR_DOTS
_RULE_DOTS = 18


@dataclass(frozen=True)
class _Size:
    """One way to lay the slip out; `materials` None: all."""

    number_dots: int
    qr_module: int
    materials: int | None


def lay_out(
    ticket: Ticket,
    catalogue: Catalogue,
    *,
    language: str,
    masked_name: str | None,
    terminal: str,
    printed_at: datetime,
    reprint: bool = False,
) -> PrintDocument:
    """The slip of a ticket in Chinese, or in English with the Chinese names that staff read. `printed_at` is UTC."""
    service = catalogue.service(ticket.service)
    materials = service.materials.of(language) if service is not None else ()
    for size in _sizes(len(materials)):
        blocks = (
            *_head(ticket, catalogue, language, reprint, size.number_dots),
            *_waiting(ticket, catalogue, language),
            QrCode(ticket.follow_url, module_size=size.qr_module),
            *_foot(catalogue, language, _kept(materials, size.materials, WORDS[language])),
            _printed(catalogue, language, masked_name, terminal, printed_at),
        )
        document = PrintDocument(blocks)
        if height_mm(document) <= LONGEST_MM:
            break
    return document


def height_mm(document: PrintDocument) -> float:
    """Length of the paper that a document takes, with the feed before the cut."""
    dots = sum(_height(block) for block in document.blocks)
    return (dots + _PAPER.feed_before_cut_lines * _LINE_DOTS) / DOTS_PER_MM


def _sizes(materials: int) -> Iterator[_Size]:
    yield from (_Size(number, 4, None) for number in (240, 216, 192, 168, 152, 136))
    yield from (_Size(136, 4, kept) for kept in range(materials, -1, -1))
    yield from (_Size(136, 3, 0), _Size(112, 3, 0))


def _head(ticket: Ticket, catalogue: Catalogue, language: str, reprint: bool, number_dots: int) -> Iterator[Block]:
    service = catalogue.service(ticket.service)
    if reprint:
        yield Banner(WORDS[language].reprint)
    yield Text(catalogue.hall_name.of(language), bold=True, align=Align.CENTER)
    name = service.name.zh if service is not None else ticket.service
    yield _large(name)
    if language == "en" and service is not None and service.name.en:
        yield Text(service.name.en, align=Align.CENTER)
    yield BigText(ticket.number, number_dots)
    yield Rule()


def _waiting(ticket: Ticket, catalogue: Catalogue, language: str) -> Iterator[Block]:
    words = WORDS[language]
    yield from _place_in_line(ticket, catalogue, words)
    if ticket.wait is not None:
        made_at = ticket.wait.made_at.astimezone(catalogue.zone)
        text = words.wait.format(low=ticket.wait.low, high=ticket.wait.high, made_at=f"{made_at:%H:%M}")
        yield Text(text, align=Align.CENTER)
    counters = words.counters.format(counters=words.comma.join(ticket.counters)) if ticket.counters else ""
    place = catalogue.place(ticket.service, ticket.counters).of(language)
    where = [part for part in (counters, words.place.format(place=place) if place else "") if part]
    for line in ["  ".join(where)] if cells("  ".join(where)) <= _PAPER.columns else where:
        yield Text(line, align=Align.CENTER)
    yield Text(words.follow_later if ticket.offline else words.follow, align=Align.CENTER)


def _place_in_line(ticket: Ticket, catalogue: Catalogue, words: Words) -> Iterator[Block]:
    if ticket.booked_for is not None:
        yield _large(words.booked.format(time=f"{ticket.booked_for.astimezone(catalogue.zone):%H:%M}"))
    if ticket.callable_from is not None:
        called_from = f"{ticket.callable_from.astimezone(catalogue.zone):%H:%M}"
        yield Text(words.called_from.format(time=called_from), align=Align.CENTER)
    if ticket.offline:
        yield _large(words.offline.format(taken_at=f"{ticket.issued_at.astimezone(catalogue.zone):%H:%M}"))
        yield Text(words.offline_rule)
    else:
        yield _large(words.ahead.format(count=ticket.people_ahead) if ticket.people_ahead else words.nobody_ahead)
    if ticket.may_close_at is not None:
        closes_at = f"{ticket.may_close_at.astimezone(catalogue.zone):%H:%M}"
        yield Text(words.may_close.format(closes_at=closes_at), bold=True)


def _foot(catalogue: Catalogue, language: str, materials: str) -> Iterator[Block]:
    yield Rule(dashed=True)
    if materials:
        yield Text(materials)
    if rule := catalogue.passed_rule.of(language):
        yield Text(rule)


def _kept(materials: tuple[str, ...], kept: int | None, words: Words) -> str:
    if not materials or kept == 0:
        return ""
    shown = words.comma.join(materials[:kept])
    return words.materials.format(materials=shown) + (words.and_more if kept is not None else "")


def _printed(catalogue: Catalogue, language: str, masked_name: str | None, terminal: str, printed_at: datetime) -> Text:
    local = printed_at.astimezone(catalogue.zone)
    parts = (f"{local:%Y-%m-%d %H:%M}", WORDS[language].terminal.format(terminal=terminal), masked_name or "")
    return Text("  ".join(part for part in parts if part))


def _large(text: str) -> Text:
    """Twice as large where it fits on one line, else twice as high."""
    return Text(text, 2 if cells(text) * 2 <= _PAPER.columns else 1, 2, align=Align.CENTER)


def _height(block: Block) -> int:
    match block:
        case Text():
            lines = sum(len(wrap(line, _PAPER.columns // block.width)) for line in block.text.splitlines() or [""])
            height = lines * (CHARACTER_DOTS * block.height + LINE_GAP_DOTS)
        case BigText():
            height = block.height_dots + 2 * AIR_DOTS
        case QrCode():
            height = _qr_side(block.data) * block.module_size
        case Feed():
            height = block.lines * _LINE_DOTS
        case Banner():
            height = _BANNER_DOTS
        case Rule():
            height = _RULE_DOTS
        case Image():
            height = block.height
    return height


@lru_cache(maxsize=1)
def _qr_side(data: str) -> int:
    """Modules of a side; the same code is measured once for all ways to lay a slip out."""
    return len(qr_matrix(data))
