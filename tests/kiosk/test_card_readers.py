"""The terminal with a reader for ID cards and one for social security cards: either says who somebody is."""

import gc
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from hardware.print_jobs import PrintJobStore
from hardware.profile import bind
from hardware.roles import Role
from hardware.simulators.chip_cards import SAMPLE_HOLDERS, Holder
from hardware.simulators.id_card_reader import IdCardReaderSimulator
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import PtyLine
from hardware.simulators.smart_card import InsertedCard, SmartCardSimulator
from hardware.smart_card.social_security import SocialSecurityCard
from kiosk.devices import Devices
from kiosk.journeys import events
from kiosk.journeys.views import CardState
from kiosk.session import KioskSession
from tests.kiosk.profiles import HALL_KEY
from tests.kiosk.stand_in import until
from wire.person_key import person_key


class Terminal:
    """The devices of a terminal, and what they told its journey."""

    def __init__(self, folder: Path) -> None:
        self.laid = IdCardReaderSimulator(PtyLine(folder / "reader")).start()
        self.chip = SmartCardSimulator("Simulated Social Card Reader", InsertedCard()).start()
        self.told: list[events.Event] = []
        self.devices = Devices(
            (
                bind(Role.ID_CARD_READER, "sam-v", self.laid.address),
                bind(Role.SOCIAL_CARD_READER, "social-security-card", self.chip.address),
            ),
            PrintJobStore(None, lambda: datetime.now(UTC)),
            HALL_KEY,
            self.told.append,
        )

    @property
    def ready(self) -> bool:
        return next(event.reader_ready for event in reversed(self.told) if isinstance(event, events.DevicesChanged))

    def health(self, role: Role) -> str:
        return next(line.health for line in self.devices.peripherals if line.role == role)

    def of(self, kind: type) -> list:
        return [event for event in self.told if isinstance(event, kind)]

    async def close(self) -> None:
        await self.devices.close()
        self.laid.close()
        self.chip.close()


@pytest.fixture
async def terminal(tmp_path) -> AsyncIterator[Terminal]:
    terminal = Terminal(tmp_path)
    try:
        await until(lambda: all(terminal.health(role) == "ok" for role in ("id_card_reader", "social_card_reader")))
        yield terminal
    finally:
        await terminal.close()


async def test_a_social_security_card_says_who_somebody_is(terminal):
    session = KioskSession(1)
    terminal.devices.start_card_read(session)
    terminal.chip.insert(InsertedCard(holder=SAMPLE_HOLDERS[1]))
    await until(lambda: terminal.of(events.CardRead))
    assert terminal.of(events.CardRead) == [events.CardRead(1, "黄*", "9901**********028X")]
    assert session.person_key == person_key(SAMPLE_HOLDERS[1].number, HALL_KEY)
    assert session.name == SAMPLE_HOLDERS[1].name
    session.wipe()


async def test_the_first_card_counts_and_the_other_reader_stops(terminal):
    session = KioskSession(1)
    terminal.devices.start_card_read(session)
    terminal.laid.lay(SAMPLE_CARDS[0])
    await until(lambda: terminal.of(events.CardRead))
    terminal.chip.insert(InsertedCard(holder=SAMPLE_HOLDERS[1]))
    terminal.devices.start_card_read(following := KioskSession(2))
    await until(lambda: len(terminal.of(events.CardRead)) == 2)
    assert terminal.of(events.CardRead)[1].session == 2
    assert session.person_key == person_key(SAMPLE_CARDS[0].number, HALL_KEY)
    assert following.person_key == person_key(SAMPLE_HOLDERS[1].number, HALL_KEY)


async def test_a_reader_that_just_waits_does_not_hide_trouble_at_the_other(terminal):
    terminal.laid.set_faults(read_failures=99)
    terminal.laid.lay(SAMPLE_CARDS[0])
    terminal.devices.start_card_read(KioskSession(1))
    await until(lambda: terminal.told and terminal.told[-1] == events.CardProgress(1, CardState.LIFT_AND_LAY_AGAIN))
    terminal.chip.insert(InsertedCard("bank"))
    await until(lambda: terminal.told[-1] == events.CardProgress(1, CardState.NOT_THIS_CARD))
    terminal.chip.pull()
    await until(lambda: terminal.told[-1] == events.CardProgress(1, CardState.LIFT_AND_LAY_AGAIN))


async def test_one_reader_away_leaves_the_terminal_ready_with_the_other(terminal):
    terminal.laid.unplug()
    await until(lambda: terminal.health(Role.ID_CARD_READER) == "offline")
    assert terminal.ready
    session = KioskSession(1)
    terminal.devices.start_card_read(session)
    terminal.chip.insert()
    await until(lambda: session.identified)
    terminal.chip.unplug()
    await until(lambda: not terminal.ready)


async def test_nothing_of_a_social_security_card_remains_after_its_session(terminal, tmp_path):
    canary = Holder("鹮鸑鷟", "990177187703154321", card_number="CANARY077")
    with structlog.testing.capture_logs() as logs:
        session = KioskSession(1)
        terminal.devices.start_card_read(session)
        terminal.chip.insert(InsertedCard(holder=canary))
        await until(lambda: session.identified)
        terminal.devices.stop_card_read()
        session.wipe()
        terminal.chip.pull()
    told = f"{json.dumps(logs, ensure_ascii=False, default=str)}{terminal.told}"
    assert not any(word in told for word in (canary.name, canary.number, canary.card_number))
    needles = [word.encode(encoding) for word in (canary.name, canary.number) for encoding in ("utf-8", "gb18030")]
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert not any(needle in file.read_bytes() for needle in needles), file
    gc.collect()
    for thing in gc.get_objects():
        if issubclass(type(thing), SocialSecurityCard):
            assert thing.wiped
        if issubclass(type(thing), bytearray):
            assert not any(needle in thing for needle in needles)
