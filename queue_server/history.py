"""Everything that happened to one ticket, with who and why, told from the ledger alone (requirement R51)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from queue_server.hall import BadEvent, Event, HallConfiguration, TicketIssued, UnknownEvent, event_from_json
from queue_server.hall.configuring import HallConfigured
from queue_server.hall.texts import NO_TEXT, Text
from queue_server.hall.words import words
from queue_server.history_words import Names, note_in_words, what_happened
from queue_server.ledger import EventRow, SqlLedger
from queue_server.ledger.registers import AuditRow, Registers


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `seq`: its row in the hall's chain; None for a note beside it."""

    at: datetime
    seq: int | None
    what: Text
    who: Text
    why: Text


@dataclass(frozen=True)
class TicketHistory:
    """The moments of a ticket, in the order of the ledger; notes stand by their time."""

    hall: str
    ticket: str
    number: str
    business_date: date
    zone: str
    moments: tuple[Moment, ...]

    def in_language(self, language: str) -> Iterator[str]:
        """A heading, and a line for each moment: time, what, who, why, row."""
        zone = ZoneInfo(self.zone)
        yield f"{self.number}  {self.business_date}  {self.hall}  {self.ticket}"
        for moment in self.moments:
            at = moment.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
            place = f"#{moment.seq}" if moment.seq is not None else "–"
            parts = (part.in_language(language) for part in (moment.what, moment.who, moment.why))
            yield f"{at}  {place:>7}  " + "  ".join(part for part in parts if part)


def of_ticket(
    ledger: SqlLedger, registers: Registers, hall: str, ticket: str, business_date: date | None = None
) -> TicketHistory | None:
    """The history of a ticket, named by its id or its number; of several with one number, the newest.

    None if there is none. Raises `LedgerUnavailable`.
    """
    issued = _issued(ledger, hall, ticket, business_date)
    if issued is None:
        return None
    about = [f'"ticket":"{issued.ticket}"']
    if issued.appointment is not None:
        about.append(f'"appointment":"{issued.appointment}"')
    rows = list(_events(ledger.rows_with(hall, about)))
    configuration = _configuration(ledger, hall, rows[-1][0].seq)
    names = Names(
        configuration,
        staff={person.id: person.name for person in registers.staff(hall)},
        devices={device.id: device.name for device in registers.devices((hall,))},
    )
    moments = [
        Moment(
            event.at,
            row.seq,
            what_happened(event, names),
            names.actor(event.by.kind, event.by.id),
            _why(event, configuration),
        )
        for row, event in rows
    ]
    notes = [_note(note, names) for note in registers.audit(hall, subject=issued.ticket)]
    return TicketHistory(
        hall,
        issued.ticket,
        issued.number,
        issued.business_date,
        configuration.time_zone,
        tuple(_merged(moments, sorted(notes, key=lambda moment: moment.at))),
    )


def _issued(ledger: SqlLedger, hall: str, ticket: str, business_date: date | None) -> TicketIssued | None:
    texts = [f'"{field}":"{ticket}"' for field in ("ticket", "number", "printed")]
    found = [
        event
        for _, event in _events(ledger.rows_with(hall, texts, kinds=(TicketIssued.kind,)))
        if isinstance(event, TicketIssued)
        and ticket in (event.ticket, event.number, event.printed)
        and business_date in (None, event.business_date)
    ]
    return found[-1] if found else None


def _events(rows: Iterable[EventRow]) -> Iterator[tuple[EventRow, Event]]:
    for row in rows:
        try:
            yield row, event_from_json(row.body)
        except (BadEvent, UnknownEvent):
            # `verify` names a row that was changed; here the others still count
            continue


def _configuration(ledger: SqlLedger, hall: str, until: int) -> HallConfiguration:
    """As it was in force at row `until`."""
    found: HallConfiguration | None = None
    for row, event in _events(ledger.rows_with(hall, (), kinds=(HallConfigured.kind,))):
        if isinstance(event, HallConfigured) and (row.seq <= until or found is None):
            found = event.configuration
    if found is None:
        raise ValueError(f"{hall} was never configured")
    return found


def _merged(moments: list[Moment], notes: list[Moment]) -> Iterator[Moment]:
    """The notes put between the moments by time; the moments keep the ledger's order."""
    waiting = list(notes)
    for moment in moments:
        while waiting and waiting[0].at < moment.at:
            yield waiting.pop(0)
        yield moment
    yield from waiting


def _why(event: Event, configuration: HallConfiguration) -> Text:
    if event.why.code == "requested":
        return NO_TEXT
    return Text(words(event.why, "zh", configuration), words(event.why, "en", configuration))


def _note(note: AuditRow, names: Names) -> Moment:
    by = json.loads(note.by)
    who = names.actor(str(by.get("kind", "")), str(by.get("id", "")))
    return Moment(datetime.fromisoformat(note.at), None, note_in_words(note.act, note.details), who, NO_TEXT)
