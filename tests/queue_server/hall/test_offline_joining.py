"""Numbers taken offline join: in the order of taking, on their own day, each once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queue_server.hall import (
    CloseDay,
    GrantOffline,
    HallConfiguration,
    JoinOffline,
    NumbersLeased,
    OfflineHoldersClashed,
    OfflineTicketRefused,
    RepetitionFlagged,
    StepState,
    Ticket,
    TicketExpired,
    TicketIssued,
    dump,
    evolve,
    load,
)
from queue_server.hall.hall import Hall
from queue_server.hall.offline_numbers import LeasedRange
from queue_server.hall.opening import Calendar
from tests.queue_server.hall.scene import KIOSK, MANAGER, MORNING, Scene, sample

ZHANG = "a" * 64
TODAY, YESTERDAY = date(2026, 3, 2), date(2026, 3, 1)


def hall(carry_over: bool = False, **changes: Any) -> HallConfiguration:
    plain = sample(**changes)
    leased = LeasedRange(first=1001, last=1080, block=20)
    queues = tuple(replace(q, leased=leased) if q.id == "household" else q for q in plain.queues)
    rules = replace(plain.rules, day_end_tickets="carry_over" if carry_over else "expire")
    return replace(plain, queues=queues, rules=rules)


class Terminal:
    """A terminal's offline numbers as the hall granted them."""

    def __init__(self, scene: Scene, device: str = "kiosk-1") -> None:
        self.scene, self.device = scene, device
        events = scene.do(GrantOffline(by=KIOSK, device=device, instance="one"))
        self.prefix = scene.hall.store.offline.series[device].prefix
        self.leases = [event for event in events if isinstance(event, NumbersLeased)]
        self.next = 1

    def taking(self, taken_at: datetime | None = None, **fields: Any) -> JoinOffline:
        """The next number of its own series."""
        serial, self.next = self.next, self.next + 1
        made: dict[str, Any] = {
            "by": KIOSK,
            **{name: self.scene.id(name) for name in ("visit", "ticket", "step", "follow_token")},
            "service": "id-card",
            "queue": "household",
            "number": f"{self.prefix}{serial:03d}",
            "prefix": self.prefix,
            "serial": serial,
            "lease": None,
            "business_date": self.scene.hall.configuration.business_date(taken_at or self.scene.now),
            "taken_at": taken_at or self.scene.now,
            "uncertain_s": 1,
            "device": self.device,
        }
        return JoinOffline(**made | fields)

    def taking_leased(self, index: int = 0, offset: int = 0, **fields: Any) -> JoinOffline:
        lease = self.leases[index]
        serial = lease.first + offset
        return self.taking(
            lease=lease.lease, prefix=lease.prefix, serial=serial, number=f"{lease.prefix}{serial}", **fields
        )

    def join(self, taken_at: datetime | None = None, **fields: Any) -> Ticket:
        return self.joined(self.taking(taken_at, **fields))

    def joined(self, command: JoinOffline) -> Ticket:
        self.scene.do(command)
        return self.scene.ticket(command.ticket)


def numbers(scene: Scene) -> list[str]:
    return [ticket.number for ticket in scene.hall.waiting("household", scene.now)]


def test_a_number_taken_offline_joins_at_the_time_of_taking():
    scene = Scene(hall())
    terminal = Terminal(scene)
    early = scene.issue("id-card")
    scene.later(minutes=10)
    late = scene.issue("id-card")
    ticket = terminal.join(scene.now - timedelta(minutes=5))
    assert numbers(scene) == [early.number, "XA001", late.number]
    assert (ticket.arrived_at, ticket.uncertain_s) == (scene.now - timedelta(minutes=5), 1)
    assert scene.history[-1].why.code == "taken_offline"


def test_a_clock_that_may_be_wrong_overtakes_nobody_who_may_have_come_first():
    scene = Scene(hall())
    terminal = Terminal(scene)
    scene.issue("id-card")
    scene.later(minutes=10)
    scene.issue("id-card")
    terminal.join(scene.now - timedelta(minutes=20), uncertain_s=900)
    assert numbers(scene) == ["H001", "XA001", "H002"]
    terminal.join(scene.now - timedelta(minutes=20), uncertain_s=86_400)
    assert numbers(scene) == ["H001", "XA001", "H002", "XA002"]
    assert scene.history[-1].why.code == "taken_offline_uncertain"


def test_a_terminal_whose_clock_runs_ahead_gets_no_later_place_than_now():
    scene = Scene(hall())
    ticket = Terminal(scene).join(scene.now + timedelta(hours=3), business_date=TODAY + timedelta(days=1))
    assert ticket.arrived_at == scene.now
    assert ticket.business_date == TODAY
    assert numbers(scene) == ["XA001"]


