"""Numbers that a terminal gives while the hall is away: which one is next, and when there is none."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.offline_numbers import Holding, NoNumber, OfflineNumber, adopt, from_json, take, to_json, use
from wire.messages import BusinessDay, NumberLease, OfflineGrant, OpenStretch

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY_END = datetime(2026, 3, 2, 20, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = NOW.date()


def lease(name: str, first: int, last: int, day: date = TODAY, queue: str = "q") -> NumberLease:
    return NumberLease(lease=name, queue=queue, prefix="A", first=first, last=last, digits=3, business_date=day)


def grant(*leases: NumberLease, first: int = 1, last: int = 999, prefix: str = "XA", days: int = 3) -> OfflineGrant:
    return OfflineGrant(
        prefix=prefix,
        first=first,
        last=last,
        digits=3,
        leases=leases,
        days=tuple(BusinessDay(business_date=NOW.date() + n * DAY, ends_at=DAY_END + n * DAY) for n in range(days)),
        hours={"office": (OpenStretch(begins=NOW, ends=NOW + timedelta(hours=2)),)},
        follow_base="http://hall.example/t/",
    )


def given_by(held: Holding, count: int, now: datetime = NOW, queue: str = "q") -> tuple[Holding, list[str]]:
    numbers = []
    for _ in range(count):
        found = take(held, queue, None, now)
        assert not isinstance(found, NoNumber)
        held, number = found
        numbers.append(number.text)
    return held, numbers


def refused(held: Holding, now: datetime, calendar: str | None = None) -> NoNumber:
    found = take(held, "q", calendar, now)
    assert isinstance(found, NoNumber)
    return found


def test_without_a_block_the_terminals_own_series_is_used():
    assert given_by(adopt(None, grant()), 2)[1] == ["XA001", "XA002"]


def test_f5_a_block_that_runs_out_overflows_into_the_own_series_and_the_next_block_is_used_again():
    held = adopt(None, grant(lease("one", 1041, 1042), lease("other", 1, 9, queue="other")))
    held, numbers = given_by(held, 4)
    assert numbers == ["A1041", "A1042", "XA001", "XA002"]
    held = adopt(held, grant(lease("one", 1041, 1042), lease("two", 1061, 1062)))
    assert given_by(held, 3)[1] == ["A1061", "A1062", "XA003"]


def test_tomorrows_block_is_used_from_the_end_of_the_business_day_on():
    held = adopt(None, grant(lease("today", 1041, 1060), lease("tomorrow", 1001, 1020, NOW.date() + DAY)))
    held, before = given_by(held, 1, DAY_END - timedelta(microseconds=1))
    held, after = given_by(held, 1, DAY_END)
    assert (before, after) == (["A1041"], ["A1001"])
    assert given_by(held, 1, DAY_END + DAY)[1] == ["XA001"]


def test_the_leave_ends_with_the_last_day_that_the_hall_named():
    held = adopt(None, grant(days=2))
    assert given_by(held, 1, DAY_END + DAY - timedelta(seconds=1))[1] == ["XA001"]
    assert refused(held, DAY_END + DAY) == NoNumber("offline_ended")


def test_a_closed_hall_is_closed_offline_too():
    held = adopt(None, grant())
    assert not isinstance(take(held, "q", "office", NOW), NoNumber)
    assert refused(held, NOW + timedelta(hours=2), "office") == NoNumber("not_today")
    early = NOW - timedelta(minutes=1)
    assert refused(held, early, "office") == NoNumber("outside_hours", NOW)
    assert not isinstance(take(held, "q", "unheard-of", NOW), NoNumber)


def test_a_series_begins_again_but_never_gives_a_number_twice_on_a_day():
    held, numbers = given_by(adopt(None, grant(first=3, last=4)), 4)
    assert numbers == ["XA003", "XA004", "XA001", "XA002"]
    assert refused(held, NOW) == NoNumber("offline_exhausted")
    assert given_by(held, 2, NOW + DAY)[1] == ["XA003", "XA004"]


def test_another_series_or_a_new_beginning_is_the_halls_word():
    held, _ = given_by(adopt(None, grant()), 5)
    assert given_by(adopt(held, grant()), 1)[1] == ["XA006"]
    assert given_by(adopt(held, grant(first=500)), 1)[1] == ["XA500"]
    assert given_by(adopt(held, grant(prefix="XB")), 1)[1] == ["XB001"]


def test_the_hello_says_how_far_everything_is_used():
    held, _ = given_by(adopt(None, grant(lease("one", 1041, 1042))), 3)
    assert use(held).model_dump() == {"own_next": 2, "leases": {"one": 1043}, "returns": ()}
    assert use(held, gives_back=True).returns == ("one",)
    assert use(None).own_next is None


def test_what_is_kept_is_read_back_and_a_damaged_text_holds_nothing():
    held, _ = given_by(adopt(None, grant(lease("one", 1041, 1042))), 3)
    assert from_json(to_json(held)) == held
    assert from_json("{}") is None
    assert from_json(None) is None


@pytest.mark.parametrize("crash", [False, True])
@given(
    acts=st.lists(
        st.one_of(
            st.tuples(st.just("take"), st.sampled_from(["q", "other"])),
            st.tuples(st.just("hours"), st.integers(1, 30)),
            st.tuples(st.just("hello"), st.integers(1, 12)),
        ),
        max_size=60,
    )
)
def test_no_number_of_a_day_is_given_twice_whatever_happens(acts: list[tuple[str, int | str]], crash: bool):
    """A stand-in hall leases fresh blocks at each hello; a crash loses all but what was kept."""
    held, now, blocks = adopt(None, grant(days=30)), NOW, 0
    given: list[tuple[date, str]] = []
    for what, how in acts:
        if what == "hours":
            now += timedelta(hours=int(how))
        elif what == "hello":
            blocks += 1
            today = held.day(now)
            assert today is not None
            fresh = lease(f"l{blocks}", 1000 * blocks, 1000 * blocks + int(how), today)
            held = adopt(held, held.grant.model_copy(update={"leases": (*held.grant.leases, fresh)}))
        else:
            found = take(held, str(how), None, now)
            if not isinstance(found, NoNumber):
                held, number = found
                assert isinstance(number, OfflineNumber)
                given.append((number.business_date, number.text))
        if crash:
            kept = from_json(to_json(held))
            assert kept is not None
            held = kept
    assert len(set(given)) == len(given)
