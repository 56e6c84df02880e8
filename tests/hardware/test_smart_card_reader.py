"""The driver of chip card readers against a real pcscd, whose virtual reader holds a simulated card."""

import asyncio
import gc
import os
import threading
import time

import pytest
from structlog.testing import capture_logs

from hardware.addresses import PcscAddress
from hardware.cancel import CancelToken
from hardware.card_waiting import CardEvent
from hardware.device import Supervision
from hardware.drivers import driver
from hardware.errors import BadAddress, NoAnswer
from hardware.events import CardInserted, CardRemoved, StatusChanged
from hardware.roles import Role
from hardware.self_test import StepBegun
from hardware.session import DeviceSession
from hardware.simulators.chip_cards import SAMPLE_HOLDERS, Holder
from hardware.simulators.simulator import Trouble
from hardware.simulators.smart_card import InsertedCard, SmartCardSimulator
from hardware.smart_card.lane import Lane
from hardware.smart_card.reader import (
    BankCardReader,
    SmartCardTiming,
    SocialCardReader,
    pcsc_readers,
    stable_name,
)
from hardware.smart_card.social_security import SocialSecurityCard
from hardware.vocabulary import Detail, Health, Outcome, Verdict, WhoActs
from hardware.worker import BackOff

QUICK = Supervision(BackOff(first_s=0.02, limit_s=0.05), probe_interval_s=0.05, probe_timeout_s=1.0)
TIMING = SmartCardTiming(answer_s=1.0, busy_s=0.2, first_look_s=2.0, settle_s=0.05)
OTHER = InsertedCard(holder=SAMPLE_HOLDERS[1])


@pytest.fixture(scope="module")
def running():
    simulator = SmartCardSimulator("Simulated Card Reader", InsertedCard()).start()
    yield simulator
    simulator.close()


@pytest.fixture
def simulator(running):
    running.plug()
    yield running
    running.clear_faults()
    running.pull()


class Desk:
    """A reader, everything it says, and what it gave."""

    def __init__(self, simulator, kind=SocialCardReader, **options) -> None:
        self.said = []
        options = {"timing": TIMING, "supervision": QUICK, "on_event": self.said.append} | options
        self.reader = kind(simulator.address, **options)
        self.events = []

    def wait_for_card(self, seconds=30.0, **options):
        self.events.clear()
        return self.reader.wait_for_card(time.monotonic() + seconds, on_event=self.events.append, **options)

    @property
    def health(self):
        return self.reader.status.health


@pytest.fixture
def desk(simulator, wait_until):
    desk = Desk(simulator)
    wait_until(lambda: desk.health is Health.OK and not desk.reader._monitor.state.card)
    yield desk
    desk.reader.close()


def test_a_card_that_is_put_in_is_read(simulator, desk, wait_until):
    future = desk.wait_for_card()
    wait_until(lambda: desk.events == [CardEvent.PLACE_CARD])
    simulator.insert()
    read = future.result(20)
    assert (read.outcome, read.card.name, read.card.number) == (
        Outcome.DONE,
        SAMPLE_HOLDERS[0].name,
        SAMPLE_HOLDERS[0].number,
    )
    assert desk.events == [CardEvent.PLACE_CARD, CardEvent.CARD_FOUND, CardEvent.READ_OK]
    simulator.pull()
    wait_until(lambda: CardRemoved(Role.SOCIAL_CARD_READER) in desk.said)
    cards = [event for event in desk.said if not isinstance(event, StatusChanged)]
    assert cards == [CardInserted(Role.SOCIAL_CARD_READER), CardRemoved(Role.SOCIAL_CARD_READER)]


def test_a_card_that_fetches_and_corrects_lengths_is_read_through_pcscd(simulator, desk):
    simulator.insert(InsertedCard(holder=SAMPLE_HOLDERS[2], fetches=True, exact=True, by_tag=False))
    assert desk.wait_for_card().result(20).card.name == SAMPLE_HOLDERS[2].name


def test_a_bank_cards_masked_number_is_read_through_pcscd(simulator):
    desk = Desk(simulator, BankCardReader)
    try:
        simulator.insert(InsertedCard("bank", fetches=True, track2=True))
        assert desk.wait_for_card().result(20).card.masked_number == "620000*********0017"
    finally:
        desk.reader.close()


