"""The reader's driver against the simulated reader on a real pty: cards, people's habits, every fault of the menu."""

import asyncio
import gc
import time
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from hardware.cancel import CancelToken
from hardware.card_waiting import CardEvent
from hardware.device import Supervision
from hardware.id_card.fields import IdCard
from hardware.id_card.reader import ReaderTiming
from hardware.simulators.id_cards import SAMPLE_CARDS
from hardware.simulators.line import LineFaults
from hardware.vocabulary import Detail, Health, Outcome, WhoActs
from tests.hardware.conftest import QUICK_READER

HINTS_SOON = replace(QUICK_READER, relay_hint_s=0.1)
CARD, OTHER = SAMPLE_CARDS[0], SAMPLE_CARDS[1]


def reading(reader, soon, **options):
    events = []
    future = reader.wait_for_card(soon(), on_event=events.append, **options)
    return future, events


def test_a_card_is_found_selected_and_read(bench, soon):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    future, events = reading(reader, soon)
    simulator.lay(CARD)
    read = future.result(20)
    assert (read.outcome, read.card.name, read.card.number) == (Outcome.DONE, CARD.name, CARD.number)
    assert read.card.photo == CARD.photo_block()
    assert events == [CardEvent.PLACE_CARD, CardEvent.CARD_FOUND, CardEvent.READING, CardEvent.READ_OK]
    assert reader.status.health is Health.OK


async def test_a_read_can_be_awaited_in_asyncio(bench, soon):
    simulator = bench.reader_simulator()
    simulator.lay(CARD)
    read = await asyncio.wrap_future(bench.reader(simulator.address).wait_for_card(soon()))
    assert read.card.name == CARD.name


def test_fingerprints_are_read_where_asked_for_and_stay_opaque(bench, soon):
    simulator = bench.reader_simulator()
    simulator.lay(CARD)
    card = bench.reader(simulator.address, read_fingerprint=True).wait_for_card(soon()).result(20).card
    assert len(card.fingerprint) == 1024


def test_the_sam_number_is_read(bench, soon):
    read = bench.reader(bench.reader_simulator().address).sam_id(soon()).result(20)
    assert (read.outcome, str(read.sam_id)) == (Outcome.DONE, "05.03-20131099-0012345678-0123456789")


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(bytewise=True, gap_s=0.0),
        *(LineFaults(split_at=place, gap_s=0.01) for place in (1, 3, 5, 6, 7, 9, 10, 700, 1294)),
        LineFaults(noise_before=b"\x00\xff\xaa\xaa\x96"),
        LineFaults(noise_before=bytes.fromhex("AAAAAA9669FFFF")),
        LineFaults(noise_before=bytes.fromhex("AAAAAA9669000400009000")),
        LineFaults(noise_inside=b"\x00", noise_at=2),
        LineFaults(duplicate=True),
        LineFaults(delay_s=0.05),
    ],
    ids=str,
)
def test_a_line_that_is_only_unruly_costs_no_card(bench, soon, faults):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address, timing=replace(QUICK_READER, answer_s=2, gap_s=0.5))
    simulator.line.set_faults(faults)
    simulator.lay(CARD)
    read = reader.wait_for_card(soon()).result(30)
    assert read.outcome is Outcome.DONE
    assert read.card.address == CARD.address


@pytest.mark.parametrize(
    "faults",
    [
        LineFaults(silent=True),
        LineFaults(busy=True),
        LineFaults(truncate_at=7),
        LineFaults(delay_s=2.5),
        LineFaults(noise_inside=b"\x55", noise_at=9),
    ],
    ids=str,
)
def test_a_reader_that_gives_no_answer_is_unknown_and_is_ok_again_afterwards(bench, soon, wait_until, faults):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.line.set_faults(faults)
    read = reader.wait_for_card(soon()).result(30)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.NO_ANSWER)
    assert read.who_acts is WhoActs.TECHNICIAN
    assert reader.status.health is Health.UNKNOWN
    simulator.clear_faults()
    simulator.lay(CARD)
    wait_until(lambda: reader.status.health is Health.OK)
    assert reader.wait_for_card(soon()).result(30).outcome is Outcome.DONE


@pytest.mark.parametrize("faults", [{"wrong_checksum": True}, {"wrong_length": 3}, {"wrong_length": 0xFFFF}], ids=str)
def test_answers_that_never_check_out_are_no_answers(bench, soon, faults):
    simulator = bench.reader_simulator()
    simulator.set_faults(**faults)
    reader = bench.reader(simulator.address)
    read = reader.wait_for_card(soon()).result(30)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.NO_ANSWER)
    assert reader.status.health is Health.UNKNOWN