def test_a_number_taken_offline_is_called_like_any_other():
    scene = Scene(hall())
    terminal = Terminal(scene)
    session = scene.open()
    terminal.joined(terminal.taking_leased(0))
    assert scene.serve_next(session).number == "H1041"


def test_joining_opens_the_day_where_nobody_has():
    scene = Scene(hall())
    terminal = Terminal(scene)
    assert scene.hall.open_day is None
    terminal.join()
    assert scene.hall.open_day == TODAY


def test_f15_a_number_of_yesterday_stays_with_yesterday_and_the_new_day_starts_at_one():
    start = datetime(2026, 3, 2, 19, 58, tzinfo=UTC)  # 03:58; the day ends at 04:00
    scene = Scene(hall(), now=start)
    terminal = Terminal(scene)
    scene.issue("id-card")
    before = [terminal.taking(start + timedelta(minutes=minute)) for minute in (0, 1)]
    after = [terminal.taking(start + timedelta(minutes=minute)) for minute in (3, 4)]
    scene.now = start + timedelta(hours=5)
    assert scene.issue("id-card").number == "H001"
    for command in before + after:
        scene.do(command)
    found = [scene.ticket(command.ticket) for command in before + after]
    assert [(t.business_date.day, t.state) for t in found] == [
        (2, StepState.EXPIRED),
        (2, StepState.EXPIRED),
        (3, StepState.WAITING),
        (3, StepState.WAITING),
    ]
    assert numbers(scene) == ["XA003", "XA004", "H001"]
    late = [event for event in scene.history if isinstance(event, TicketExpired)][-1]
    assert late.why.code == "joined_after_day_end"


def test_a_number_of_a_day_that_the_hall_slept_through_is_over_too():
    scene = Scene(hall())
    terminal = Terminal(scene)
    command = terminal.taking()
    scene.later(days=1)
    assert terminal.joined(command).state is StepState.EXPIRED


def test_a_number_of_yesterday_waits_on_where_the_hall_carries_numbers_over():
    scene = Scene(hall(carry_over=True))
    terminal = Terminal(scene)
    command, older = terminal.taking(), terminal.taking(scene.now - timedelta(days=1))
    scene.later(days=1)
    scene.issue("id-card")
    assert terminal.joined(command).state is StepState.WAITING
    assert terminal.joined(older).state is StepState.EXPIRED
    assert numbers(scene) == ["XA001", "H001"]


def test_a_number_of_a_day_closed_early_is_over():
    scene = Scene(hall())
    terminal = Terminal(scene)
    scene.issue("id-card")
    scene.do(CloseDay(by=MANAGER, business_date=TODAY))
    assert terminal.join().state is StepState.EXPIRED


def test_hours_quota_and_limits_refuse_nothing_that_a_person_holds_on_paper():
    scene = Scene(hall(calendars=(Calendar(id="never", week=((),) * 7),), hours="never"))
    assert Terminal(scene).join().state is StepState.WAITING


def test_the_same_number_joins_once():
    scene = Scene(hall())
    terminal = Terminal(scene)
    command = terminal.taking()
    terminal.joined(command)
    assert scene.do(replace(command, visit="v", step="s")) == ()


def test_two_machines_that_gave_one_number_are_found_and_both_people_are_called():
    scene = Scene(hall())
    terminal = Terminal(scene)
    first = terminal.taking_leased(0, 3)
    second = replace(terminal.taking_leased(0, 3), taken_at=scene.now)
    scene.later(minutes=1)
    terminal.joined(first)
    events = scene.do(second)
    (clash,) = (event for event in events if isinstance(event, OfflineHoldersClashed))
    assert (clash.device, clash.sign, clash.number) == ("kiosk-1", "number_twice", "H1044")
    assert clash.why.params == {"printed": "H1044", "number": "H001"}
    assert scene.ticket(second.ticket).printed == "H1044"
    assert sorted(numbers(scene)) == ["H001", "H1044"]


def renewed(terminal: Terminal, **told: Any) -> Terminal:
    """The machine after a technician vouched for it, with what it was granted then."""
    scene, device = terminal.scene, terminal.device
    scene.do(GrantOffline(by=KIOSK, device=device, instance="one", renewed=True, **told))
    again = Terminal(scene, device)
    again.leases = [event for event in scene.history if isinstance(event, NumbersLeased)][-len(terminal.leases) :]
    again.next = scene.hall.store.offline.series[device].next
    return again


