"""Sentences for every code: what happened, what became of the number, what to do next."""

from dataclasses import dataclass

from kiosk.journeys.views import CardState, CardView, Opening, SlipState
from kiosk.journeys.words import Words, mark


@dataclass(frozen=True)
class Sentence:
    """Message ids; `happened` is the large one."""

    happened: str
    next_step: str


CLOSED = {
    "service_closed": mark("No counter is open for this now"),
    "numbers_exhausted": mark("No more numbers today"),
    "not_today": mark("Not offered today"),
    "outside_hours": mark("Outside service hours"),
    "quota_reached": mark("No more numbers for now"),
    "not_reachable_today": mark("Too late for today"),
    "day_already_closed": mark("Closed for today"),
    "hall_away": mark("No connection to the hall"),
}
CLOSED_OTHERWISE = mark("Not available now")

OPENS = {
    "today": mark("today at {at}"),
    "tomorrow": mark("tomorrow at {at}"),
    "later": mark("on {on}"),
}
OPENS_AGAIN = mark("Opens {opens}")

CHECKED_IN_BEFORE = "appointment_not_open_checked_in"
APPOINTMENT_OVER = frozenset({"appointment_unknown", "appointment_not_open", "check_in_too_late"})
APPOINTMENT_KEPT = mark("No number was taken. Your appointment is kept.")
NO_SECOND_NUMBER = mark("No second number was given.")
NO_NUMBER = mark("No number was taken, and no place in the queue was used.")
_ASK = mark("Please try again later, or ask at the information desk.")
_THEN = mark("Please come back then, or ask at the information desk.")
_DESK = mark("Please ask at the information desk. Staff will help you.")
_OTHER = mark("Please choose another service, or ask at the information desk.")
_WALK_IN = mark("You can take a number without an appointment now.")
_AGAIN = mark("Please try again. If it happens again, call staff with the button below.")
_MOMENT = mark("Please try again in a moment.")
_NEAREST = mark("Please use another terminal or ask at the information desk.")

REFUSED = {
    "service_closed": Sentence(mark("No counter is open for this service at the moment."), _ASK),
    "service_closed_until": Sentence(
        mark("No counter is open for this service now. Numbers are given again {opens}."), _THEN
    ),
    "service_unknown": Sentence(mark("The hall no longer offers this service."), _OTHER),
    "numbers_exhausted": Sentence(
        mark("All of today's numbers for this service have been taken."),
        mark("Please come back on the next working day, or ask at the information desk."),
    ),
    "not_today": Sentence(mark("No more numbers are given for this service today."), _DESK),
    "not_today_until": Sentence(
        mark("No more numbers are given for this service today. It opens again {opens}."), _THEN
    ),
    "outside_hours": Sentence(mark("The hall gives no numbers at this hour."), _ASK),
    "outside_hours_until": Sentence(mark("Closed now. Numbers for this service are given again {opens}."), _THEN),
    "quota_reached": Sentence(mark("All numbers for this service have been taken for now."), _DESK),
    "quota_reached_morning": Sentence(
        mark("This morning's numbers are all taken."),
        mark("There are more this afternoon. Staff can help if it is urgent."),
    ),
    "quota_reached_afternoon": Sentence(
        mark("This afternoon's numbers are all taken."),
        mark("Please come back on the next working day. Staff can help if it is urgent."),
    ),
    "not_reachable_today": Sentence(
        mark("You would not be reached before closing at {closes_at}."),
        mark("Please come back on the next working day."),
    ),
    "too_many_numbers": Sentence(
        mark("You have taken {limit} numbers today; more are not possible here."),
        mark("Staff at the information desk can give you another one."),
    ),
    "offline_ended": Sentence(mark("The connection to the hall has been lost for too long."), _NEAREST),
    "offline_exhausted": Sentence(mark("This terminal has no numbers left while the connection is lost."), _NEAREST),
    "day_already_closed": Sentence(
        mark("The hall has closed for today."), mark("Please come back on the next working day.")
    ),
    "hall_not_configured": Sentence(mark("The hall's service list is not ready yet."), _ASK),
    "already_holding": Sentence(
        mark("You already hold {number} for this service."),
        mark("Please wait with that number. If you lost your slip, staff will print it again."),
    ),
    "card_required": Sentence(
        mark("This service needs your ID card."), mark("Please go back and lay your ID card on the reader.")
    ),
    "appointment_unknown": Sentence(
        mark("No appointment was found."),
        mark("Please type the code from your booking. If you have none, take a number without an appointment."),
    ),
    "appointment_not_open": Sentence(mark("This appointment is no longer valid."), _WALK_IN),
    "appointment_not_open_cancelled": Sentence(mark("This appointment was cancelled."), _WALK_IN),
    "appointment_not_open_missed": Sentence(mark("The time of this appointment is over."), _WALK_IN),
    CHECKED_IN_BEFORE: Sentence(
        mark("You have already checked in for this appointment."),
        mark("Please wait with that number. If you lost your slip, staff will print it again."),
    ),
    "check_in_too_early": Sentence(
        mark("Your appointment is on {starts_on}. You can check in from {opens_at} on."),
        mark("Please come back to any terminal then."),
    ),
    "check_in_too_late": Sentence(
        mark("Your appointment was on {starts_on}. The time for checking in is over."), _WALK_IN
    ),
    "check_in_offline": Sentence(
        mark("The connection to the hall is lost, so nobody can check in here at the moment."),
        mark("Please ask at the information desk, or take a number without an appointment."),
    ),
    "no_answer": Sentence(mark("The hall did not answer in time."), _AGAIN),
    "hall_away": Sentence(mark("The connection to the hall is lost."), _ASK),
    "day_not_open": Sentence(mark("The hall has not opened yet today."), _ASK),
    "not_leading": Sentence(mark("The hall's system is changing over."), _MOMENT),
    "ledger_full": Sentence(mark("The hall could not record the number."), _DESK),
    "ledger_unavailable": Sentence(mark("The hall could not record the number."), _AGAIN),
    "journal_full": Sentence(mark("This terminal has no room left for its records, so it gives no numbers."), _NEAREST),
    "journal_fault": Sentence(mark("The terminal cannot save its records, so it gives no numbers."), _NEAREST),
    "journal_slow": Sentence(mark("The terminal could not record a number in time."), _NEAREST),
    "request_withdrawn": Sentence(mark("This request was taken back before the hall answered."), _AGAIN),
    "id_already_used": Sentence(mark("The hall could not record the number."), _AGAIN),
    "internal_error": Sentence(mark("The hall could not record the number."), _AGAIN),
    "request_quarantined": Sentence(mark("The hall could not record the number."), _DESK),
    "too_many_requests": Sentence(mark("The hall could not record the number."), _MOMENT),
    "device_pending": Sentence(mark("This terminal may not give numbers at the moment."), _DESK),
    "device_refused": Sentence(mark("This terminal may not give numbers at the moment."), _DESK),
    "device_elsewhere": Sentence(mark("This terminal may not give numbers at the moment."), _DESK),
    "cloned_device": Sentence(mark("This terminal may not give numbers at the moment."), _DESK),
}
REFUSED_OTHERWISE = Sentence(mark("The hall could not give a number this time."), _DESK)

