"""Waiting for a person's card, the same for every kind of reader: its events, how it ends, and what it has seen."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from hardware.vocabulary import WHO_ACTS, Detail, Outcome, WhoActs


class CardEvent(StrEnum):
    """What happens while a card is waited for, for a screen that shows it live."""

    PLACE_CARD = "place_card"
    CARD_FOUND = "card_found"
    READING = "reading"  # the card must stay where it is
    READ_OK = "read_ok"  # the card can be taken
    LIFT_AND_RELAY = "lift_and_relay"  # or pull it out and put it in again
    ONE_CARD_ONLY = "one_card_only"
    WRONG_CARD = "wrong_card"


class Card(Protocol):
    """A card that was read: whatever it holds is gone after `wipe`."""

    def wipe(self) -> None: ...


K = TypeVar("K", bound=Card)


@dataclass(frozen=True, slots=True)
class CardRead(Generic[K]):
    """How waiting for a card ended. `card` is there exactly when the outcome is DONE, and its taker wipes it.

    TIMED_OUT carries what hindered last (`no_card`, `read_failed`, `several_cards`, `card_not_lifted`, `wrong_card`).
    """

    outcome: Outcome
    detail: Detail = Detail.NONE
    card: K | None = None

    @property
    def who_acts(self) -> WhoActs:
        return WHO_ACTS[self.detail]


def wipe_read(read: CardRead[K]) -> None:
    """Wipe the card of a result that nobody takes."""
    if read.card is not None:
        read.card.wipe()


class CardWait:
    """What one wait for a card has seen, and what its screen has been told."""

    def __init__(self, on_event: Callable[[CardEvent], None]) -> None:
        self._on_event = on_event
        self._last: CardEvent | None = None
        self._last_at = time.monotonic()
        self.detail = Detail.NO_CARD
        """What hindered last."""

    @property
    def event_for_lying_card(self) -> CardEvent:
        return CardEvent.WRONG_CARD if self.detail is Detail.WRONG_CARD else CardEvent.LIFT_AND_RELAY

    def say(self, event: CardEvent) -> None:
        """Tell the screen, once until something else is told."""
        if event is not self._last:
            self._last = event
            self._last_at = time.monotonic()
            self._on_event(event)

    def quiet_for(self) -> float:
        """Seconds since something was told."""
        return time.monotonic() - self._last_at

    def hindered(self, detail: Detail, event: CardEvent) -> None:
        self.detail = detail
        self.say(event)
