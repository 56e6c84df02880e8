"""Numbers that a terminal may give while the hall is away: what it holds, and the next one. Pure.

A leased block of the queue comes first, then the terminal's own series. A number is used up before it is printed: the
caller keeps the new holding and the fact in one transaction, and prints afterwards.
"""

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from wire.messages import NumberLease, OfflineGrant, OfflineUse


@dataclass(frozen=True)
class OfflineNumber:
    """A number as printed, and where it comes from; `lease` is None for the terminal's own series."""

    text: str
    prefix: str
    serial: int
    lease: str | None
    business_date: date
    follow_base: str


@dataclass(frozen=True)
class NoNumber:
    """Why there is none: `outside_hours`, `not_today` (with `opens_at`, if known), `offline_ended` (too long without
    the hall), `offline_exhausted`, `already_holding`."""

    code: str
    opens_at: datetime | None = None
    number: str = ""
    """The number that the person holds, for `already_holding`."""


class Holding(BaseModel):
    """What the hall granted, and how far it is used."""

    model_config = ConfigDict(frozen=True)

    grant: OfflineGrant
    own_next: int
    lease_next: dict[str, int]
    own_day: date | None = None
    own_given: int = 0
    """Numbers of the own series given on `own_day`."""
    last_taken_at: datetime | None = None

    def day(self, now: datetime) -> date | None:
        """The business date at `now`; None after the last day for which the hall gave leave."""
        return next((day.business_date for day in self.grant.days if now < day.ends_at), None)

    def next_of(self, lease: NumberLease) -> int:
        return self.lease_next.get(lease.lease, lease.first)


def adopt(held: Holding | None, grant: OfflineGrant) -> Holding:
    """What the hall grants now, used as far as this machine knows; another series begins where the hall says."""
    if held is None or (held.grant.prefix, held.grant.first) != (grant.prefix, grant.first):
        return Holding(grant=grant, own_next=grant.first, lease_next={})
    granted = {lease.lease for lease in grant.leases}
    kept = {lease: serial for lease, serial in held.lease_next.items() if lease in granted}
    return held.model_copy(update={"grant": grant, "lease_next": kept})


def use(held: Holding | None, *, gives_back: bool = False) -> OfflineUse:
    """Where the machine stands, for its hello; with `gives_back` it returns its blocks."""
    if held is None:
        return OfflineUse()
    leases = {lease.lease: held.next_of(lease) for lease in held.grant.leases}
    return OfflineUse(own_next=held.own_next, leases=leases, returns=tuple(leases) if gives_back else ())


def take(held: Holding, queue: str, calendar: str | None, now: datetime) -> tuple[Holding, OfflineNumber] | NoNumber:
    """The next number of a queue at `now` (UTC), and what is held after it. `calendar` names the service's hours."""
    day = held.day(now)
    if day is None:
        return NoNumber("offline_ended")
    if calendar is not None and (closed := _closed(held, calendar, now)):
        return closed
    for lease in held.grant.leases:
        serial = held.next_of(lease)
        if lease.queue == queue and lease.business_date == day and serial <= lease.last:
            after = held.model_copy(
                update={"lease_next": held.lease_next | {lease.lease: serial + 1}, "last_taken_at": now}
            )
            text = f"{lease.prefix}{serial:0{lease.digits}d}"
            return after, OfflineNumber(text, lease.prefix, serial, lease.lease, day, held.grant.follow_base)
    return _own(held, day, now)


def _own(held: Holding, day: date, now: datetime) -> tuple[Holding, OfflineNumber] | NoNumber:
    """The series begins again after its last number, but never gives one twice on a day."""
    given = held.own_given if held.own_day == day else 0
    if given >= held.grant.last:
        return NoNumber("offline_exhausted")
    after = held.model_copy(
        update={
            "own_next": held.own_next % held.grant.last + 1,
            "own_day": day,
            "own_given": given + 1,
            "last_taken_at": now,
        }
    )
    text = f"{held.grant.prefix}{held.own_next:0{held.grant.digits}d}"
    return after, OfflineNumber(text, held.grant.prefix, held.own_next, None, day, held.grant.follow_base)


def _closed(held: Holding, calendar: str, now: datetime) -> NoNumber | None:
    stretches = held.grant.hours.get(calendar)
    if stretches is None or any(stretch.begins <= now < stretch.ends for stretch in stretches):
        return None
    opens_at = min((stretch.begins for stretch in stretches if now < stretch.begins), default=None)
    today = next((day.ends_at for day in held.grant.days if now < day.ends_at), None)
    later_today = opens_at is not None and today is not None and opens_at < today
    return NoNumber("outside_hours" if later_today else "not_today", opens_at)


def to_json(held: Holding) -> str:
    """For the journal's memory."""
    return held.model_dump_json()


def from_json(text: str | None) -> Holding | None:
    """What was kept; a text that is none holds nothing, and the next hello brings it again."""
    if text is None:
        return None
    try:
        return Holding.model_validate_json(text)
    except ValidationError:
        return None