def test_a_card_left_by_the_one_before_is_not_read_for_the_next(simulator, desk, wait_until):
    simulator.insert()
    desk.wait_for_card().result(20).card.wipe()
    future = desk.wait_for_card()
    wait_until(lambda: desk.events == [CardEvent.LIFT_AND_RELAY])
    simulator.restart_service()
    future.result(20)  # the service's end is a fault of the reader; the card stays the same one
    wait_until(lambda: desk.health is Health.OK and desk.reader._monitor.state.card)
    timed_out = desk.wait_for_card(1.0).result(20)
    assert (timed_out.outcome, timed_out.detail) == (Outcome.TIMED_OUT, Detail.CARD_NOT_LIFTED)
    future = desk.wait_for_card()
    simulator.pull()
    wait_until(lambda: desk.events[-1:] == [CardEvent.PLACE_CARD])
    simulator.insert(OTHER)
    assert future.result(20).card.name == OTHER.holder.name


@pytest.mark.parametrize(
    "pull", [{"pulled_after": 0}, {"pulled_after": 6}, {"pulled_after_bytes": 1}, {"pulled_after_bytes": 60}], ids=str
)
def test_a_card_pulled_while_it_is_read_is_asked_for_again(simulator, desk, wait_until, pull):
    simulator.set_faults(**pull)
    simulator.insert()
    future = desk.wait_for_card()
    wait_until(lambda: desk.events[-1:] == [CardEvent.PLACE_CARD] and CardEvent.LIFT_AND_RELAY in desk.events)
    simulator.clear_faults()
    simulator.insert(OTHER)
    assert future.result(20).card.name == OTHER.holder.name


def test_a_card_of_another_kind_is_told_and_the_right_one_is_waited_for(simulator, desk, wait_until):
    simulator.insert(InsertedCard("bank"))
    future = desk.wait_for_card()
    wait_until(lambda: CardEvent.WRONG_CARD in desk.events)
    simulator.pull()
    wait_until(lambda: desk.events[-1] is CardEvent.PLACE_CARD)
    simulator.insert()
    assert future.result(20).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "faults",
    [{"mute": True}, {"garbage": True}, {"truncate_at": 1}, {"endless": True}, {"read_sw": 0x6982}],
    ids=str,
)
def test_a_card_that_cannot_be_read_is_asked_for_again_and_nothing_hangs(simulator, desk, wait_until, faults):
    simulator.set_faults(**faults)
    simulator.insert()
    future = desk.wait_for_card()
    wait_until(lambda: bool({CardEvent.LIFT_AND_RELAY, CardEvent.WRONG_CARD} & set(desk.events)))
    future.cancel()
    read = desk.wait_for_card(1.0).result(20)
    assert (read.outcome, read.detail, read.who_acts) == (
        Outcome.TIMED_OUT,
        Detail.CARD_NOT_LIFTED,
        WhoActs.CITIZEN,
    )
    assert desk.health is Health.OK, "a bad card is no fault of the reader"


def test_a_slow_card_is_read(simulator, desk):
    simulator.trouble(Trouble.SLOW)
    simulator.insert()
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_a_card_that_stays_silent_is_unknown_and_all_is_well_when_it_speaks_again(simulator, desk, wait_until):
    simulator.set_faults(silent_after=0)
    simulator.insert()
    read = desk.wait_for_card().result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.NO_ANSWER)
    wait_until(lambda: desk.health is Health.UNKNOWN)
    again = desk.wait_for_card().result(20)
    assert again.detail is Detail.NO_ANSWER, "nothing piles up behind the silence"
    assert sum(thread.name == "cards-social_card_reader" for thread in threading.enumerate()) == 1
    simulator.clear_faults()
    wait_until(lambda: desk.health is Health.OK)
    simulator.pull()
    simulator.insert(OTHER)
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_a_frozen_service_is_unknown_while_a_card_is_waited_for_and_idle(simulator, desk, wait_until):
    future = desk.wait_for_card()
    wait_until(lambda: bool(desk.events))
    simulator.trouble(Trouble.SILENT)
    read = future.result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.NO_ANSWER)
    wait_until(lambda: desk.health is Health.UNKNOWN)
    assert desk.reader.ask_status(time.monotonic() + 20).result(20).health is Health.UNKNOWN
    simulator.clear_faults()
    wait_until(lambda: desk.health is Health.OK)
    simulator.insert()
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_a_card_held_by_another_program_is_a_named_fault_until_it_is_let_go(simulator, desk, wait_until):
    simulator.trouble(Trouble.STUCK_BUSY)
    read = desk.wait_for_card().result(20)
    assert (read.outcome, read.detail, read.who_acts) == (
        Outcome.DEVICE_FAULT,
        Detail.CARD_HELD,
        WhoActs.TECHNICIAN,
    )
    wait_until(lambda: desk.health is Health.FAULT)
    simulator.clear_faults()
    wait_until(lambda: desk.health is Health.OK)
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_the_end_of_the_service_is_told_and_logged_once_and_so_is_its_return(simulator, wait_until):
    with capture_logs() as logs:
        desk = Desk(simulator)
        try:
            wait_until(lambda: desk.health is Health.OK)
            for _ in range(2):
                simulator.killed_service()
                wait_until(lambda: desk.health is Health.OFFLINE)
                assert desk.reader.status.detail is Detail.CARD_SERVICE_LOST
                assert desk.reader.status.who_acts is WhoActs.TECHNICIAN
                simulator.restart_service()
                wait_until(lambda: desk.health is Health.OK)
        finally:
            desk.reader.close()
    service = [entry["event"] for entry in logs if entry["event"].startswith("card_service")]
    assert service == ["card_service_found"] + ["card_service_lost", "card_service_found"] * 2
    device = [entry["event"] for entry in logs if entry["event"].startswith("device")]
    assert device == ["device_found"] + ["device_lost", "device_found"] * 2


