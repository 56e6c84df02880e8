"""Help: a person at a terminal asks for staff, and somebody is on the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Why

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store


@dataclass(frozen=True, kw_only=True)
class HelpRequest:
    """One request of a device; open until a clerk acknowledges it."""

    id: str
    device: str
    screen: str
    asked_at: datetime
    asked: int = 1
    """How often the button was pressed while it was open."""
    clerk: str | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AskForHelp(Command):
    """`screen` is the id of the screen on which help was asked, never what stood on it."""

    help: str
    device: str
    screen: str


@dataclass(frozen=True, kw_only=True)
class AcknowledgeHelp(Command):
    help: str
    clerk: str


@dataclass(frozen=True, kw_only=True)
class HelpAsked(Event):
    kind: ClassVar[str] = "help_asked"

    help: str
    device: str
    screen: str


@dataclass(frozen=True, kw_only=True)
class HelpAskedAgain(Event):
    """The button was pressed again before anybody came; `help` is the request that is already open."""

    kind: ClassVar[str] = "help_asked_again"

    help: str
    device: str
    screen: str


@dataclass(frozen=True, kw_only=True)
class HelpAcknowledged(Event):
    kind: ClassVar[str] = "help_acknowledged"

    help: str
    device: str
    clerk: str


def ask_for_help(hall: "Hall", command: AskForHelp, now: datetime) -> Outcome:
    store = hall.store
    already = store.open_help_of.get(command.device)
    if already is None and command.help in store.helps:
        return refusals.IdAlreadyUsed(id=command.help)
    kind = HelpAsked if already is None else HelpAskedAgain
    return (
        kind(
            at=now,
            by=command.by,
            why=Why("requested"),
            help=already or command.help,
            device=command.device,
            screen=command.screen,
        ),
    )


def acknowledge_help(hall: "Hall", command: AcknowledgeHelp, now: datetime) -> Outcome:
    request = hall.store.helps.get(command.help)
    if request is None:
        return refusals.HelpUnknown(help=command.help)
    if request.clerk is not None:
        return refusals.HelpAlreadyAcknowledged(help=request.id, clerk=request.clerk)
    return (
        HelpAcknowledged(
            at=now, by=command.by, why=Why("requested"), help=request.id, device=request.device, clerk=command.clerk
        ),
    )


def asked(store: "Store", event: HelpAsked) -> None:
    if event.help in store.helps or event.device in store.open_help_of:
        raise CorruptHistory(f"help {event.help} asked over an open request")
    store.put_help(HelpRequest(id=event.help, device=event.device, screen=event.screen, asked_at=event.at))


def asked_again(store: "Store", event: HelpAskedAgain) -> None:
    request = store.helps.get(event.help)
    if request is None or request.clerk is not None:
        raise CorruptHistory(f"help {event.help} asked again while not open")
    store.put_help(replace(request, asked=request.asked + 1, screen=event.screen))


def acknowledged(store: "Store", event: HelpAcknowledged) -> None:
    request = store.helps.get(event.help)
    if request is None or request.clerk is not None:
        raise CorruptHistory(f"help {event.help} acknowledged while not open")
    store.put_help(replace(request, clerk=event.clerk, acknowledged_at=event.at))


DECIDE = {AskForHelp: ask_for_help, AcknowledgeHelp: acknowledge_help}
EVOLVE: dict[type[Event], Callable[["Store", Any], None]] = {
    HelpAsked: asked,
    HelpAskedAgain: asked_again,
    HelpAcknowledged: acknowledged,
}
