"""What a terminal gets for bad times: a series of its own, blocks of today's and tomorrow's numbers; and two machines
that hold the same are found.

A machine says at each hello where it stands in its series and blocks. One that stands before what the hall knows to be
used has an older memory than the machine that used it: a copied or restored disk.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from queue_server.hall import refusals
from queue_server.hall.base import Command, CorruptHistory, Event, Outcome, Why
from queue_server.hall.offline_numbers import (
    NumberLease,
    OwnSeries,
    after_new_disk,
    free_block,
    free_prefix,
    went_back,
)

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

Sign = Literal["series_went_back", "lease_went_back", "number_twice"]


@dataclass(frozen=True, kw_only=True)
class GrantOffline(Command):
    """A machine said hello. `own_next`: the serial that it gives next in its own series (None: it has none yet);
    `lease_next`: the same for its blocks, by lease; `returns`: blocks that it gives back. `renewed`: a technician made
    sure that this is the right machine; whatever it held before is given to nobody any more."""

    device: str
    instance: str
    own_next: int | None = None
    lease_next: Mapping[str, int] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    renewed: bool = False


@dataclass(frozen=True, kw_only=True)
class OfflineSeriesGranted(Event):
    """A terminal's own series: `prefix`, from the serial `first` on."""

    kind: ClassVar[str] = "offline_series_granted"

    device: str
    instance: str
    prefix: str
    first: int


@dataclass(frozen=True, kw_only=True)
class NumbersLeased(Event):
    """The numbers `first` to `last` of a queue are in one machine's hand for a business date."""

    kind: ClassVar[str] = "numbers_leased"

    lease: str
    device: str
    instance: str
    queue: str
    prefix: str
    business_date: date
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class LeaseReturned(Event):
    """A block is over: its numbers from `next` on were given to nobody."""

    kind: ClassVar[str] = "lease_returned"

    lease: str
    device: str
    next: int
    last: int


@dataclass(frozen=True, kw_only=True)
class OfflineHoldersClashed(Event):
    """Two machines hold the same numbers: both must stop, and somebody must look. `sign` says how it was found."""

    kind: ClassVar[str] = "offline_holders_clashed"

    device: str
    sign: Sign
    number: str
    """A number that both may have given."""


def grant_offline(hall: "Hall", command: GrantOffline, now: datetime) -> Outcome:
    """Everything that the machine lacks; nothing where it lacks nothing."""
    rules = hall.configuration.offline
    if not rules.letters:
        return ()
    clash = () if command.renewed else tuple(_clashes(hall, command, now))
    if clash:
        return clash
    own = hall.store.offline.series.get(command.device)
    series: tuple[Event, ...] = ()
    if own is None or own.instance != command.instance or command.renewed:
        prefix = own.prefix if own else free_prefix(hall.store.offline, rules)
        if prefix is None:
            return refusals.OfflinePrefixesExhausted(device=command.device)
        first = after_new_disk(own, rules) if own else 1
        series = (
            OfflineSeriesGranted(
                at=now,
                by=command.by,
                why=Why("offline_numbers"),
                device=command.device,
                instance=command.instance,
                prefix=prefix,
                first=first,
            ),
        )
    return (*series, *_returned(hall, command, now), *_leased(hall, command, now))


def _clashes(hall: "Hall", command: GrantOffline, now: datetime) -> Iterator[Event]:
    """The first sign of a second holder."""
    facts, rules = hall.store.offline, hall.configuration.offline

    def clash(sign: Sign, number: str) -> Event:
        why = Why("two_holders", {"number": number})
        return OfflineHoldersClashed(at=now, by=command.by, why=why, device=command.device, sign=sign, number=number)

    own = facts.series.get(command.device)
    told = command.own_next if own is not None and own.instance == command.instance else None
    heard = own is not None and own.next != own.first  # a renewed machine may not know yet where it begins
    if own is not None and told is not None and heard and went_back(own.next, told, rules.last):
        yield clash("series_went_back", f"{own.prefix}{told:0{rules.digits}d}")
        return
    for lease in facts.held_by(command.device, command.instance):
        told = command.lease_next.get(lease.id)
        queue = hall.configuration.queue(lease.queue)
        if told is not None and told < lease.next and queue is not None:
            yield clash("lease_went_back", queue.number(told))
            return


