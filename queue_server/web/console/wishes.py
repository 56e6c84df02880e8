"""What a clerk's browser asks for, and the act of the counters' service that it means."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.service import CounterService
from queue_server.hall import Addressee
from queue_server.staff import Staff
from queue_server.web.console.panel import Panel

Outcome = CounterState | Refused | None
Act = tuple[Callable[[], Awaitable[Outcome]], str]
"""The act, and the word that tells its success."""


class Wish:
    """What the browser sent, read with care: it is not to be trusted to be well formed."""

    def __init__(self, args: object) -> None:
        self._args = args if isinstance(args, dict) else {}
        self.act = self.text("act")

    def text(self, name: str) -> str:
        value = self._args.get(name)
        return value[:64] if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A whole number, sent as such or as text; -1 where there is none."""
        value = self._args.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else -1


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts that one page can ask for, as the page stands: who, at which counter, with which panel open."""

    counters: CounterService
    staff: Staff
    shown: CounterState | None
    panel: Panel | None

    def of(self, wish: Wish) -> Act | None:
        """The act that a wish means; None where it means none."""
        for known in (self._at_counters, self._at_own_counter, self._on_ticket):
            if (found := known(wish).get(wish.act)) is not None:
                return found
        return None

    def _at_counters(self, wish: Wish) -> dict[str, Act]:
        counters, staff = self.counters, self.staff
        return {
            "open": (lambda: counters.open_counter(staff, wish.text("counter")), ""),
            "take_over": (lambda: counters.take_over(staff, wish.text("counter")), ""),
            "release": (lambda: counters.close_counter(staff, wish.text("session")), ""),
            "help": (lambda: counters.acknowledge_help(staff, wish.text("help")), "done_help"),
        }

    def _at_own_counter(self, wish: Wish) -> dict[str, Act]:
        counters, staff, seen = self.counters, self.staff, wish.number("seen")
        session = self.shown.counter.session or "" if self.shown is not None else ""
        service, here = wish.text("service"), wish.text("here") == "yes"
        return {
            "close": (lambda: counters.close_counter(staff, session), ""),
            "call": (lambda: counters.call_ticket(staff, session, wish.text("ticket"), seen), "done_next"),
            "next": (lambda: counters.next(staff, session, seen), "done_next"),
            "recall": (lambda: counters.recall(staff, session, seen), "done_recall"),
            "start": (lambda: counters.start(staff, session, seen), "done_start"),
            "complete": (lambda: counters.complete(staff, session, seen), "done_complete"),
            "finish": (lambda: counters.finish_and_next(staff, session, seen), "done_next"),
            "no_show": (lambda: counters.no_show(staff, session, seen), "done_no_show"),
            "undo": (lambda: counters.undo(staff, session, seen), "done_undo"),
            "pause": (lambda: counters.pause(staff, session, wish.text("reason"), seen), "done_pause"),
            "go_on": (lambda: counters.go_on(staff, session, seen), "done_go_on"),
            "profile": (
                lambda: counters.choose_profile(staff, session, wish.text("profile") or None, seen),
                "done_profile",
            ),
            "another": (
                lambda: counters.another_service(staff, session, service, seen, here=here),
                "done_another",
            ),
        }

    def _on_ticket(self, wish: Wish) -> dict[str, Act]:
        counters, staff = self.counters, self.staff
        ticket, seen = self._ticket(wish)
        to = self.panel.addressee() if self.panel is not None else None
        companions = wish.number("companions")
        return {
            "cancel": (lambda: counters.cancel(staff, ticket, seen), "done_cancel"),
            "transfer": (
                lambda: counters.transfer(staff, ticket, seen, service=wish.text("service") or None, to=to),
                "done_transfer",
            ),
            "hold": (lambda: counters.hold(staff, ticket, seen), "done_hold"),
            "park": (lambda: counters.hold(staff, ticket, seen, pool=Addressee("clerk", staff.id)), "done_hold"),
            "resume": (lambda: counters.resume(staff, ticket, seen), "done_resume"),
            "reinstate": (lambda: counters.reinstate(staff, ticket, seen), "done_reinstate"),
            "reclassify": (
                lambda: counters.reclassify(
                    staff,
                    ticket,
                    seen,
                    service=wish.text("service") or None,
                    priority_class=wish.text("class") or None,
                    evidence=wish.text("evidence") or None,
                    companions=companions if companions >= 0 else None,
                ),
                "done_reclassify",
            ),
        }

    def _ticket(self, wish: Wish) -> tuple[str, int]:
        """The ticket that is meant and its version: the one named, else the one that the counter showed."""
        if named := wish.text("ticket"):
            return named, wish.number("version")
        counter = self.shown.counter if self.shown is not None else None
        if counter is None or counter.current is None:
            return "", -1
        as_shown = wish.number("seen") == counter.version
        return counter.current.ticket, counter.current.version if as_shown else -1
