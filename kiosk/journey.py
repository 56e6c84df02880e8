"""The running journey: the one holder of the state, which feeds the machine and hands out effects and views."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import structlog

from kiosk.journeys.effects import Effect, WithdrawRequest
from kiosk.journeys.events import Event
from kiosk.journeys.machine import step
from kiosk.journeys.present import view
from kiosk.journeys.state import Awaiting, State, end_session
from kiosk.journeys.views import View
from wire.where import where

OnView = Callable[[View], None]

log = structlog.get_logger(__name__)


class Journey:
    """Events are taken one after another, also those that effects cause. A failing rule ends the session, takes back
    what was asked for, is logged and shown as out of service (`on_crash` hears it); the screen never freezes."""

    def __init__(
        self,
        state: State,
        perform: Callable[[Effect], None],
        monotonic: Callable[[], float],
        on_crash: Callable[[], None],
    ) -> None:
        self.state = state
        self.view = view(state)
        self._perform = perform
        self._monotonic = monotonic
        self._on_crash = on_crash
        self._waiting: deque[Event] = deque()
        self._running = False
        self._listeners: list[OnView] = []

    def on_view(self, listener: OnView) -> None:
        """Call `listener` with the present view, and with each different one from now on."""
        self._listeners.append(listener)
        listener(self.view)

    def handle(self, event: Event) -> None:
        self._waiting.append(event)
        if self._running:
            return
        self._running = True
        try:
            while self._waiting:
                self._step(self._waiting.popleft())
        finally:
            self._running = False

    def _step(self, event: Event) -> None:
        try:
            self.state, effects = step(self.state, event, self._monotonic())
            for effect in effects:
                self._perform(effect)
            self._show(view(self.state))
        except Exception as error:  # noqa: BLE001 - shown as out of service, never a frozen screen
            log.error("journey_failed", kind=type(event).__name__, error=type(error).__name__, at=where(error))
            self._recover()

    def _recover(self) -> None:
        page = self.state.page
        if isinstance(page, Awaiting):
            self._perform(WithdrawRequest(page.attempt, "left"))
        self.state, effects = end_session(self.state)
        self.state = replace(self.state, condition=replace(self.state.condition, crashed="journey"))
        for effect in effects:
            self._perform(effect)
        self._show(view(self.state))
        self._on_crash()

    def _show(self, shown: View) -> None:
        if shown != self.view:
            self.view = shown
            for listener in self._listeners:
                _tell(listener, shown)


def _tell(listener: OnView, shown: View) -> None:
    try:
        listener(shown)
    except Exception as error:  # noqa: BLE001 - a screen that fails must not stop the journey
        log.error("view_not_shown", view=type(shown).__name__, error=type(error).__name__, at=where(error))