@pytest.mark.parametrize("answered", [0, 7])
def test_the_end_of_the_service_in_the_middle_of_a_read_is_a_fault_of_the_reader(simulator, desk, wait_until, answered):
    simulator.set_faults(service_dies_after=answered)
    simulator.insert()
    read = desk.wait_for_card().result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.CARD_SERVICE_LOST)
    simulator.clear_faults()
    simulator.restart_service()
    wait_until(lambda: desk.health is Health.OK)
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_an_unplugged_reader_is_offline_and_back_again_is_ok(simulator, desk, wait_until):
    simulator.unplug()
    wait_until(lambda: desk.reader.status.detail is Detail.LINE_LOST)
    assert desk.health is Health.OFFLINE
    read = desk.wait_for_card().result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.LINE_LOST)
    simulator.plug()
    wait_until(lambda: desk.health is Health.OK)
    simulator.insert()
    assert desk.wait_for_card().result(20).outcome is Outcome.DONE


def test_a_reader_that_is_absent_at_the_start_is_found_when_it_comes(simulator, wait_until):
    simulator.unplug()
    desk = Desk(simulator)
    try:
        wait_until(lambda: desk.health is Health.OFFLINE)
        simulator.plug()
        wait_until(lambda: desk.health is Health.OK)
    finally:
        desk.reader.close()


def test_a_service_that_is_absent_at_the_start_is_found_when_it_comes(simulator, wait_until):
    simulator.killed_service()
    desk = Desk(simulator)
    try:
        wait_until(lambda: desk.reader.status.detail is Detail.CARD_SERVICE_LOST)
        simulator.restart_service()
        wait_until(lambda: desk.health is Health.OK)
    finally:
        desk.reader.close()


def test_a_cancelled_wait_is_not_a_timed_out_one(desk, wait_until):
    cancel = CancelToken()
    future = desk.wait_for_card(cancel=cancel)
    wait_until(lambda: bool(desk.events))
    cancel.cancel()
    assert (future.result(20).outcome, future.result().detail) == (Outcome.CANCELLED, Detail.CANCELLED)
    timed_out = desk.wait_for_card(0.1).result(20)
    assert (timed_out.outcome, timed_out.detail) == (Outcome.TIMED_OUT, Detail.NO_CARD)


def test_the_end_of_a_session_wipes_the_card_that_was_read_in_it(simulator, desk):
    session = DeviceSession()
    simulator.insert()
    card = desk.wait_for_card(session=session).result(20).card
    assert not card.wiped
    session.end()
    assert card.wiped
    assert desk.wait_for_card(session=session).result(20).outcome is Outcome.CANCELLED


async def test_a_card_read_for_a_task_that_was_cancelled_is_wiped(simulator, desk, wait_until):
    simulator.set_faults(delay_s=0.05)
    waiting = asyncio.ensure_future(asyncio.wrap_future(desk.wait_for_card()))
    simulator.insert()
    await asyncio.to_thread(wait_until, lambda: CardEvent.CARD_FOUND in desk.events)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert desk.reader.ask_status(time.monotonic() + 20).result(20).health is Health.OK
    gc.collect()
    assert not [thing for thing in gc.get_objects() if issubclass(type(thing), SocialSecurityCard) and not thing.wiped]


def test_nothing_of_a_card_is_logged_said_or_kept(simulator, wait_until):
    canary = Holder("鹮鸑鷟", "990177187703154321", card_number="CANARY077")
    with capture_logs() as logs:
        desk = Desk(simulator)
        simulator.insert(InsertedCard(holder=canary))
        desk.wait_for_card().result(20).card.wipe()
        simulator.set_faults(pulled_after=9)
        simulator.insert(InsertedCard(holder=canary))
        future = desk.wait_for_card()
        wait_until(lambda: CardEvent.LIFT_AND_RELAY in desk.events)
        desk.reader.close()
        assert future.result(20).card is None
    assert not any(word in f"{logs}{desk.said}" for word in (canary.name, canary.number, canary.card_number))
    log = (simulator._daemon.folder / "pcscd.log").read_bytes()
    assert canary.number.encode() not in log
    assert canary.number.encode().hex(" ").upper().encode() not in log


