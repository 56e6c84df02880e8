"""Language, large type, high contrast and voice: switches that hold until the session ends."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import intents
from kiosk.journeys.state import State, Step


def set_language(state: State, intent: intents.SetLanguage) -> Step:
    if intent.language not in ("zh", "en"):
        return state, ()
    return replace(state, preferences=replace(state.preferences, language=intent.language)), ()


def set_large_type(state: State, intent: intents.SetLargeType) -> Step:
    return replace(state, preferences=replace(state.preferences, large_type=intent.on)), ()


def set_high_contrast(state: State, intent: intents.SetHighContrast) -> Step:
    return replace(state, preferences=replace(state.preferences, high_contrast=intent.on)), ()


def set_voice(state: State, intent: intents.SetVoice) -> Step:
    """Only where there is something to hear."""
    voice_on = intent.on and state.preferences.language in state.equipment.voices
    return replace(state, preferences=replace(state.preferences, voice_on=voice_on)), ()


HANDLERS: dict[type, Any] = {
    intents.SetLanguage: set_language,
    intents.SetLargeType: set_large_type,
    intents.SetHighContrast: set_high_contrast,
    intents.SetVoice: set_voice,
}