_PHOTO = mark("Take a photo or scan the code: the number is valid without the slip.")
SLIP = {
    SlipState.PRINTING: mark("Your slip is being printed…"),
    SlipState.PRINTED: mark("Please take your slip."),
    SlipState.UNKNOWN: mark("We cannot tell whether your slip came out."),
}
SLIP_CAUSE = {
    "paper_out": mark("You have your number, but the printer is out of paper."),
    "cover_open": mark("You have your number, but the printer's cover is open."),
    "cutter_error": mark("You have your number, but the slip is stuck in the printer."),
    "head_too_hot": mark("You have your number, but the printer has to cool down."),
    "no_answer": mark("You have your number, but the printer does not answer."),
    "line_lost": mark("You have your number, but the printer is not connected."),
    "line_stalled": mark("You have your number, but the printer does not answer."),
    "not_supported": mark("This terminal prints no slips."),
    "printer_offline": mark("You have your number, but the printer is switched off."),
    "printer_error": mark("You have your number, but the printer has a fault."),
}
SLIP_OTHERWISE = mark("You have your number, but the slip could not be printed.")

_BACK_SOON = mark("It comes back by itself. Until then please use another terminal or the information desk.")
OUT_OF_SERVICE = {
    "starting": Sentence(mark("The terminal is starting."), mark("Please wait a moment.")),
    "no_configuration": Sentence(mark("The hall's service list has not arrived yet."), _BACK_SOON),
    "hall_away": Sentence(mark("The connection to the hall is lost."), _BACK_SOON),
    "maintenance": Sentence(mark("This terminal is being serviced."), _NEAREST),
    "not_accepted": Sentence(mark("This terminal has not been admitted to the hall yet."), _NEAREST),
    "cloned": Sentence(mark("Another terminal uses the same name, so this one has stopped."), _NEAREST),
    "journal_fault": Sentence(mark("The terminal cannot save its records, so it gives no numbers."), _NEAREST),
    "power_low": Sentence(mark("The power is off and the backup power almost used up."), _BACK_SOON),
    "program_fault": Sentence(mark("A part of this terminal has failed and is being restarted."), _BACK_SOON),
}
OUT_OF_SERVICE_OTHERWISE = Sentence(mark("This terminal cannot serve you at the moment."), _NEAREST)