def test_a_stray_zero_in_each_preamble_is_no_harm(bench, soon):
    simulator = bench.reader_simulator()
    simulator.set_faults(stray_zero_in_preamble=True)
    simulator.lay(CARD)
    assert bench.reader(simulator.address).wait_for_card(soon()).result(20).outcome is Outcome.DONE


@pytest.mark.parametrize("place", [0, 1, 5, 20, 263, 700, 1294])
def test_a_card_pulled_while_it_is_read_is_asked_for_again(bench, soon, wait_until, place):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.set_faults(card_pulled_after=place)
    simulator.lay(CARD)
    future, events = reading(reader, soon)
    wait_until(lambda: events[-1:] == [CardEvent.PLACE_CARD] and CardEvent.LIFT_AND_RELAY in events)
    simulator.lay(OTHER)
    assert future.result(20).card.name == OTHER.name


def test_after_a_read_error_the_card_must_be_lifted_and_laid_again(bench, soon, wait_until):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.set_faults(read_failures=1)
    simulator.lay(CARD)
    future, events = reading(reader, soon)
    wait_until(lambda: CardEvent.LIFT_AND_RELAY in events)
    asked = simulator.requests.count("read")
    wait_until(lambda: simulator.requests[-3:] == ["find"] * 3)
    assert simulator.requests.count("read") == asked, "no second read of a card that was not lifted"
    simulator.lift()
    wait_until(lambda: events[-1] is CardEvent.PLACE_CARD)
    simulator.lay(CARD)
    assert future.result(20).outcome is Outcome.DONE


def test_a_card_held_and_moved_by_two_fingers_is_read_in_the_end(bench, soon, wait_until):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.set_faults(read_failures=3)
    future, events = reading(reader, soon)
    for _ in range(4):
        seen = len(events)
        simulator.lay(CARD)
        wait_until(lambda seen=seen: future.done() or CardEvent.LIFT_AND_RELAY in events[seen:])
        if future.done():
            break
        simulator.lift()
        wait_until(lambda: events[-1] is CardEvent.PLACE_CARD)
    assert future.result(20).card.name == CARD.name


@pytest.mark.parametrize("find_again", [True, False])
def test_a_card_left_by_the_one_before_is_not_read_for_the_next(bench, soon, wait_until, find_again):
    simulator = bench.reader_simulator(find_again_after_read=find_again)
    reader = bench.reader(simulator.address, supervision=Supervision(probe_interval_s=60), timing=HINTS_SOON)
    simulator.lay(CARD)
    reader.wait_for_card(soon()).result(20).card.wipe()
    future, events = reading(reader, soon)
    wait_until(lambda: CardEvent.LIFT_AND_RELAY in events)
    assert CardEvent.READING not in events
    simulator.lift()
    finds = len(simulator.requests)
    wait_until(lambda: len(simulator.requests) > finds + 1)
    simulator.lay(OTHER)
    assert future.result(20).card.name == OTHER.name


def test_two_cards_are_told_and_the_wait_goes_on_when_one_is_taken(bench, soon, wait_until):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.lay(CARD, OTHER)
    future, events = reading(reader, soon)
    wait_until(lambda: CardEvent.ONE_CARD_ONLY in events)
    assert events.count(CardEvent.ONE_CARD_ONLY) == 1
    simulator.lay(OTHER)
    assert future.result(20).card.name == OTHER.name


@pytest.mark.parametrize("card", SAMPLE_CARDS, ids=lambda card: card.number)
def test_cards_of_all_four_layouts_are_read(bench, soon, card):
    simulator = bench.reader_simulator()
    simulator.lay(card)
    read = bench.reader(simulator.address).wait_for_card(soon()).result(20)
    assert (read.outcome, read.card.number, read.card.birth_date) == (Outcome.DONE, card.number, card.birth)


@pytest.mark.parametrize(("card", "address"), [(SAMPLE_CARDS[2], SAMPLE_CARDS[2].newest_address), (CARD, "")])
def test_the_appended_address_is_read_where_asked_for(bench, soon, card, address):
    simulator = bench.reader_simulator()
    simulator.lay(card)
    reader = bench.reader(simulator.address, read_newest_address=True)
    assert reader.wait_for_card(soon()).result(20).card.newest_address == address
    asked = [request for request in simulator.requests if request != "status"]
    assert asked[-2:] == ["read", "newest_address"]


