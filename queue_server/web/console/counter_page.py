"""The clerk's console: choose a counter, then call and serve there."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.responses import RedirectResponse, Response

from queue_server.counters.outcomes import CounterState, Refused
from queue_server.counters.words import sentence
from queue_server.staff import Staff
from queue_server.web.console.access import SIGN_IN, signed_in
from queue_server.web.console.counter_views import CounterViews
from queue_server.web.console.frame import Frame, fragment
from queue_server.web.console.panel import KINDS, Panel, PanelKind, panel_context
from queue_server.web.console.wishes import Acts, Outcome, Wish
from queue_server.web.parts import WebParts

_MAIN_BUTTONS = (
    ("next", "N"),
    ("start", "S"),
    ("complete", "C"),
    ("finish", "F"),
    ("recall", "R"),
    ("no_show", "X"),
)
_SIDE_BUTTONS = (
    ("transfer", "T"),
    ("another", "A"),
    ("reclassify", "L"),
    ("hold", "O"),
    ("park", "P"),
    ("undo", "U"),
    ("duty", "B"),
)
_ALWAYS = {"undo", "duty"}
_ALLOWED = {
    None: {"next"},
    "called": {"start", "recall", "no_show", "transfer", "reclassify", "hold", "park"},
    "serving": {"complete", "finish", "transfer", "another", "reclassify", "hold", "park"},
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
        self._panel: Panel | None = None
        self._message: tuple[Kind, str] | None = None
        frame.open()
        with ui.element("main").classes("console") as self._main:
            self._choice = fragment("choice")
            self._helps = fragment("helps")
            self._current = fragment("current")
            with ui.element("div").classes("buttons"):
                self._buttons = self._make_buttons("main-acts", _MAIN_BUTTONS)
                self._buttons |= self._make_buttons("side-acts", _SIDE_BUTTONS)
            self._said = fragment("said")
            self._next = fragment("next")
            self._queues = fragment("queues")
            self._beside = fragment("panel")
        ui.on("act", self._act)
        self._draw_for(staff)
        frame.live(self._draw)

    def _make_buttons(self, row: str, names: tuple[tuple[str, str], ...]) -> dict[str, ui.element]:
        """Buttons that stay where they are; those that open a panel say which."""
        buttons = {}
        with ui.element("div").classes(row):
            for name, key in names:
                opens = f'data-act="panel" data-panel="{name}"' if name in KINDS else f'data-act="{name}"'
                button = ui.element("button").props(f'type="button" {opens} data-key="{key}"')
                with button:
                    label = ui.html(self._label(f"act_{name}", key), sanitize=False)
                if name == "undo":
                    self._undo_label = label
                buttons[name] = button.classes(f"act act-{name.replace('_', '-')}")
        return buttons

    def _label(self, name: str, key: str, **params: object) -> str:
        return f"{self._frame.word(name, **params)} <kbd>{key}</kbd>"

    # --- drawing

    def _draw(self) -> None:
        staff = self._frame.staff()
        if staff is not None:
            self._draw_for(staff)

    def _draw_for(self, staff: Staff) -> None:
        state = self._web.counters.held_by(staff)
        self._shown = state
        if state is None:
            self._panel = None
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
                    "paused": (state.counter.pause_reason or {}).get(language, ""),
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
        views, frame = self._views(), self._frame
        if self._main.props.get("data-seen") != str(state.counter.version):
            self._main.props(f'data-seen="{state.counter.version}"')
        self._draw_buttons(state)
        may_call = state.counter.current is None and state.counter.paused_since is None
        frame.fill(self._current, "console_current.html", **views.current(state))
        frame.fill(self._next, "console_next.html", **views.next(state.counter.next))
        frame.fill(
            self._queues,
            "console_queues.html",
            queues=[views.queue(queue, state) for queue in state.queues],
            aside=[views.aside(ticket) for ticket in state.aside],
            may_call=may_call,
        )
        frame.fill(self._helps, "console_helps.html", helps=[views.help(help_) for help_ in state.helps])
        self._draw_panel(state)

    def _draw_buttons(self, state: CounterState) -> None:
        counter = state.counter
        place = None if counter.current is None else counter.current.state
        allowed = _ALLOWED.get(place, set()) | _ALWAYS
        if counter.next is None or counter.paused_since is not None:
            allowed -= {"next"}
        undo = counter.undo if counter.undo is not None and counter.undo.until >= self._web.now() else None
        if undo is None:
            allowed -= {"undo"}
        for name, button in self._buttons.items():
            _set(button, "disabled", name not in allowed)
            _set(button, "data-primary", name == _PRIMARY.get(place))
        said = self._label(f"act_undo_{undo.what}", "U", number=undo.number) if undo else self._label("act_undo", "U")
        if self._undo_label.content != said:
            self._undo_label.set_content(said)

    def _draw_panel(self, state: CounterState) -> None:
        context = None
        if self._panel is not None:
            own = state.counter.counter
            others = [each for each in self._web.counters.counters() if each.counter.counter != own]
            context = panel_context(
                self._panel, state, self._web.port.projection(), [*others, state], self._frame.language
            )
        if context is None:
            self._panel = None
        self._frame.fill(self._beside, "console_panel.html", panel=context)
        self._main.props(f'data-beside="{"panel" if context else "queues"}"')

    def _views(self) -> CounterViews:
        facts, projection = self._web.facts.read(), self._web.port.projection()
        clerks = [counter.clerk for counter in projection.counters if counter.clerk is not None]
        return CounterViews(
            now=self._web.now(),
            language=self._frame.language,
            zone=facts.zone,
            classes=facts.classes,
            counters={counter.counter: counter.number for counter in projection.counters},
            clerks={clerk: self._web.counters.name_of(clerk) for clerk in clerks},
        )

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
            wish = Wish(event.args)
            if not self._turn_panel(wish):
                self._message = await self._do(staff, wish)
            self._draw_for(staff)
        finally:
            self._busy = False
            ui.run_javascript("settled()")

    def _turn_panel(self, wish: Wish) -> bool:
        """Opens, closes or turns the panel, where that is what was wished; nothing of it leaves this page."""
        if wish.act == "panel" and wish.text("panel") in KINDS:
            kind: PanelKind = wish.text("panel")  # type: ignore[assignment]  # one of KINDS
            wanted = Panel(kind, wish.text("ticket") or None)
            self._panel = None if wanted == self._panel else wanted
        elif wish.act == "close_panel":
            self._panel = None
        elif wish.act == "send_to" and self._panel is not None:
            self._panel = Panel(self._panel.kind, self._panel.ticket, wish.text("to"))
        else:
            return False
        return True

    async def _do(self, staff: Staff, wish: Wish) -> tuple[Kind, str] | None:
        found = Acts(self._web.counters, staff, self._shown, self._panel).of(wish)
        if found is None:
            return None
        act, done = found
        before = self._number_of(wish)
        return self._outcome(await act(), done, before)

    def _number_of(self, wish: Wish) -> str:
        """The number that the wish is about, as the page shows it."""
        state = self._shown
        if state is None:
            return ""
        shown = {ticket.ticket: ticket.number for queue in state.queues for ticket in queue.waiting}
        shown |= {ticket.ticket: ticket.number for ticket in state.aside}
        current = state.counter.current
        return shown.get(wish.text("ticket"), current.number if current is not None else "")

    def _outcome(self, outcome: Outcome, done: str, before: str) -> tuple[Kind, str] | None:
        if isinstance(outcome, Refused):
            return "refused", sentence(outcome, self._frame.language)
        self._panel = None
        if not done:
            return None
        current = None if outcome is None else outcome.counter.current
        if done == "done_next" and current is None:
            done = "done_complete"
        number = before if current is None else current.number
        return "done", self._frame.word(done, number=number)


def _set(element: ui.element, name: str, on: bool) -> None:
    if on and name not in element.props:
        element.props(name)
    elif not on and name in element.props:
        element.props(remove=name)
