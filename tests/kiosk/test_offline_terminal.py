"""A whole terminal without its hall: one number a person, kept before it is printed, told when the hall is back."""

import json
import sqlite3
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hardware.simulators.id_cards import SAMPLE_CARDS
from kiosk.journeys import intents
from kiosk.journeys.views import (
    CardView,
    HomeView,
    Network,
    OutOfServiceView,
    RefusedView,
    SlipState,
    TicketView,
    WaitingView,
)
from tests.kiosk.profiles import HALL_KEY
from tests.kiosk.stand_in import until
from tests.kiosk.test_terminal import Hall
from wire.messages import BusinessDay, NumberLease, OfflineGrant, OfflineTicket, OpenStretch, Slip, Withdraw
from wire.person_key import person_key

SERVICE, QUEUE = "id-card", "household"


def granted(**changes: object) -> OfflineGrant:
    now = datetime.now(UTC)
    plain = OfflineGrant(
        prefix="XA",
        first=1,
        last=999,
        digits=3,
        leases=(
            NumberLease(
                lease="lease-1", queue=QUEUE, prefix="H", first=1001, last=1001, digits=3, business_date=now.date()
            ),
        ),
        days=(BusinessDay(business_date=now.date(), ends_at=now + timedelta(hours=12)),),
        follow_base="http://127.0.0.1:8080/t/",
    )
    return plain.model_copy(update=changes)


@pytest.fixture
async def hall(tmp_path: Path, sample_bundle: bytes) -> AsyncIterator[Hall]:
    bundle = json.loads(sample_bundle) | {"hours": "office"}
    made = Hall(tmp_path, json.dumps(bundle).encode())
    made.server.grant = granted()
    async with made.open():
        await until(lambda: made.terminal._journey.state.hall.offline_ready)
        yield made


async def lost(hall: Hall) -> None:
    """The broker is gone, and longer than a moment."""
    hall.broker.kill()
    await until(lambda: hall.view.frame.network is Network.CONNECTING)
    hall.ahead_s += 6
    await until(lambda: hall.view.frame.network is Network.OFFLINE)


async def back(hall: Hall) -> None:
    hall.broker.restart(forget=True)
    await until(lambda: hall.view.frame.network is Network.CONNECTED)


async def greeted_again(hall: Hall) -> None:
    """The terminal has said hello once more and read the answer."""
    hellos = len(hall.server.hellos)
    await hall.server.order("maintenance_off")
    await until(lambda: len(hall.server.hellos) > hellos)
    await hall.terminal._requests.idle()


def entries(hall: Hall) -> list[tuple[str, str]]:
    """Kind and state of all that the journal holds, in order."""
    with sqlite3.connect(hall.terminal._journal._file._path) as journal:
        return journal.execute("SELECT kind, state FROM entries ORDER BY seq").fetchall()


async def without_card(hall: Hall) -> None:
    hall.terminal.send(intents.ChooseService(SERVICE))
    await hall.seen(CardView)
    hall.terminal.send(intents.GoOnWithoutCard())


async def with_card(hall: Hall) -> None:
    hall.terminal.send(intents.ChooseService(SERVICE))
    await hall.seen(CardView)
    hall.reader.lay(SAMPLE_CARDS[0])


async def test_an_offline_number_is_printed_as_what_it_is_and_told_when_the_hall_is_back(hall):
    await lost(hall)
    await with_card(hall)
    await hall.seen(TicketView, number="H1001", offline=True, slip=SlipState.PRINTED)
    (slip,) = hall.printer.slips
    assert "离线号" in slip.text
    assert "同样有效" in slip.text
    hall.terminal.send(intents.Finish())
    await hall.seen(HomeView)
    await without_card(hall)
    await hall.seen(TicketView, number="XA001", slip=SlipState.PRINTED)
    assert hall.server.asked_for(OfflineTicket) == []
    await back(hall)
    await until(lambda: len(hall.server.asked_for(Slip)) == 2)
    first, second = hall.server.asked_for(OfflineTicket)
    assert (first.number, first.lease, first.person) == (
        "H1001",
        "lease-1",
        person_key(SAMPLE_CARDS[0].number, HALL_KEY),
    )
    assert (second.number, second.lease, second.person) == ("XA001", None, None)
    assert first.taken_at <= second.taken_at
    assert abs((second.taken_at - datetime.now(UTC)).total_seconds()) < 60
    assert [slip.ticket for slip in hall.server.asked_for(Slip)] == [first.ticket, second.ticket]