@pytest.mark.parametrize("sw3", [0x41, 0x5C])
def test_a_card_whose_appended_address_cannot_be_read_is_read_all_the_same(bench, soon, sw3):
    simulator = bench.reader_simulator()
    simulator.set_faults(newest_address_sw3=sw3)
    simulator.lay(CARD)
    read = bench.reader(simulator.address, read_newest_address=True).wait_for_card(soon()).result(20)
    assert (read.outcome, read.card.name, read.card.newest_address) == (Outcome.DONE, CARD.name, None)


def test_a_card_without_fingerprints_has_an_empty_block(bench, soon):
    simulator = bench.reader_simulator()
    simulator.set_faults(no_fingerprint=True)
    simulator.lay(CARD)
    read = bench.reader(simulator.address, read_fingerprint=True).wait_for_card(soon()).result(20)
    assert (read.outcome, read.card.fingerprint) == (Outcome.DONE, b"")


@pytest.mark.parametrize(
    ("faults", "detail"),
    [
        ({"find_sw3": 0x66}, Detail.SAM_NOT_AUTHORISED),
        ({"select_sw3": 0x66}, Detail.SAM_NOT_AUTHORISED),
        ({"read_sw3": 0x60}, Detail.SELF_TEST_FAILED),
        ({"find_sw3": 0x5C}, Detail.UNKNOWN_ANSWER),
    ],
)
def test_a_fault_of_the_reader_ends_the_wait_with_its_name(bench, soon, faults, detail):
    simulator = bench.reader_simulator()
    simulator.set_faults(**faults)
    simulator.lay(CARD)
    read = (
        bench.reader(simulator.address, supervision=Supervision(probe_interval_s=60)).wait_for_card(soon()).result(20)
    )
    assert (read.outcome, read.detail, read.who_acts) == (Outcome.DEVICE_FAULT, detail, WhoActs.TECHNICIAN)


@pytest.mark.parametrize(("sw3", "health"), [(0x60, Health.FAULT), (0x66, Health.FAULT), (0x5C, Health.UNKNOWN)])
def test_a_reader_that_says_it_is_ill_is_not_ok(bench, soon, sw3, health):
    simulator = bench.reader_simulator()
    simulator.set_faults(status_sw3=sw3)
    assert bench.reader(simulator.address).ask_status(soon()).result(20).health is health


@pytest.mark.parametrize(("sw3", "event"), [(0x40, CardEvent.WRONG_CARD), (0x31, CardEvent.LIFT_AND_RELAY)])
def test_a_card_that_cannot_be_read_is_told_and_another_one_is_waited_for(bench, soon, wait_until, sw3, event):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    simulator.set_faults(read_sw3=sw3)
    simulator.lay(CARD)
    future, events = reading(reader, soon)
    wait_until(lambda: event in events)
    simulator.clear_faults()
    simulator.lift()
    wait_until(lambda: events[-1] is CardEvent.PLACE_CARD)
    simulator.lay(OTHER)
    assert future.result(20).outcome is Outcome.DONE


def test_an_unknown_code_is_logged_with_the_code_and_nothing_else(bench, soon, wait_until):
    simulator = bench.reader_simulator()
    simulator.set_faults(read_sw3=0x5C)
    simulator.lay(CARD)
    with capture_logs() as logs:
        future, events = reading(bench.reader(simulator.address), soon)
        wait_until(lambda: CardEvent.LIFT_AND_RELAY in events)
        future.cancel()
    answers = [entry for entry in logs if entry["event"] == "id_card_reader_answer"]
    assert answers[0] == {
        "event": "id_card_reader_answer",
        "command": "READ_TEXT_AND_PHOTO",
        "sw3": "5C",
        "known": False,
        "log_level": "warning",
    }


def test_nothing_of_a_card_is_logged(bench, soon):
    simulator = bench.reader_simulator()
    simulator.lay(CARD)
    with capture_logs() as logs:
        bench.reader(simulator.address).wait_for_card(soon()).result(20)
    assert not any(word in str(logs) for word in (CARD.name, CARD.number, CARD.address))


def test_a_cancelled_wait_is_not_a_timed_out_one(bench, soon, wait_until):
    reader = bench.reader(bench.reader_simulator().address)
    cancel = CancelToken()
    future, events = reading(reader, soon, cancel=cancel)
    wait_until(lambda: bool(events))
    cancel.cancel()
    assert (future.result(20).outcome, future.result().detail) == (Outcome.CANCELLED, Detail.CANCELLED)
    timed_out = reader.wait_for_card(time.monotonic() + 0.1).result(20)
    assert (timed_out.outcome, timed_out.detail) == (Outcome.TIMED_OUT, Detail.NO_CARD)