def test_the_self_test_asks_for_a_card_and_reads_it(simulator, desk):
    progress = []

    def on_progress(step) -> None:
        progress.append(step)
        if isinstance(step, StepBegun) and step.request is not None:
            simulator.help_self_test()

    report = desk.reader.self_test(time.monotonic() + 20, on_progress=on_progress).result(30)
    assert [step.name for step in report.steps] == ["status", "card_read"]
    assert report.verdict is Verdict.PASS
    assert "Simulated Card Reader" in report.steps[0].measured


def test_a_self_test_without_a_card_says_that_it_does_not_know(desk):
    report = desk.reader.self_test(time.monotonic() + 0.3).result(20)
    assert (report.verdict, report.steps[-1].detail) == (Verdict.UNKNOWN, Detail.NO_CARD)


def test_closing_ends_a_running_wait(simulator, wait_until):
    desk = Desk(simulator)
    future = desk.wait_for_card()
    wait_until(lambda: bool(desk.events))
    desk.reader.close()
    assert (future.result(0).outcome, future.result(0).detail) == (Outcome.CANCELLED, Detail.CLOSED)


def test_no_thread_and_no_descriptor_is_left_behind_by_readers_that_come_and_go(simulator, wait_until):
    def held():
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = None
    for _ in range(4):
        desk = Desk(simulator)
        wait_until(lambda desk=desk: desk.health is Health.OK)
        simulator.insert()
        desk.wait_for_card().result(20)
        simulator.killed_service()
        wait_until(lambda desk=desk: desk.health is Health.OFFLINE)
        simulator.restart_service()
        wait_until(lambda desk=desk: desk.health is Health.OK)
        simulator.pull()
        desk.reader.close()
        before = before or held()
    wait_until(lambda: held() <= before)


def test_the_watching_goes_on_when_a_listener_of_its_events_fails(simulator, wait_until):
    said = []

    def listen(event) -> None:
        said.append(event)
        if len(said) == 2:
            raise RuntimeError("a listener's own defect")

    desk = Desk(simulator, on_event=listen)
    try:
        wait_until(lambda: desk.health is Health.OK)
        simulator.insert()
        wait_until(lambda: len(said) >= 2)
        simulator.pull()
        wait_until(lambda: CardRemoved(Role.SOCIAL_CARD_READER) in said)
        simulator.insert()
        assert desk.wait_for_card().result(20).outcome is Outcome.DONE
    finally:
        desk.reader.close()


def test_readers_are_found_by_names_that_stay(simulator):
    found = {str(each.address): each.description for each in pcsc_readers()}
    assert found["pcsc:Simulated Card Reader *"] == "Simulated Card Reader 00 00"
    assert found["pcsc:Simulated Card Reader 00 01"] == "Simulated Card Reader 00 01"


def test_a_reader_is_asked_for_without_touching_its_card(simulator):
    probe = driver("social-security-card").probe
    assert probe(PcscAddress("Simulated Card Reader *"), 1.0).health is Health.OK
    assert probe(PcscAddress("Simulated Card Reader 00 01"), 1.0).health is Health.OK
    assert probe(PcscAddress("Another Reader *"), 1.0) is None
    simulator.killed_service()
    assert probe(PcscAddress("Simulated Card Reader *"), 1.0) is None


@pytest.mark.parametrize(
    ("name", "stable"),
    [
        ("ACS ACR38U-CCID 01 00", "ACS ACR38U-CCID *"),
        ("ACS ACR38U-CCID 01 01", "ACS ACR38U-CCID 01 01"),
        ("Reader", "Reader"),
        ("Reader X", "Reader X"),
        ("", ""),
    ],
)
def test_a_stable_name_has_no_number_of_plugging_in(name, stable):
    assert stable_name(name) == stable


def test_only_addresses_of_pcsc_are_taken():
    with pytest.raises(BadAddress):
        SocialCardReader("serial:/dev/ttyS0")


def test_a_call_that_hangs_holds_nobody_and_its_lane_is_free_when_it_ends(wait_until):
    lane = Lane("test-lane")
    released = threading.Event()
    with pytest.raises(NoAnswer):
        lane.call(lambda: released.wait(30), time.monotonic() + 0.05, lambda: None)
    assert lane.stuck
    with pytest.raises(NoAnswer):
        lane.wait_free(time.monotonic() + 0.05, lambda: None)
    released.set()
    wait_until(lambda: not lane.stuck)
    assert lane.call(lambda: 7, time.monotonic() + 20, lambda: None) == 7
    lane.close()