async def test_who_waits_when_the_hall_goes_gets_one_number_and_the_request_is_taken_back_first(hall):
    hall.server.mute = True
    await without_card(hall)
    await until(lambda: any(body.__class__.__name__ == "Issue" for _, body in hall.server.asked))
    (asked,) = [key for key, body in hall.server.asked if body.__class__.__name__ == "Issue"]
    await hall.server.online("offline")
    hall.ahead_s += 6
    await hall.seen(TicketView, number="H1001", offline=True)
    hall.server.mute = False
    await hall.server.online()
    await until(lambda: hall.server.asked_for(OfflineTicket))
    assert hall.server.withdrawn == {asked}
    kinds = [type(body) for _, body in hall.server.asked if isinstance(body, Withdraw | OfflineTicket)]
    assert kinds == [Withdraw, OfflineTicket], "the hall takes the request back before it hears of the other number"
    assert hall.view.number == "H1001"


async def test_a_journal_that_hangs_leaves_nobody_waiting_and_the_number_kept_too_late_is_taken_back(hall):
    await lost(hall)
    hang = threading.Event()
    try:
        hall.terminal._journal._thread.submit(hang.wait)
        await without_card(hall)
        await hall.seen(WaitingView)
        hall.ahead_s += hall.terminal._journey.state.rules.journaling_limit_s
        await hall.seen(RefusedView, code="journal_slow")
        hall.terminal.send(intents.Finish())
        await hall.seen(OutOfServiceView, code="journal_fault")
    finally:
        hang.set()
    await hall.terminal._requests.idle()
    assert hall.printer.slips == []
    kept = entries(hall)
    assert [(kind, state) for kind, state in kept if kind != "hello"] == [
        ("offline_ticket", "withdrawn"),
        ("withdraw", "pending"),
    ]
    hall.ahead_s += 60
    await hall.seen(HomeView)
    await without_card(hall)
    await hall.seen(TicketView, offline=True, slip=SlipState.PRINTED)
    await back(hall)
    await until(lambda: len(hall.server.asked_for(Slip)) == 1)
    (told,) = hall.server.asked_for(OfflineTicket)
    assert told.number == "XA001", "the number that nobody saw is not told as one that somebody holds"


async def test_a_person_gets_one_number_for_a_service_offline_too(hall):
    await lost(hall)
    await with_card(hall)
    await hall.seen(TicketView, number="H1001", slip=SlipState.PRINTED)
    hall.reader.lift()
    hall.terminal.send(intents.Finish())
    await hall.seen(HomeView)
    looked = hall.reader.requests.count("find")
    await until(lambda: hall.reader.requests.count("find") >= looked + 2)
    await with_card(hall)
    await hall.seen(RefusedView, code="already_holding", params={"number": "H1001"})


async def test_a_closed_hall_is_closed_offline_and_says_when_it_opens(hall):
    opens = datetime.now(UTC) + timedelta(hours=3)
    hall.server.grant = granted(hours={"office": (OpenStretch(begins=opens, ends=opens + timedelta(hours=1)),)})
    await greeted_again(hall)
    await lost(hall)
    await without_card(hall)
    await hall.seen(RefusedView, code="outside_hours")
    zone = ZoneInfo("Asia/Shanghai")
    assert hall.view.opens.at == f"{opens.astimezone(zone):%H:%M}"
    same_day = opens.astimezone(zone).date() == datetime.now(zone).date()
    assert hall.view.opens.day == ("today" if same_day else "tomorrow")


async def test_a_terminal_in_maintenance_gives_its_blocks_back(hall):
    hellos = len(hall.server.hellos)
    await hall.server.order("maintenance_on")
    await until(lambda: len(hall.server.hellos) > hellos)
    assert hall.server.hellos[-1].offline.returns == ("lease-1",)


async def test_a_machine_that_the_hall_turned_away_stays_silent_offline(hall):
    hall.server.verdict = "refused"
    await greeted_again(hall)
    await hall.seen(OutOfServiceView, code="not_accepted")
    hall.server.dead = True
    await hall.server.online("offline")
    hall.ahead_s += 6
    await until(lambda: kept(hall).get("offline_stopped") == "yes")
    await hall.seen(OutOfServiceView, code="not_accepted")


def kept(hall: Hall) -> dict[str, str]:
    with sqlite3.connect(hall.folder / "state" / "journal.sqlite3") as journal:
        return dict(journal.execute("SELECT key, value FROM memory"))