def test_a_deadline_tells_what_hindered_last(bench, soon):
    simulator = bench.reader_simulator()
    simulator.set_faults(read_failures=9)
    simulator.lay(CARD)
    read = bench.reader(simulator.address).wait_for_card(time.monotonic() + 0.5).result(20)
    assert (read.outcome, read.detail, read.who_acts) == (
        Outcome.TIMED_OUT,
        Detail.READ_FAILED,
        WhoActs.CITIZEN,
    )


async def test_a_card_read_for_a_task_that_was_cancelled_is_wiped(bench, soon, wait_until):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    events = []
    waiting = asyncio.ensure_future(asyncio.wrap_future(reader.wait_for_card(soon(), on_event=events.append)))
    await asyncio.to_thread(wait_until, lambda: bool(events))
    simulator.line.set_faults(LineFaults(delay_s=0.1))
    simulator.lay(CARD)
    await asyncio.to_thread(wait_until, lambda: CardEvent.READING in events)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert reader.ask_status(soon()).result(20).health is Health.OK
    assert CardEvent.READ_OK not in events
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, IdCard) and not thing.wiped]


def test_unplugged_while_idle_is_offline_and_back_again_is_ok_each_logged_once(bench, wait_until):
    simulator = bench.reader_simulator()
    with capture_logs() as logs:
        reader = bench.reader(simulator.address)
        wait_until(lambda: reader.status.health is Health.OK)
        for _ in range(2):
            simulator.line.unplug()
            wait_until(lambda: reader.status.health is Health.OFFLINE)
            assert reader.status.detail is Detail.LINE_LOST
            simulator.line.plug()
            wait_until(lambda: reader.status.health is Health.OK)
        wait_until(lambda: len(logs) >= 5)
    assert [entry["event"] for entry in logs] == ["device_found"] + ["device_lost", "device_found"] * 2


def test_a_reader_that_is_absent_at_the_start_is_found_when_it_comes(bench, wait_until, soon):
    simulator = bench.reader_simulator()
    simulator.line.unplug()
    reader = bench.reader(simulator.address)
    wait_until(lambda: reader.status.health is Health.OFFLINE)
    read = reader.wait_for_card(soon()).result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.LINE_LOST)
    simulator.line.plug()
    wait_until(lambda: reader.status.health is Health.OK)


@pytest.mark.parametrize("place", [1, 30, 600])
def test_unplugged_in_the_middle_of_an_answer_is_a_lost_line(bench, soon, wait_until, place):
    simulator = bench.reader_simulator()
    reader = bench.reader(simulator.address)
    wait_until(lambda: reader.status.health is Health.OK)
    simulator.lay(CARD)
    simulator.line.set_faults(LineFaults(unplug_after_sent=place))
    read = reader.wait_for_card(soon()).result(20)
    assert (read.outcome, read.detail) == (Outcome.DEVICE_FAULT, Detail.LINE_LOST)
    simulator.clear_faults()
    simulator.line.plug()
    wait_until(lambda: reader.status.health is Health.OK)
    simulator.lay(CARD)
    assert reader.wait_for_card(soon()).result(20).card.name == CARD.name


def test_a_card_that_hides_after_a_broken_line_is_asked_to_be_laid_again(bench, soon, wait_until):
    simulator = bench.reader_simulator(find_again_after_read=False)
    reader = bench.reader(simulator.address, timing=HINTS_SOON)
    simulator.lay(CARD)
    simulator.line.set_faults(LineFaults(unplug_after_sent=600))
    assert reader.wait_for_card(soon()).result(20).detail is Detail.LINE_LOST
    simulator.clear_faults()
    simulator.line.plug()
    wait_until(lambda: reader.status.health is Health.OK)
    future, events = reading(reader, soon)
    wait_until(lambda: CardEvent.LIFT_AND_RELAY in events)
    simulator.lay(CARD)
    assert future.result(20).outcome is Outcome.DONE


def test_closing_ends_a_running_wait(bench, soon, wait_until):
    reader = bench.reader(bench.reader_simulator().address)
    future, events = reading(reader, soon)
    wait_until(lambda: bool(events))
    reader.close()
    assert (future.result(0).outcome, future.result(0).detail) == (Outcome.CANCELLED, Detail.CLOSED)
    after = reader.wait_for_card(soon()).result(0)
    assert after.detail is Detail.CLOSED


def test_searches_keep_the_distance_that_readers_want():
    assert ReaderTiming().find_interval_s >= 0.3