CARD = {
    CardState.WAITING: mark("Lay the card flat and keep it still."),
    CardState.READING: mark("Reading… keep the card still."),
    CardState.LIFT_AND_LAY_AGAIN: mark("Could not read it. Lift the card and lay it down again."),
    CardState.NOT_THIS_CARD: mark("This card cannot be used here. Please lay a resident ID card."),
    CardState.READER_AWAY: mark("The card reader does not work at the moment."),
    CardState.DONE: mark("Read. Please take your card."),
}
_ONE_CARD = mark("One card only, without wallet or phone.")
OR_INSERT = mark("Or insert your social security card.")
INSERT_ONLY = {
    CardState.WAITING: mark("Insert your social security card."),
    CardState.LIFT_AND_LAY_AGAIN: mark("Could not read it. Pull the card out and insert it again."),
}
ID_READER_AWAY = mark("The ID card reader does not work at the moment.")
OR_SCAN = mark("Or hold the code of your appointment before the scanner.")
TYPE_INSTEAD = mark("Please type the appointment code instead.")
CARD_HINT = {
    CardState.WAITING: _ONE_CARD,
    CardState.READING: _ONE_CARD,
    CardState.LIFT_AND_LAY_AGAIN: _ONE_CARD,
    CardState.NOT_THIS_CARD: mark("Bank cards, transport cards and passports cannot be read."),
    CardState.READER_AWAY: mark("Please use another terminal, or ask at the information desk."),
    CardState.DONE: "",
}


def closed(words: Words, code: str, opens: Opening | None = None) -> str:
    """Until when a service cannot be taken, or why, where nobody knows; a tile has room for one of them."""
    if opens is not None:
        return words.tr(OPENS_AGAIN, opens=_opens(words, opens))
    return words.tr(CLOSED.get(code, CLOSED_OTHERWISE))


def _opens(words: Words, opening: Opening) -> str:
    return words.tr(OPENS[opening.day], at=opening.at, on=opening.on)


def refused(
    words: Words, code: str, params: dict[str, str], *, opens: Opening | None = None, check_in: bool = False
) -> tuple[str, str, str]:
    """What happened, what became of the number or the appointment, the next step."""
    variant = _variant(code, params, opens)
    if opens is not None:
        params = {**params, "opens": _opens(words, opens)}
    sentence = REFUSED.get(variant) or REFUSED.get(code, REFUSED_OTHERWISE)
    number = APPOINTMENT_KEPT if check_in and code not in APPOINTMENT_OVER else NO_NUMBER
    if variant == CHECKED_IN_BEFORE:
        number = NO_SECOND_NUMBER
    return words.tr(sentence.happened, **params), words.tr(number), words.tr(sentence.next_step, **params)


def _variant(code: str, params: dict[str, str], opens: Opening | None) -> str:
    """The more telling sentence, where the hall said when it opens again which half of the day it means, or what became
    of the appointment."""
    if opens is not None:
        return f"{code}_until"
    if "state" in params:
        return f"{code}_{params['state']}"
    return f"{code}_{params['half']}" if "half" in params else code


def slip(words: Words, state: SlipState, cause: str | None) -> tuple[str, str]:
    """What became of the paper, and what to do; no second sentence where all is well."""
    if state is SlipState.NOT_PRINTED:
        return words.tr(SLIP_CAUSE.get(cause or "", SLIP_OTHERWISE)), words.tr(_PHOTO)
    if state is SlipState.UNKNOWN:
        return words.tr(SLIP[state]), words.tr(_PHOTO)
    return words.tr(SLIP[state]), ""


def out_of_service(words: Words, code: str) -> tuple[str, str]:
    """Why the terminal does not serve, and where to go."""
    sentence = OUT_OF_SERVICE.get(code, OUT_OF_SERVICE_OTHERWISE)
    return words.tr(sentence.happened), words.tr(sentence.next_step)


def card(words: Words, view: CardView) -> tuple[str, str]:
    """The live state of the reading, and a hint."""
    said, hint = CARD[view.state], CARD_HINT[view.state]
    if view.inserts and view.state is CardState.WAITING:
        hint = OR_INSERT
    if view.check_in and view.state is CardState.READER_AWAY:
        hint = TYPE_INSTEAD
    if view.check_in and view.scans and view.state is CardState.WAITING:
        hint = OR_SCAN
    if not view.lays and view.state in INSERT_ONLY:
        said, hint = INSERT_ONLY[view.state], ID_READER_AWAY
    return words.tr(said), words.tr(hint) if hint else ""