def _returned(hall: "Hall", command: GrantOffline, now: datetime) -> Iterator[Event]:
    """Blocks that the machine gives back, and those whose date has ended: what is left of them is explained."""
    today = hall.business_date(now)
    for lease in hall.store.offline.held_by(command.device, command.instance):
        told = command.lease_next.get(lease.id)
        over = lease.business_date < today and told is not None
        if over or command.renewed or lease.id in command.returns:
            used = lease.last + 1 if command.renewed else max(told or lease.next, lease.next)
            why = "holder_renewed" if command.renewed else "lease_over" if over else "lease_given_back"
            yield LeaseReturned(
                at=now,
                by=command.by,
                why=Why(why),
                lease=lease.id,
                device=command.device,
                next=min(used, lease.last + 1),
                last=lease.last,
            )


def _leased(hall: "Hall", command: GrantOffline, now: datetime) -> Iterator[Event]:
    """A new block for each queue and date where less than half of one is left."""
    facts, given = hall.store.offline.copy(), set[str]()
    today = hall.business_date(now)
    for queue in hall.configuration.queues:
        if queue.leased is None or command.returns:
            continue
        for day in (today, today + timedelta(days=1)):
            held = [
                x
                for x in facts.held_by(command.device, command.instance)
                if x.queue == queue.id and (not command.renewed or x.id in given)
            ]
            left = sum(
                min(x.left, max(0, x.last - command.lease_next.get(x.id, x.next) + 1))
                for x in held
                if x.business_date == day
            )
            block = free_block(facts, hall.configuration, queue, day) if left * 2 < queue.leased.block else None
            if block is None:
                continue
            event = NumbersLeased(
                at=now,
                by=command.by,
                why=Why("offline_numbers"),
                lease=f"lease-{facts.leases_given + 1}",
                device=command.device,
                instance=command.instance,
                queue=queue.id,
                prefix=queue.prefix,
                business_date=day,
                first=block.start,
                last=block.stop - 1,
            )
            facts.leases_given += 1
            facts.leases[event.lease] = _lease(event)
            given.add(event.lease)
            yield event


def _lease(event: NumbersLeased) -> NumberLease:
    return NumberLease(
        id=event.lease,
        device=event.device,
        instance=event.instance,
        queue=event.queue,
        prefix=event.prefix,
        business_date=event.business_date,
        first=event.first,
        last=event.last,
        next=event.first,
    )


def series_granted(store: "Store", event: OfflineSeriesGranted) -> None:
    for own in store.offline.series.values():
        if own.prefix == event.prefix and own.device != event.device:
            raise CorruptHistory(f"prefix {event.prefix} is that of {own.device}")
    renewed = event.device in store.offline.series
    store.offline.series[event.device] = OwnSeries(
        device=event.device,
        instance=event.instance,
        prefix=event.prefix,
        first=event.first,
        next=event.first,
        renewed=renewed,
    )
    for lease in store.offline.leases.values() if renewed else ():
        if lease.device == event.device:
            store.offline.leases[lease.id] = replace(lease, given_up=True)


def leased(store: "Store", event: NumbersLeased) -> None:
    new = _lease(event)
    for lease in store.offline.leases.values():
        same = (lease.queue, lease.business_date) == (new.queue, new.business_date)
        # a block that came back unused binds nothing, wherever it began
        if same and lease.bound and lease.bound.start < new.bound.stop and new.bound.start < lease.bound.stop:
            raise CorruptHistory(f"{event.lease} holds numbers of {lease.id}")
    store.offline.leases[event.lease] = new
    store.offline.leases_given += 1


def returned(store: "Store", event: LeaseReturned) -> None:
    lease = store.offline.leases.get(event.lease)
    if lease is None or lease.returned:
        raise CorruptHistory(f"{event.lease} is in nobody's hand")
    store.offline.leases[event.lease] = replace(lease, next=event.next, returned=True)


def clashed(_store: "Store", _event: OfflineHoldersClashed) -> None:
    """Remembered by the ledger; the devices' register stops the machines."""


DECIDE = {GrantOffline: grant_offline}
EVOLVE = {
    OfflineSeriesGranted: series_granted,
    NumbersLeased: leased,
    LeaseReturned: returned,
    OfflineHoldersClashed: clashed,
}
