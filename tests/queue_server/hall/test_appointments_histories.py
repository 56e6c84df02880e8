"""Random histories of appointments: quotas, shares, blocks and links hold whatever people, channels and clocks do.

The model counts events on its own and asks the hall's indexes nothing.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queue_server.hall import (
    Appointment,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentCheckedIn,
    AppointmentMissed,
    AppointmentRules,
    AppointmentState,
    BookingBlockLifted,
    ChannelQuota,
    CloseDay,
    Event,
    Hall,
    LiftBlock,
    RecordMissed,
    Refusal,
    SlotPlan,
    StepState,
    TellNear,
    TicketCancelled,
    Withdraw,
    dump,
    event_from_json,
    event_to_json,
    evolve,
    free_slots,
    load,
    slots_on,
)
from tests.queue_server.hall.scene import KIOSK, MANAGER
from tests.queue_server.hall.test_appointments import hall_with, person
from tests.queue_server.hall.test_appointments_check_in import CALENDAR, Door

SERVICES = ("id-card", "residence-permit")
CHANNELS = ("app", "hotline", "mini-programme")
PEOPLE = range(4)
PLAN = SlotPlan(
    id="all-day",
    services=SERVICES,
    weekdays=(1, 2, 3, 4, 5, 6, 7),
    begins="01:00",
    ends="05:00",
    minutes=60,
    places=4,
    walk_in_percent=30,
    channels=(ChannelQuota(channel="hotline", places=1),),
)
RULES = AppointmentRules(
    days_ahead=2, early_minutes=90, change_minutes=30, missed_limit=2, missed_days=10, block_days=3
)
STARTS = [
    ("Asia/Shanghai", datetime(2026, 3, 1, 15, 0, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 15, 0, tzinfo=UTC)),  # the night in which 02:00 does not exist
    ("Europe/Berlin", datetime(2026, 10, 24, 15, 0, tzinfo=UTC)),  # the night in which 02:00 comes twice
]


class AppointmentHistories(RuleBasedStateMachine):
    @initialize(
        start=st.sampled_from(STARTS), late=st.sampled_from(["walk_in", "refuse"]), share=st.sampled_from([0, 30, 75])
    )
    def begin(self, start: tuple[str, datetime], late: Any, share: int) -> None:
        self.plan = replace(PLAN, walk_in_percent=share)
        rules = replace(RULES, late=late)
        self.door = Door(hall_with(self.plan, rules=rules, time_zone=start[0], day_ends_at="00:00"), now=start[1])
        self.hall: Hall = self.door.hall
        self.booked: dict[str, dict[str, Any]] = {}
        self.missed: defaultdict[str, list[datetime]] = defaultdict(list)
        self.blocked: dict[str, datetime] = {}
        self.snapshot = (dump(self.hall), len(self.door.history))

    def act(self, command: Any) -> tuple[Event, ...] | Refusal:
        before = self.hall.copy()
        outcome = self.door.ask(command)
        if isinstance(outcome, Refusal):
            assert self.hall.store.facts() == before.store.facts()
            return outcome
        for event in outcome:
            self.note(event)
        return outcome

    def note(self, event: Event) -> None:
        """What the model makes of an event."""
        match event:
            case AppointmentBooked():
                assert self.blocked.get(event.person, event.at) <= event.at
                self.booked[event.appointment] = {
                    "starts_at": event.starts_at, "channel": event.channel, "person": event.person,
                    "service": event.service, "state": "booked",
                }  # fmt: skip
            case AppointmentChanged():
                self.booked[event.appointment]["starts_at"] = event.starts_at
            case AppointmentCancelled():
                self.booked[event.appointment]["state"] = "cancelled"
            case AppointmentCheckedIn():
                self.booked[event.appointment] |= {"state": "checked_in", "ticket": event.ticket}
            case AppointmentMissed():
                self.note_missed(event)
            case BookingBlockLifted():
                self.missed.pop(event.person, None)
                del self.blocked[event.person]
            case TicketCancelled() if event.why.code == "citizen_left":
                found = next(found for found in self.booked.values() if found.get("ticket") == event.ticket)
                del found["ticket"]
                found["state"] = "booked"

    def note_missed(self, event: AppointmentMissed) -> None:
        found = self.booked[event.appointment]
        found["state"] = "missed"
        self.missed[found["person"]].append(found["starts_at"])
        seen = [at for at in self.missed[found["person"]] if at >= event.at - timedelta(days=10)]
        assert (event.blocked_until is not None) == (len(seen) >= 2)
        if event.blocked_until is not None:
            self.blocked[found["person"]] = event.at + timedelta(days=3)

    def slots(self) -> list[datetime]:
        """A few slots to come, so that people meet in them; one that is past, and one too far ahead."""
        now = self.door.now
        days = [now.date() + timedelta(days=n) for n in range(-1, 5)]
        starts = [slot.starts_at for day in days for slot in slots_on(self.hall.configuration, "id-card", day)]
        coming = [starts_at for starts_at in starts if starts_at > now]
        return [*coming[:3], starts[0], starts[-1]]

    def some_appointment(self, data: st.DataObject) -> Appointment:
        """An open one, more often than not."""
        kept = sorted(self.hall.store.appointments.values(), key=lambda one: one.id)
        still_open = [one for one in kept if one.open]
        return data.draw(st.sampled_from(still_open if still_open and data.draw(st.integers(0, 3)) else kept))

    # --- what people do

    @rule(
        data=st.data(),
        bookings=st.lists(
            st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SERVICES), st.sampled_from(CHANNELS)),
            min_size=1,
            max_size=6,
        ),
    )
    def book(self, data: st.DataObject, bookings: list[tuple[int, str, str]]) -> None:
        starts_at = data.draw(st.sampled_from(self.slots()))
        for who, service, channel in bookings:
            offered = self.offered(service, channel, starts_at)
            outcome = self.act(self.door.booking(who, starts_at, service=service, channel=channel))
            if isinstance(outcome, tuple):
                assert offered is None
            elif outcome.code in ("slot_full", "channel_quota_reached", "slot_past", "slot_too_far"):
                assert offered == outcome.code

    @rule(data=st.data(), channel=st.sampled_from(CHANNELS))
    def everybody_wants_one_slot(self, data: st.DataObject, channel: str) -> None:
        starts_at = data.draw(st.sampled_from(self.slots()))
        for who in PEOPLE:
            for service in SERVICES:
                self.act(self.door.booking(who, starts_at, service=service, channel=channel))

    @rule(who=st.sampled_from(PEOPLE), service=st.sampled_from(SERVICES))
    def does_not_come(self, who: int, service: str) -> None:
        for _ in range(2):
            self.act(self.door.booking(who, self.slots()[1], service=service))
            self.clock(24)

    def offered(self, service: str, channel: str, starts_at: datetime) -> str | None:
        """What the list of slots says of this one: None where it can be booked."""
        for days in (-1, 0, 1):
            day = (starts_at + timedelta(days=days)).date()
            for slot in free_slots(self.hall, service, day, channel, self.door.now):
                if slot.starts_at == starts_at:
                    assert (slot.left == 0) == (slot.reason is not None)
                    return slot.reason
        raise AssertionError(starts_at)

    @precondition(lambda self: self.hall.store.appointments)
    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        starts_at = data.draw(st.sampled_from(self.slots()))
        self.act(self.door.changing(self.some_appointment(data), starts_at))

    @precondition(lambda self: self.hall.store.appointments)
    @rule(data=st.data(), staff=st.booleans())
    def cancel(self, data: st.DataObject, staff: bool) -> None:
        more = {"by": MANAGER} if staff else {}
        self.act(self.door.cancelling(self.some_appointment(data), **more))

    @precondition(lambda self: self.hall.store.appointments)
    @rule(data=st.data(), by_person=st.booleans(), in_time=st.booleans())
    def check_in(self, data: st.DataObject, by_person: bool, in_time: bool) -> None:
        appointment = self.some_appointment(data)
        if in_time and appointment.open and appointment.starts_at > self.door.now:
            self.door.now = appointment.starts_at - timedelta(minutes=20)
        command = self.door.checking_in(person=appointment.person) if by_person else self.door.checking_in(appointment)
        self.act(command)

    @precondition(lambda self: any("ticket" in found for found in self.booked.values()))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        tickets = sorted(found["ticket"] for found in self.booked.values() if "ticket" in found)
        self.act(Withdraw(by=KIOSK, ticket=data.draw(st.sampled_from(tickets))))

    @rule(who=st.sampled_from(PEOPLE), service=st.sampled_from(SERVICES))
    def walk_in(self, who: int, service: str) -> None:
        self.act(self.door.issuing(service, person=person(who)))

    @rule(who=st.sampled_from(PEOPLE))
    def lift(self, who: int) -> None:
        self.act(LiftBlock(by=MANAGER, person=person(who)))

    # --- what the calendar does

    @rule(hours=st.sampled_from([0.01, 0.4, 1, 3, 8, 24, 72]))
    def clock(self, hours: float) -> None:
        self.door.later(hours=hours)
        self.act(RecordMissed(by=CALENDAR))
        self.act(TellNear(by=CALENDAR))

    @precondition(lambda self: self.hall.open_day is not None)
    @rule()
    def close(self) -> None:
        assert self.hall.open_day is not None
        self.act(CloseDay(by=CALENDAR, business_date=self.hall.open_day))

    @rule()
    def take_snapshot(self) -> None:
        self.snapshot = (dump(self.hall), len(self.door.history))

    # --- what always holds

    @invariant()
    def quotas_hold_and_the_share_of_walk_ins_is_kept(self) -> None:
        taken: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
        for found in self.booked.values():
            if found["state"] != "cancelled":
                taken[found["starts_at"]][found["channel"]] += 1
        kept_for_walk_ins = ceil(self.plan.places * self.plan.walk_in_percent / 100)
        for channels in taken.values():
            assert channels.total() <= self.plan.places - kept_for_walk_ins
            assert channels["hotline"] <= 1

    @invariant()
    def a_person_has_one_open_appointment_for_a_service(self) -> None:
        held = Counter((f["person"], f["service"]) for f in self.booked.values() if f["state"] == "booked")
        assert set(held.values()) <= {1}
        for who in PEOPLE:
            opened = {one.id for one in self.hall.open_appointments(person(who))}
            expected = {id_ for id_, f in self.booked.items() if f["person"] == person(who) and f["state"] == "booked"}
            assert opened == expected

    @invariant()
    def the_hall_and_the_model_agree_and_links_lead_both_ways(self) -> None:
        for appointment in self.hall.store.appointments.values():
            found = self.booked[appointment.id]
            assert (appointment.state.value, appointment.starts_at) == (found["state"], found["starts_at"])
            assert appointment.ticket == found.get("ticket")
        tickets = {t.id: t for t in self.hall.tickets() if t.appointment is not None}
        live = Counter(t.appointment for t in tickets.values() if not t.finished)
        assert set(live.values()) <= {1}
        for ticket in tickets.values():
            booked = self.hall.appointment(ticket.appointment or "")
            if booked is not None and booked.state is AppointmentState.CHECKED_IN and not ticket.finished:
                assert booked.ticket == ticket.id
                assert booked.person == ticket.person
            if ticket.state is StepState.WAITING:
                assert ticket.waits_from >= max(ticket.arrived_at, ticket.booked_for or ticket.arrived_at)

    def teardown(self) -> None:
        if not hasattr(self, "door"):
            return
        texts = [event_to_json(event) for event in self.door.history]
        replayed = Hall(self.hall.id)
        for text in texts:
            evolve(replayed, event_from_json(text))
        text, length = self.snapshot
        resumed = load(text)
        for line in texts[length:]:
            evolve(resumed, event_from_json(line))
        assert dump(replayed) == dump(resumed) == dump(self.hall)


WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""Shrinking a history takes minutes, more than a test has. The failing one is kept in Hypothesis' database: whoever
looks into it adds `Phase.shrink`."""

TestAppointmentHistories = AppointmentHistories.TestCase
TestAppointmentHistories.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    phases=WITHOUT_SHRINKING,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
