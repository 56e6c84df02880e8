"""Who switched the voice on hears each thing once; who did not hears nothing."""

from pathlib import Path

import pytest

from kiosk.journeys import effects, events, intents, prompting
from kiosk.journeys.state import (
    AtHome,
    Awaiting,
    Choosing,
    Finding,
    Holding,
    LayingCard,
    Refused,
    State,
    TypingAppointment,
)
from kiosk.journeys.views import CardState, SlipState
from kiosk.prompts import Prompts
from tests.kiosk.halls import CATALOGUE, INDEX, TICKET, Walk

VOICE = Path(__file__).parent.parent.parent / "assets" / "voice"


def speaking() -> Walk:
    """A terminal with Chinese prompts, whose visitor has switched the voice on."""
    return Walk().on(
        events.Started(voices=frozenset({"zh"})),
        events.LinkChanged(up=True),
        events.Verdict("accepted"),
        events.CatalogueLoaded(CATALOGUE, INDEX),
        events.DevicesChanged((), reader_ready=True),
        intents.SetVoice(True),
    )


def said(walk: Walk) -> list[str]:
    return [effect.prompt for effect in walk.caused(effects.Speak)]


def test_nothing_is_said_until_the_voice_is_switched_on():
    walk = speaking().on(intents.SetVoice(False))
    said(walk)
    walk.on(intents.TakeNumber(), intents.ChooseService("pension"))
    assert said(walk) == []


def test_each_step_of_a_visit_is_said_once():
    walk = speaking()
    assert said(walk) == ["welcome"]
    walk.on(intents.TakeNumber(), intents.Touched(), events.Tick())
    assert said(walk) == ["choose_service"]
    walk.on(intents.ChooseService("pension"))
    assert said(walk) == ["lay_id_card"]
    walk.on(events.CardProgress(walk.state.session, CardState.READING), events.Tick())
    assert said(walk) == ["keep_id_card"]


def test_the_countdown_is_announced_once():
    walk = speaking().on(intents.TakeNumber())
    said(walk)
    walk.after(50)
    assert said(walk) == ["still_there"]


def test_the_voice_button_is_there_only_in_a_language_that_has_prompts():
    walk = speaking()
    assert walk.view.frame.voice
    walk.on(intents.SetLanguage("en"))
    assert not walk.view.frame.voice


PAGES = [
    AtHome(),
    Choosing(),
    *(LayingCard("pension", AtHome(), card) for card in CardState),
    Awaiting(1, "pension", 0.0),
    *(Holding(TICKET, 1, 0.0, slip, why) for slip in SlipState for why in (None, "paper_out")),
    *(Refused(code, (), "pension", None) for code in ("numbers_exhausted", "service_closed", "no_answer")),
    TypingAppointment(),
    *(
        Refused(code, (), None, None, Finding("card"))
        for code in ("appointment_unknown", "check_in_too_early", "check_in_too_late")
    ),
]


@pytest.mark.parametrize("page", PAGES, ids=repr)
def test_every_page_has_a_recording(page):
    state = State(terminal="t1", page=page)
    spoken = prompting._of_page(state)
    assert spoken is not None
    assert (VOICE / "zh" / f"prompt_{spoken}.wav").is_file()


def test_prompts_are_offered_only_where_they_can_be_played(monkeypatch, tmp_path):
    player = tmp_path / "aplay"
    player.write_text("#!/bin/sh\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Prompts(VOICE).languages == {"zh"}
    player.unlink()
    assert Prompts(VOICE).languages == frozenset()
