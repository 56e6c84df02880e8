"""What the clerk's console draws of a hall: contexts for its templates, in the clerk's language and the hall's zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from queue_server.counters.outcomes import CounterState
from queue_server.counters.words import STATES
from queue_server.projection import AsideTicket, HelpNow, NextTicket, QueueNow, TicketAtCounter, WaitingTicket
from queue_server.web.console.words import Language, duration, word

LISTED = 30
"""Waiting tickets shown of a queue; who waits behind them is told as a number."""
_OTHER_COLOUR = "#0b3d7a"


@dataclass(frozen=True, slots=True)
class CounterViews:
    """One moment, one reader."""

    now: datetime
    language: Language
    zone: ZoneInfo
    classes: Mapping[str, Mapping[str, str]]
    """Names of the priority classes."""
    counters: Mapping[str, str]
    """Numbers of the counters, by id."""
    clerks: Mapping[str, str]
    """Names of the clerks who are on duty, by id."""

    def current(self, state: CounterState) -> dict[str, Any]:
        """The context of `console_current.html`."""
        counter, current = state.counter, state.counter.current
        context: dict[str, Any] = {"current": current, "somebody_waits": counter.next is not None, "paused": None}
        if current is not None:
            return context | {
                "state_words": STATES[current.state][self.language == "en"],
                "since": self.lasting(current.since),
                "waited": duration((current.since - current.waiting_since).total_seconds(), self.language),
                "tags": self.tags(current),
            }
        if counter.paused_since is not None:
            reason = (counter.pause_reason or {}).get(self.language, "")
            context["paused"] = {"reason": reason, "since": self.lasting(counter.paused_since)}
        return context

    def next(self, ticket: NextTicket | None) -> dict[str, Any]:
        """The context of `console_next.html`."""
        return {
            "next": ticket,
            "waited": "" if ticket is None else self.lasting(ticket.waiting_since),
            "class_name": "" if ticket is None else self.class_name(ticket.priority_class),
        }

    def queue(self, queue: QueueNow, state: CounterState) -> dict[str, Any]:
        """One queue of `console_queues.html`."""
        return {
            "name": queue.name[self.language],
            "colour": queue.colour or _OTHER_COLOUR,
            "count": queue.waiting_count,
            "wait": queue.wait,
            "more": queue.waiting_count - min(LISTED, len(queue.waiting)),
            "tickets": [
                {
                    "id": ticket.ticket,
                    "number": ticket.number,
                    "service": ticket.service_name[self.language],
                    "tags": self.tags(ticket),
                    "waited": self.lasting(ticket.waiting_since),
                    "mine": ticket.for_counter in (None, state.counter.counter)
                    and ticket.for_clerk in (None, state.counter.clerk),
                }
                for ticket in queue.waiting[:LISTED]
            ],
        }

    def aside(self, ticket: AsideTicket) -> dict[str, Any]:
        """One ticket that is held or was missed."""
        return {
            "id": ticket.ticket,
            "number": ticket.number,
            "version": ticket.version,
            "service": ticket.service_name[self.language],
            "state": ticket.state,
            "state_words": STATES[ticket.state][self.language == "en"],
            "since": self.lasting(ticket.since),
        }

    def help(self, help_: HelpNow) -> dict[str, Any]:
        return {"id": help_.help, "device": help_.device_name, "since": self.lasting(help_.at)}

    def tags(self, ticket: TicketAtCounter | WaitingTicket) -> list[str]:
        """What explains an order that looks unfair, and what a clerk should know before the person comes."""
        found = [self.class_name(ticket.priority_class)]
        if ticket.appointment:
            found.append(word("tag_appointment", self.language))
        if ticket.companions:
            found.append(word("tag_companions", self.language, n=ticket.companions))
        if isinstance(ticket, WaitingTicket):
            if ticket.called_from is not None and ticket.called_from > self.now:
                local = ticket.called_from.astimezone(self.zone).strftime("%H:%M")
                found.append(word("tag_from", self.language, time=local))
            if ticket.for_counter is not None:
                number = self.counters.get(ticket.for_counter, ticket.for_counter)
                found.append(word("tag_for", self.language, who=word("counter", self.language, number=number)))
            if ticket.for_clerk is not None:
                who = self.clerks.get(ticket.for_clerk, ticket.for_clerk)
                found.append(word("tag_for", self.language, who=who))
        return [tag for tag in found if tag]

    def class_name(self, priority_class: str) -> str:
        """The name of a class that is not the ordinary one."""
        if priority_class == "ordinary":
            return ""
        return self.classes.get(priority_class, {}).get(self.language, priority_class)

    def lasting(self, since: datetime) -> str:
        """How long something has been so."""
        return duration((self.now - since).total_seconds(), self.language)
