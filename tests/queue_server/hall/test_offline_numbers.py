"""Numbers for bad times: own series, leased blocks, and two machines that hold the same."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from queue_server.hall import (
    GrantOffline,
    HallConfiguration,
    LeaseReturned,
    NumbersLeased,
    OfflineHoldersClashed,
    OfflineSeriesGranted,
    dump,
    evolve,
    load,
    refusals,
)
from queue_server.hall.offline_numbers import LeasedRange, OfflineRules, went_back
from tests.queue_server.hall.scene import KIOSK, Scene, sample

TODAY, TOMORROW = date(2026, 3, 2), date(2026, 3, 3)


def leasing(first: int = 1001, last: int = 1080, block: int = 20, **changes: Any) -> HallConfiguration:
    """The sample hall, where the household queue leases blocks."""
    plain = sample(**changes)
    leased = LeasedRange(first=first, last=last, block=block)
    queues = tuple(replace(q, leased=leased) if q.id == "household" else q for q in plain.queues)
    return replace(plain, queues=queues)


def hello(device: str = "kiosk-1", instance: str = "one", **fields: Any) -> GrantOffline:
    return GrantOffline(by=KIOSK, device=device, instance=instance, **fields)


def leases(scene: Scene, command: GrantOffline) -> list[tuple[str, date, int, int]]:
    return [
        (event.lease, event.business_date, event.first, event.last)
        for event in scene.do(command)
        if isinstance(event, NumbersLeased)
    ]


def test_every_terminal_has_a_prefix_of_its_own_and_keeps_it():
    scene = Scene()
    (one,) = scene.do(hello("kiosk-1"))
    (two,) = scene.do(hello("kiosk-2"))
    assert isinstance(one, OfflineSeriesGranted)
    assert isinstance(two, OfflineSeriesGranted)
    assert (one.prefix, two.prefix, one.first) == ("XA", "XB", 1)
    scene.later(days=40)
    assert scene.do(hello("kiosk-1")) == ()


def test_a_machine_with_a_new_disk_begins_far_from_what_the_old_one_may_have_given():
    scene = Scene()
    scene.do(hello(instance="old"))
    (again,) = scene.do(hello(instance="new"))
    assert isinstance(again, OfflineSeriesGranted)
    assert (again.prefix, again.first) == ("XA", 500)


def test_more_terminals_than_prefixes_are_told_apart_from_a_fault():
    scene = Scene(sample(offline=OfflineRules(letters="X")))
    for device in range(16):
        scene.do(hello(f"kiosk-{device}"))
    assert scene.refused(hello("kiosk-16")) == refusals.OfflinePrefixesExhausted(device="kiosk-16")


def test_a_hall_may_give_no_numbers_offline():
    assert Scene(sample(offline=OfflineRules(letters=""))).do(hello()) == ()


def test_blocks_of_today_and_tomorrow_are_leased_once():
    scene = Scene(leasing())
    assert leases(scene, hello()) == [
        ("lease-1", TODAY, 1041, 1060),
        ("lease-2", TOMORROW, 1001, 1020),
    ]
    assert leases(scene, hello()) == []
    assert [row[1:] for row in leases(scene, hello("kiosk-2"))] == [(TODAY, 1061, 1080), (TOMORROW, 1021, 1040)]
    assert leases(scene, hello("kiosk-3")) == []


def test_a_block_is_renewed_when_half_of_it_is_used():
    scene = Scene(leasing())
    scene.do(hello())
    assert leases(scene, hello(lease_next={"lease-1": 1051})) == []
    assert leases(scene, hello(lease_next={"lease-1": 1052})) == [("lease-3", TODAY, 1061, 1080)]


def test_tomorrows_block_is_todays_after_the_day_end():
    scene = Scene(leasing())
    scene.do(hello())
    scene.later(days=1)
    events = scene.do(hello(lease_next={"lease-1": 1045, "lease-2": 1001}))
    (gap,) = (event for event in events if isinstance(event, LeaseReturned))
    assert (gap.lease, gap.next, gap.last, gap.why.code) == ("lease-1", 1045, 1060, "lease_over")
    (new,) = (event for event in events if isinstance(event, NumbersLeased))
    assert new.business_date == date(2026, 3, 4)


def test_a_block_given_back_can_be_leased_to_another_terminal():
    scene = Scene(leasing(last=1040))
    scene.do(hello())
    assert leases(scene, hello("kiosk-2")) == []
    scene.do(hello(lease_next={"lease-1": 1021}, returns=("lease-1", "lease-2")))
    assert [row[1:] for row in leases(scene, hello("kiosk-2"))] == [(TODAY, 1021, 1040), (TOMORROW, 1001, 1020)]


def test_of_a_block_given_back_what_was_used_stays_used():
    scene = Scene(leasing(last=1080))
    scene.do(hello())
    scene.do(hello(lease_next={"lease-1": 1043}, returns=("lease-1",)))
    assert leases(scene, hello("kiosk-2"))[0][1:] == (TODAY, 1043, 1062)


def test_a_block_of_a_lost_machine_is_not_leased_again_before_its_date_has_ended():
    scene = Scene(leasing(last=1040))
    scene.do(hello(instance="old"))
    assert leases(scene, hello(instance="new")) == []
    scene.later(days=1)
    assert leases(scene, hello(instance="new"))[-1][1:] == (date(2026, 3, 4), 1021, 1040)


def test_a_machine_whose_memory_went_back_is_a_copy_and_gets_nothing():
    scene = Scene(leasing())
    scene.do(hello())
    lease = scene.hall.store.offline.leases["lease-1"]
    scene.hall.store.offline.leases["lease-1"] = replace(lease, next=1047)
    (clash,) = scene.do(hello(lease_next={"lease-1": 1045}))
    assert isinstance(clash, OfflineHoldersClashed)
    assert (clash.sign, clash.number) == ("lease_went_back", "H1045")
    assert scene.do(hello(lease_next={"lease-1": 1047})) == ()


def test_the_right_machine_begins_afresh_when_a_technician_vouched_for_it():
    scene = Scene(leasing())
    scene.do(hello())
    own = scene.hall.store.offline.series["kiosk-1"]
    scene.hall.store.offline.series["kiosk-1"] = replace(own, next=30)
    assert isinstance(scene.do(hello(own_next=20))[0], OfflineHoldersClashed)
    events = scene.do(hello(own_next=20, lease_next={"lease-1": 1043}, renewed=True))
    assert [type(event).__name__ for event in events] == [
        "OfflineSeriesGranted",
        "LeaseReturned",
        "LeaseReturned",
        "NumbersLeased",
        "NumbersLeased",
    ]
    assert scene.hall.store.offline.series["kiosk-1"].first == 529
    assert {lease.first for lease in scene.hall.store.offline.held_by("kiosk-1", "one")} == {1061, 1021}


def test_a_machine_that_did_not_hear_what_it_was_granted_afresh_says_hello_again_as_before():
    scene = Scene(leasing())
    scene.do(hello())
    told: dict[str, Any] = {"own_next": 5, "lease_next": {"lease-1": 1043}}
    scene.do(hello(**told, renewed=True))
    assert scene.do(hello(**told)) == ()


@given(st.integers(1, 999), st.integers(0, 400))
def test_a_series_that_begins_again_never_seems_to_go_back(known: int, used: int):
    assert not went_back(known, (known + used - 1) % 999 + 1, 999)
    if used > 0:
        assert went_back((known + used - 1) % 999 + 1, known, 999)


DEVICES = st.sampled_from(["kiosk-1", "kiosk-2", "kiosk-3"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(DEVICES, st.sampled_from(["one", "two"]), st.integers(0, 25), st.booleans(), st.integers(0, 30))
    ),
    st.booleans(),
)
@example(  # a block used in part and an unused one behind it come back: the next block spans where the second began
    acts=[
        *([("kiosk-1", "one", 0, False, 0)] * 16),
        ("kiosk-1", "one", 6, False, 0),
        ("kiosk-1", "one", 0, True, 0),
        ("kiosk-1", "one", 0, False, 0),
    ],
    carried=False,
)
def test_no_number_is_ever_in_two_hands(acts: list[tuple[str, str, int, bool, int]], carried: bool):
    rules = replace(sample().rules, day_end_tickets="carry_over" if carried else "expire")
    scene = Scene(leasing(last=1120, block=10, rules=rules), now=datetime(2026, 3, 2, 12, tzinfo=UTC))
    hands: dict[tuple[date, int], tuple[str, str]] = {}
    spent: dict[str, int] = {}
    for device, instance, used, gives_back, hours in acts:
        held = scene.hall.store.offline.held_by(device, instance)
        told = {lease.id: min(max(lease.next, spent.get(lease.id, 0)) + used, lease.last + 1) for lease in held}
        spent |= told
        for lease in held:
            for serial in range(lease.first, told[lease.id]):
                assert hands.setdefault((lease.business_date, serial), (device, instance)) == (device, instance)
        returns = tuple(lease.id for lease in held) if gives_back else ()
        scene.do(hello(device, instance, lease_next=told, returns=returns))
        for lease in scene.hall.store.offline.leases.values():
            if lease.business_date < TODAY + timedelta(days=2) and (lease.device, lease.instance) == (device, instance):
                scene.hall.store.offline.leases[lease.id] = replace(lease, next=max(lease.next, told.get(lease.id, 0)))
        bound = [
            (lease.business_date, serial)
            for lease in scene.hall.store.offline.leases.values()
            for serial in lease.bound
        ]
        assert len(set(bound)) == len(bound)
        neighbours = {(day + timedelta(days=1), serial) for day, serial in bound}
        assert not neighbours & set(bound)
        scene.later(hours=hours)
    prefixes = [own.prefix for own in scene.hall.store.offline.series.values()]
    assert len(set(prefixes)) == len(prefixes)


def test_what_terminals_hold_outlives_a_snapshot_and_a_replay():
    scene = Scene(leasing())
    scene.do(hello())
    scene.do(hello("kiosk-2", lease_next={}))
    assert load(dump(scene.hall)).store.offline == scene.hall.store.offline
    again = load(dump(scene.hall)).__class__(scene.hall.id)
    for event in scene.history:
        evolve(again, event)
    assert dump(again) == dump(scene.hall)
