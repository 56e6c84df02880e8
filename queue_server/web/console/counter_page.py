"""The clerk's console: choose a counter, then call and serve there."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.responses import RedirectResponse, Response

from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.words import STATES, sentence
from queue_server.projection import HelpNow, QueueNow
from queue_server.staff import Staff
from queue_server.web.console.access import SIGN_IN, signed_in
from queue_server.web.console.frame import Frame, fragment
from queue_server.web.console.words import duration
from queue_server.web.parts import WebParts

_LISTED = 30
"""Waiting tickets shown of a queue; who waits behind them is told as a number."""
_BUTTONS = (
    ("next", "N"),
    ("start", "S"),
    ("complete", "C"),
    ("finish", "F"),
    ("recall", "R"),
    ("no_show", "X"),
)
_ALLOWED = {
    None: {"next"},
    "called": {"start", "recall", "no_show"},
    "serving": {"complete", "finish"},
}
_PRIMARY = {None: "next", "called": "start", "serving": "finish"}
Kind = Literal["done", "refused"]


def counter_page(hall_of: Callable[[Request], WebParts]) -> None:
    """Register the page `/console/`."""

    @ui.page("/", title="窗口工作台")
    async def page(request: Request) -> Response | None:
        web = hall_of(request)
        staff = signed_in(web, request)
        if staff is None:
            return RedirectResponse(SIGN_IN, 303)
        CounterPage(Frame(web, request, "/console/"), staff)
        return None


class CounterPage:
    """One clerk's open page. The browser sends acts with the version that it shows; see `console.js`."""

    def __init__(self, frame: Frame, staff: Staff) -> None:
        self._frame = frame
        self._web = frame.web
        self._busy = False
        self._shown: CounterState | None = None
        self._message: tuple[Kind, str] | None = None
        frame.open()
        with ui.element("main").classes("console") as self._main:
            self._choice = fragment("choice")
            self._helps = fragment("helps")
            self._current = fragment("current")
            self._buttons = self._make_buttons()
            self._said = fragment("said")
            self._next = fragment("next")
            self._queues = fragment("queues")
        ui.on("act", self._act)
        self._draw_for(staff)
        frame.live(self._draw)

    def _make_buttons(self) -> dict[str, ui.element]:
        buttons = {}
        with ui.element("div").classes("buttons"):
            for name, key in _BUTTONS:
                button = ui.element("button").props(f'type="button" data-act="{name}" data-key="{key}"')
                with button:
                    ui.html(f"{self._frame.word('act_' + name)} <kbd>{key}</kbd>", sanitize=False)
                buttons[name] = button.classes(f"act act-{name.replace('_', '-')}")
        return buttons

    # --- drawing

    def _draw(self) -> None:
        staff = self._frame.staff()
        if staff is not None:
            self._draw_for(staff)

    def _draw_for(self, staff: Staff) -> None:
        state = self._web.counters.held_by(staff)
        self._shown = state
        if state is None:
            self._frame.draw_bar(staff)
            self._draw_choice(staff)
        else:
            self._frame.draw_bar(staff, self._frame.word("counter", number=state.counter.number))
            self._draw_counter(state)
        kind, text = self._message or ("done", "")
        self._frame.fill(self._said, "console_said.html", kind=kind, text=text)
        self._main.props(f'data-view="{"choice" if state is None else "counter"}"')

    def _draw_choice(self, staff: Staff) -> None:
        language = self._frame.language
        names = self._web.facts.read().zones
        zones: dict[str, list[dict[str, Any]]] = {}
        for state in self._web.counters.counters():
            zone = names.get(state.counter.zone, {}).get(language, state.counter.zone)
            zones.setdefault(zone, []).append(
                {
                    "id": state.counter.counter,
                    "number": state.counter.number,
                    "queues": [queue.name[language] for queue in state.queues],
                    "waiting": sum(queue.waiting_count for queue in state.queues),
                    "holder": state.clerk_name,
                    "session": state.counter.session,
                }
            )
        self._frame.fill(
            self._choice,
            "console_choice.html",
            zones=zones,
            may_serve=staff.may("clerk", "manager"),
            may_release=staff.may("manager"),
        )

    def _draw_counter(self, state: CounterState) -> None:
        now, language, frame = self._web.now(), self._frame.language, self._frame
        counter, current = state.counter, state.counter.current
        seen = f'data-seen="{counter.version}"'
        if self._main.props.get("data-seen") != str(counter.version):
            self._main.props(seen)
        place = None if current is None else current.state
        for name, button in self._buttons.items():
            allowed = name in _ALLOWED.get(place, set()) and (name != "next" or counter.next is not None)
            _set(button, "disabled", not allowed)
            _set(button, "data-primary", name == _PRIMARY.get(place))
        frame.fill(
            self._current,
            "console_current.html",
            current=current,
            state_words="" if current is None else STATES[current.state][language == "en"],
            since="" if current is None else duration(_seconds(now, current.since), language),
            waited="" if current is None else duration(_seconds(current.since, current.waiting_since), language),
            class_name="" if current is None else self._class_name(current.priority_class),
            somebody_waits=counter.next is not None,
        )
        frame.fill(
            self._next,
            "console_next.html",
            next=counter.next,
            waited="" if counter.next is None else duration(_seconds(now, counter.next.waiting_since), language),
            class_name="" if counter.next is None else self._class_name(counter.next.priority_class),
        )
        frame.fill(
            self._queues,
            "console_queues.html",
            queues=[self._queue(queue, now) for queue in state.queues],
            may_call=current is None,
        )
        frame.fill(self._helps, "console_helps.html", helps=[self._help(help_, now) for help_ in state.helps])

    def _queue(self, queue: QueueNow, now: datetime) -> dict[str, Any]:
        language = self._frame.language
        return {
            "name": queue.name[language],
            "colour": queue.colour or "#0b3d7a",
            "count": queue.waiting_count,
            "wait": queue.wait,
            "more": queue.waiting_count - min(_LISTED, len(queue.waiting)),
            "tickets": [
                {
                    "id": ticket.ticket,
                    "number": ticket.number,
                    "version": ticket.version,
                    "service": ticket.service_name[language],
                    "class_name": self._class_name(ticket.priority_class),
                    "waited": duration(_seconds(now, ticket.waiting_since), language),
                }
                for ticket in queue.waiting[:_LISTED]
            ],
        }

    def _help(self, help_: HelpNow, now: datetime) -> dict[str, Any]:
        return {
            "id": help_.help,
            "device": help_.device_name,
            "since": duration(_seconds(now, help_.at), self._frame.language),
        }

    def _class_name(self, priority_class: str) -> str:
        """The name of a class that is not the ordinary one: it explains an order that looks unfair."""
        if priority_class == "ordinary":
            return ""
        named = self._web.facts.read().classes.get(priority_class, {})
        return named.get(self._frame.language, priority_class)

    # --- acting

    async def _act(self, event: GenericEventArguments) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            staff = self._frame.staff()
            if staff is None:
                ui.navigate.to(f"{SIGN_IN}?ended=true")
                return
            self._message = await self._do(staff, _Wish(event.args))
            self._draw_for(staff)
        finally:
            self._busy = False
            ui.run_javascript("settled()")

    async def _do(self, staff: Staff, wish: "_Wish") -> tuple[Kind, str] | None:
        counters = self._web.counters
        shown = self._shown.counter if self._shown is not None else None
        session, seen = (shown.session or "" if shown is not None else ""), wish.number("seen")
        number = shown.current.number if shown is not None and shown.current is not None else ""
        acts: dict[str, tuple[Callable[[], Awaitable[CounterState | Refused | None]], str]] = {
            "open": (lambda: counters.open_counter(staff, wish.text("counter")), ""),
            "release": (lambda: counters.close_counter(staff, wish.text("session")), ""),
            "close": (lambda: counters.close_counter(staff, session), ""),
            "help": (lambda: counters.acknowledge_help(staff, wish.text("help")), "done_help"),
            "cancel": (lambda: counters.cancel(staff, wish.text("ticket"), wish.number("version")), "done_cancel"),
            "call": (lambda: counters.call_ticket(staff, session, wish.text("ticket"), seen), "done_next"),
            "next": (lambda: counters.next(staff, session, seen), "done_next"),
            "recall": (lambda: counters.recall(staff, session, seen), "done_recall"),
            "start": (lambda: counters.start(staff, session, seen), "done_start"),
            "complete": (lambda: counters.complete(staff, session, seen), "done_complete"),
            "finish": (lambda: counters.finish_and_next(staff, session, seen), "done_next"),
            "no_show": (lambda: counters.no_show(staff, session, seen), "done_no_show"),
        }
        if wish.act not in acts:
            return None
        do, done = acts[wish.act]
        return self._outcome(await do(), done, number)

    def _outcome(self, outcome: CounterState | Refused | None, done: str, before: str = "") -> tuple[Kind, str] | None:
        if isinstance(outcome, Refused):
            return "refused", sentence(outcome, self._frame.language)
        if not done:
            return None
        current = None if outcome is None else outcome.counter.current
        if done == "done_next" and current is None:
            done = "done_complete"
        number = before if current is None else current.number
        return "done", self._frame.word(done, number=number)


class _Wish:
    """What the browser sent, read with care: it is not to be trusted to be well formed."""

    def __init__(self, args: object) -> None:
        self._args = args if isinstance(args, dict) else {}
        self.act = self.text("act")

    def text(self, name: str) -> str:
        value = self._args.get(name)
        return value[:64] if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        value = self._args.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _set(element: ui.element, name: str, on: bool) -> None:
    if on and name not in element.props:
        element.props(name)
    elif not on and name in element.props:
        element.props(remove=name)


def _seconds(now: datetime, then: datetime) -> float:
    return (now - then).total_seconds()
