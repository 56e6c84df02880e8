"""The own tests of the terminal's devices, one at a time, told to the technician's screen step by step."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from hardware.cabinet import Cabinet
from hardware.cancel import CancelToken
from hardware.roles import Role
from hardware.self_test import Progress, SelfTestReport, Step, StepBegun
from hardware.technician.words import REQUESTS, WHO, Words, advice, step_words
from hardware.vocabulary import Verdict, WhoActs
from kiosk.journeys import events
from kiosk.journeys.catalogue import Texts
from kiosk.journeys.views import SelfTestState

Tell = Callable[[events.Event], None]
"""Hands an event to the journey; may be called from any thread."""

_STATES = {
    Verdict.PASS: SelfTestState.PASSED,
    Verdict.FAIL: SelfTestState.FAILED,
    Verdict.UNKNOWN: SelfTestState.UNKNOWN,
    Verdict.NOT_SUPPORTED: SelfTestState.NOT_SUPPORTED,
}


class SelfTests:
    """The same tests as `python -m hardware test` runs. A test that is stopped tells nothing any more."""

    def __init__(self, cabinet: Cabinet, tell: Tell) -> None:
        self._cabinet, self._tell = cabinet, tell
        self._running: CancelToken | None = None

    def start(self, attempt: int, role: str, within_s: float) -> None:
        """Test the device of this role, which the cabinet has, within so many seconds."""
        self.stop()
        device = self._cabinet.devices[Role(role)]
        token = self._running = CancelToken()
        device.self_test(
            time.monotonic() + within_s, on_progress=partial(self._progressed, attempt, token), cancel=token
        ).add_done_callback(partial(self._ended, attempt, token))

    def stop(self) -> None:
        """End the test that runs. Its device is free again as soon as it has heard of it."""
        if self._running is not None:
            self._running.cancel()
            self._running = None

    def _progressed(self, attempt: int, token: CancelToken, progress: Progress) -> None:
        """On the device's thread."""
        if isinstance(progress, StepBegun) and not token.cancelled:
            asked = progress.request
            request = None if asked is None else _texts(REQUESTS[asked])
            self._tell(events.SelfTestStep(attempt, _texts(step_words(progress.name)), request))

    def _ended(self, attempt: int, token: CancelToken, done: "Future[SelfTestReport]") -> None:
        """On the device's thread."""
        if token.cancelled:
            return
        report = done.result()
        step = report.decisive
        texts = (Texts(""), Texts("")) if step is None else (_texts(step_words(step.name)), _found(step))
        self._tell(events.SelfTestDone(attempt, _STATES[report.verdict], *texts))


def _found(step: Step) -> Texts:
    """What a step measured, or what is wrong, what to do about it and who."""
    if step.verdict in {Verdict.PASS, Verdict.NOT_SUPPORTED}:
        return Texts(step.measured)
    said = advice(step.detail)
    if step.who_acts is WhoActs.NOBODY:
        return _texts(said)
    who = WHO[step.who_acts]
    return Texts(f"{said.zh}（{who.zh}）", f"{said.en or said.zh} ({who.en})")


def _texts(words: Words) -> Texts:
    return Texts(words.zh, words.en)