def test_numbers_from_before_a_machine_was_renewed_stop_it_no_more():
    scene = Scene(hall())
    terminal = Terminal(scene)
    own, leased = [terminal.taking(), terminal.taking()], [terminal.taking_leased(0, 3), terminal.taking_leased(0, 4)]
    for twin in (own[0], leased[0]):
        terminal.joined(replace(twin, ticket=scene.id("ticket"), follow_token=scene.id("token")))
    again = renewed(terminal)
    stood = scene.hall.store.offline.series["kiosk-1"]
    events = [event for late in (*own, *leased) for event in scene.do(late)]
    assert not any(isinstance(event, OfflineHoldersClashed) for event in events)
    issued = [event for event in events if isinstance(event, TicketIssued)]
    assert [event.printed for event in issued] == ["XA001", "XA002", "H1044", "H1045"]
    assert [event.number for event in issued] == ["H001", "XA002", "H002", "H1045"]
    assert scene.hall.store.offline.series["kiosk-1"] == stood, "they tell nothing of what was granted since"
    assert again.join().number == "XA501"
    assert load(dump(scene.hall)).store.offline == scene.hall.store.offline


def test_numbers_from_after_a_machine_was_renewed_stop_it_as_ever():
    scene = Scene(hall())
    again = renewed(Terminal(scene))
    for taking in (again.taking(), again.taking_leased(0, 3)):
        again.joined(taking)
        twin = replace(taking, ticket=scene.id("ticket"), follow_token=scene.id("token"))
        assert any(isinstance(event, OfflineHoldersClashed) for event in scene.do(twin))


def test_a_number_that_was_never_in_this_machines_hand_is_not_taken_for_true():
    scene = Scene(hall())
    Terminal(scene, "kiosk-2")
    terminal = Terminal(scene)
    events = scene.do(terminal.taking(prefix="XA", number="XA009", serial=9))
    assert any(isinstance(event, OfflineHoldersClashed) for event in events)
    events = scene.do(terminal.taking_leased(0, 40))
    assert any(isinstance(event, OfflineHoldersClashed) for event in events)
    assert numbers(scene) == ["H001", "H002"]


def test_a_service_that_is_gone_is_replaced_by_one_of_its_queue():
    scene = Scene(hall())
    terminal = Terminal(scene)
    assert terminal.join(service="gone").queue == "household"
    (event,) = scene.do(terminal.taking(service="gone", queue="gone"))
    assert isinstance(event, OfflineTicketRefused)
    assert terminal.join(priority_class="gone").priority_class == "ordinary"


def test_a_second_number_of_one_person_taken_offline_is_flagged():
    scene = Scene(hall())
    terminal = Terminal(scene)
    scene.issue("id-card", person=ZHANG)
    (_issued, flag) = scene.do(terminal.taking(person=ZHANG))
    assert isinstance(flag, RepetitionFlagged)
    assert (flag.pattern, flag.count) == ("offline", 2)


def test_a_plain_id_number_never_enters_by_this_door_either():
    scene = Scene(hall())
    assert scene.refused(Terminal(scene).taking(person="320200199001011234")).code == "person_not_keyed"


MINUTES = st.integers(0, 90)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["live", "a", "b"]), MINUTES, st.integers(0, 40)), min_size=1, max_size=25),
    st.randoms(use_true_random=False),
)
def test_f3_however_replays_and_live_numbers_mix_all_join_once_and_in_order(
    acts: list[tuple[str, int, int]], random: Any
):
    """Terminals replay in their own order, against each other in any; live numbers pass them."""
    scene = Scene(hall(), now=MORNING)
    terminals = {"a": Terminal(scene, "kiosk-1"), "b": Terminal(scene, "kiosk-2")}
    lanes: dict[str, list[Any]] = {"live": [], "a": [], "b": []}
    for where, minute, second in sorted(acts, key=lambda act: (act[1], act[2])):
        at = MORNING + timedelta(minutes=minute, seconds=second)
        lanes[where].append(at if where == "live" else terminals[where].taking(at))
    taken = {command.number: command.taken_at for lane in "ab" for command in lanes[lane]}
    backlog = [*lanes["a"], *lanes["b"]]
    for at in lanes["live"]:
        scene.now = at
        taken[scene.issue("id-card").number] = at
    scene.now = MORNING + timedelta(minutes=100)
    while backlog:
        lane = random.choice([lane for lane in "ab" if lanes[lane]])
        command = lanes[lane].pop(0)
        backlog.remove(command)
        scene.do(command)
        scene.do(replace(command, visit=scene.id("v"), step=scene.id("s")))
    waiting = scene.hall.waiting("household", scene.now)
    assert len(waiting) == len(acts) == len({ticket.number for ticket in waiting})
    assert [taken[ticket.number] for ticket in waiting] == sorted(taken.values())
    again = Hall(scene.hall.id)
    for event in scene.history:
        evolve(again, event)
    assert dump(again) == dump(scene.hall) == dump(load(dump(scene.hall)))


def test_the_event_keeps_what_is_printed_and_how_sure_the_time_is():
    scene = Scene(hall())
    terminal = Terminal(scene)
    terminal.joined(terminal.taking_leased(0, uncertain_s=7))
    (issued,) = (event for event in scene.history if isinstance(event, TicketIssued))
    assert (issued.number, issued.printed, issued.lease, issued.uncertain_s) == ("H1041", "H1041", "lease-1", 7)
