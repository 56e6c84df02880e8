"""What a terminal is told at its hello of the numbers that it may give while the hall is away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from queue_server.hall import GrantOffline, Hall
from queue_server.hall.base import Actor
from queue_server.hall.opening import stretches
from wire import messages as wire


def asked(device: str, hello: wire.Hello, *, renewed: bool, old: bool = False) -> GrantOffline:
    """The command that a hello comes to; `renewed`: it is the first one of a machine that staff vouched for. What an
    `old` one says of the machine's numbers is not so any more."""
    use = wire.OfflineUse() if old or hello.offline is None else hello.offline
    return GrantOffline(
        by=Actor("device", device),
        device=device,
        instance=hello.instance,
        own_next=use.own_next,
        lease_next=dict(use.leases),
        returns=use.returns,
        renewed=renewed,
    )


def granted(hall: Hall, device: str, instance: str, now: datetime, follow_base: str) -> wire.OfflineGrant | None:
    """All that this very machine holds, with the days and hours in which it may use it; None: it holds nothing."""
    own = hall.store.offline.series.get(device)
    rules = hall.configuration.offline
    if own is None or own.instance != instance or not rules.letters:
        return None
    return wire.OfflineGrant(
        prefix=own.prefix,
        first=own.first,
        last=rules.last,
        digits=rules.digits,
        leases=tuple(_leases(hall, device, instance, now)),
        days=tuple(_days(hall, now)),
        hours={
            calendar.id: tuple(
                wire.OpenStretch(begins=stretch.begins, ends=stretch.ends)
                for stretch in stretches(calendar, ZoneInfo(hall.configuration.time_zone), now, rules.days)
            )
            for calendar in hall.configuration.calendars
        },
        one_live=hall.configuration.limits.one_live != "none",
        follow_base=follow_base,
    )


def _leases(hall: Hall, device: str, instance: str, now: datetime) -> Iterator[wire.NumberLease]:
    today = hall.business_date(now)
    for lease in hall.store.offline.held_by(device, instance):
        queue = hall.configuration.queue(lease.queue)
        if queue is not None and queue.prefix == lease.prefix and lease.business_date >= today:
            yield wire.NumberLease(
                lease=lease.id,
                queue=lease.queue,
                prefix=lease.prefix,
                first=lease.first,
                last=lease.last,
                digits=queue.digits,
                business_date=lease.business_date,
            )


def _days(hall: Hall, now: datetime) -> Iterator[wire.BusinessDay]:
    today = hall.business_date(now)
    for ahead in range(hall.configuration.offline.days):
        day = today + timedelta(days=ahead)
        yield wire.BusinessDay(business_date=day, ends_at=hall.configuration.day_ends(day))
