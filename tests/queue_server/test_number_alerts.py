"""Alerts about numbers: before they run out, when they are hoarded, when two machines hold the same."""

from dataclasses import replace
from typing import Any

import pytest

from queue_server.alerts import SEVERITY, AlertBook
from queue_server.devices import DeviceBook
from queue_server.hall import CloseDay, GrantOffline, JoinOffline, Withdraw
from queue_server.hall.limits import Limits
from queue_server.ledger.registers import Registers
from queue_server.number_alerts import NumberAlerts
from queue_server.web.console.words import ALERTS
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, Scene, sample
from tests.queue_server.rig import fresh_database

HALL = "sample"


class Watch:
    """A hall whose committed events are followed, with the books of its server."""

    def __init__(self, scene: Scene, registers: Any) -> None:
        self.scene = scene
        self.alerts = AlertBook(HALL, registers)
        self.devices = DeviceBook(HALL, registers, self.alerts)
        self.devices.add("kiosk-1", "by the door")
        self._watch = NumberAlerts(self.alerts, self.devices)
        self._seen = 0

    def look(self) -> dict[str, str]:
        self._watch.follow(self.scene.history[self._seen :])
        self._seen = len(self.scene.history)
        self._watch.look(self.scene.hall, self.scene.now)
        return {alert.code: alert.subject for alert in self.alerts.open()}


@pytest.fixture
def registers(tmp_path: Any) -> Any:
    with fresh_database(tmp_path / "registers.db") as database:
        yield Registers(database)


def short(last: int, extended_to: int | None = None, warn_left: int = 2) -> Scene:
    plain = sample()
    queues = tuple(replace(q, last=last, extended_to=extended_to) if q.id == "household" else q for q in plain.queues)
    return Scene(replace(plain, queues=queues, numbering=replace(plain.numbering, warn_left=warn_left)))


def test_a_series_is_reported_before_anybody_is_turned_away(registers: Any) -> None:
    watch = Watch(short(last=4), registers)
    for _ in range(2):
        watch.scene.issue("id-card")
        seen = watch.look()
    assert seen == {"numbers_running_out": "household"}
    for _ in range(2):
        watch.scene.issue("id-card")
    assert watch.look() == {"numbers_exhausted": "household"}
    watch.scene.later(days=1)
    watch.scene.issue("id-card")
    assert watch.look() == {}


def test_a_series_beyond_its_usual_range_goes_on_and_is_reported(registers: Any) -> None:
    watch = Watch(short(last=1, extended_to=9), registers)
    watch.scene.issue("id-card")
    assert watch.look() == {}
    assert watch.scene.issue("id-card").number == "H002"
    assert watch.look() == {"numbers_extended": "household"}


def test_hoarding_is_reported_until_the_day_ends(registers: Any) -> None:
    watch = Watch(Scene(sample(limits=Limits(flag_person_numbers=2))), registers)
    for _ in range(2):
        ticket = watch.scene.issue("id-card", person="a" * 64)
        watch.scene.do(Withdraw(by=KIOSK, ticket=ticket.id))
    assert watch.look() == {"suspicious_repetition": "H002"}
    (alert,) = watch.alerts.open()
    assert "a" * 8 not in repr(alert)
    watch.scene.do(CloseDay(by=MANAGER, business_date=watch.scene.hall.business_date(MORNING)))
    assert watch.look() == {}


def test_two_holders_of_a_number_stop_the_identity_and_name_the_slip(registers: Any) -> None:
    watch = Watch(Scene(), registers)
    scene = watch.scene
    scene.do(GrantOffline(by=KIOSK, device="kiosk-1", instance="one"))
    for name in ("first", "second"):
        scene.do(
            JoinOffline(
                by=KIOSK,
                visit=f"v-{name}",
                ticket=f"t-{name}",
                step=f"s-{name}",
                follow_token=f"token-of-the-{name}",
                service="id-card",
                queue="household",
                number="XA001",
                prefix="XA",
                serial=1,
                lease=None,
                business_date=scene.hall.business_date(scene.now),
                taken_at=scene.now,
                uncertain_s=1,
                device="kiosk-1",
            )
        )
    assert watch.look() == {"cloned_device": "kiosk-1", "offline_number_changed": "XA001 → H001"}
    assert watch.devices.standing("kiosk-1") == "cloned"
    watch.devices.reload()
    assert watch.devices.standing("kiosk-1") == "cloned", "the stop is kept"
    watch.devices.renew("kiosk-1")
    assert watch.devices.standing("kiosk-1") == "accepted"


def test_every_alert_has_its_words() -> None:
    assert set(SEVERITY) <= set(ALERTS)
