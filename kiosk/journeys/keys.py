"""Keys of the keypad in the cabinet mean what the same keys of the screen's own keypads mean."""

from kiosk.journeys import idle, intents
from kiosk.journeys.state import Choosing, State, TypingAppointment, TypingCode

_ERASING = ("backspace", "clear")


def meant(state: State, key: str) -> intents.Intent:
    """The touch that a key stands for; where no keypad is shown, or the countdown runs, it only says that somebody is
    there. `key` is as in `hardware.events.KeyPressed`."""
    if idle.countdown(state) is not None:
        return intents.Touched()
    if key == "cancel":
        return intents.Back()
    if isinstance(state.page, TypingCode):
        return _of_technician(key)
    if isinstance(state.page, TypingAppointment):
        return _of_appointment(key)
    if isinstance(state.page, Choosing) and state.page.searching:
        return _of_search(state.page.typed, key)
    return intents.Touched()


def _of_technician(key: str) -> intents.Intent:
    if key in _ERASING:
        return intents.CodeErase()
    return intents.CodeDigit(key) if key.isdigit() else intents.Touched()


def _of_appointment(key: str) -> intents.Intent:
    if key in _ERASING:
        return intents.AppointmentErase(whole=key == "clear")
    if key == "enter":
        return intents.ConfirmAppointmentCode()
    return intents.AppointmentKey(key) if key.isdigit() else intents.Touched()


def _of_search(typed: str, key: str) -> intents.Intent:
    if key in _ERASING:
        return intents.Search("" if key == "clear" else typed[:-1])
    return intents.Search(typed + key) if key.isdigit() else intents.Touched()
