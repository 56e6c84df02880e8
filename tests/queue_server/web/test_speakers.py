"""One display speaks in a zone, and what keeps it from being heard is told to staff."""

from dataclasses import replace

import pytest

from queue_server.alerts import AlertBook
from queue_server.web.speakers import SpeakerDesk, SpeakerReport

HEARD = SpeakerReport(screen="tv-1", sound="ok", waiting=0, delay_s=0, failed=False)


class Desk(SpeakerDesk):
    def __init__(self) -> None:
        self.alerts = AlertBook("hall", None)
        self.time = 100.0
        super().__init__(self.alerts, lambda: self.time, lease_s=30, behind_after_s=30)

    def raised(self) -> set[str]:
        return {alert.code for alert in self.alerts.open()}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_first_screen_speaks_and_a_second_one_is_silent(desk: Desk) -> None:
    assert desk.report("east", HEARD)
    assert not desk.report("east", replace(HEARD, screen="tv-2"))
    assert desk.report("east", HEARD)


def test_each_zone_has_a_speaker_of_its_own(desk: Desk) -> None:
    assert desk.report("east", HEARD)
    assert desk.report("west", replace(HEARD, screen="tv-2"))


def test_a_screen_that_went_away_is_replaced_after_its_lease(desk: Desk) -> None:
    desk.report("east", HEARD)
    desk.time += 29
    assert not desk.report("east", replace(HEARD, screen="tv-2"))
    desk.time += 1
    assert desk.report("east", replace(HEARD, screen="tv-2"))
    assert not desk.report("east", HEARD)


def test_a_silent_second_screen_says_nothing_of_the_zone(desk: Desk) -> None:
    desk.report("east", HEARD)
    desk.report("east", replace(HEARD, screen="tv-2", sound="blocked"))
    assert desk.raised() == set()


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"sound": "blocked"}, "display_sound_blocked"),
        ({"failed": True}, "display_voice_failed"),
        ({"waiting": 5, "delay_s": 31}, "display_behind"),
    ],
)
def test_trouble_is_raised_and_cleared_when_it_is_over(desk: Desk, trouble: dict[str, object], code: str) -> None:
    desk.report("east", replace(HEARD, **trouble))  # type: ignore[arg-type]
    assert desk.raised() == {code}
    desk.report("east", HEARD)
    assert desk.raised() == set()


def test_a_zone_that_catches_up_stays_reported_until_nobody_waits(desk: Desk) -> None:
    desk.report("east", replace(HEARD, waiting=5, delay_s=31))
    desk.report("east", replace(HEARD, waiting=2, delay_s=8))
    assert desk.raised() == {"display_behind"}


def test_a_speaker_that_falls_silent_is_missed_and_welcomed_back(desk: Desk) -> None:
    desk.report("east", HEARD)
    desk.look_for_silence()
    assert desk.raised() == set()
    desk.time += 30
    desk.look_for_silence()
    assert desk.raised() == {"display_speaker_gone"}
    desk.report("east", HEARD)
    assert desk.raised() == set()
