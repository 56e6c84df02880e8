"""Numbers for terminals that cannot reach the hall: each one's own series, and blocks leased from a queue's range.

A number is in one hand only: a terminal's prefix is its own, and blocks of one queue and business date never overlap.
Blocks of neighbouring dates come from different parts of the range, so that a number that is carried over, or still
served after the end of its day, is not given again meanwhile. A block is not leased again before its date has ended,
unless its holder gave it back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from pydantic import ConfigDict

from queue_server.hall.numbers import CLEAR_LETTERS, MAX_DIGITS

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration, Queue

_STRICT = ConfigDict(extra="forbid")
_SECOND_LETTERS = "ABCDHLNPQSTVWXYZ"


@dataclass(frozen=True, kw_only=True)
class LeasedRange:
    """Serials of a queue that terminals may hold for bad times: `first` to `last`, in blocks of `block`."""

    __pydantic_config__ = _STRICT

    first: int
    last: int
    block: int = 20


@dataclass(frozen=True, kw_only=True)
class OfflineRules:
    """The hall's choices about numbers taken offline.

    `letters`: each terminal has a prefix of its own that begins with one of these (`XA`, `XB` …); no queue's prefix
    does. Empty: terminals give no numbers offline. `last` and `digits` shape that series. `tolerance_s`: up to this
    uncertainty a number is placed by the time at which it was taken, beyond it by the latest time it can have been.
    `days`: so many business days a terminal may go on without having heard from the hall.
    """

    __pydantic_config__ = _STRICT

    letters: str = "XY"
    last: int = 999
    digits: int = 3
    tolerance_s: int = 120
    days: int = 7

    def prefixes(self) -> Iterator[str]:
        """All prefixes that terminals can have, in the order in which they are given."""
        for first in self.letters:
            for second in _SECOND_LETTERS:
                yield first + second


@dataclass(frozen=True, kw_only=True)
class OwnSeries:
    """A terminal's own series. `first`: where this holder begins. `next`: above all that the hall knows to be used.
    `renewed`: another holder's memory of it was given up."""

    device: str
    instance: str
    prefix: str
    first: int
    next: int
    renewed: bool = False

    def is_given_up(self, serial: int, last: int) -> bool:
        """Whether a number is one of the holder whose memory was given up: neither used by this one nor soon to be."""
        used = (serial - self.first) % last < (self.next - self.first) % last
        return self.renewed and not used and (serial - self.next) % last >= last // 4


@dataclass(frozen=True, kw_only=True)
class NumberLease:
    """A block of a queue's numbers in one terminal's hand for one business date, both ends included.

    `next`: above all that the hall knows to be used. Of a block given back, only what lies below `next` was used.
    `given_up`: its holder's memory was, when the machine was renewed.
    """

    id: str
    device: str
    instance: str
    queue: str
    prefix: str
    business_date: date
    first: int
    last: int
    next: int
    returned: bool = False
    given_up: bool = False

    @property
    def left(self) -> int:
        return 0 if self.returned else self.last - self.next + 1

    @property
    def bound(self) -> range:
        """The serials that nobody else may get."""
        return range(self.first, self.next if self.returned else self.last + 1)


@dataclass(kw_only=True)
class OfflineFacts:
    """What the hall remembers of numbers out of its own hand."""

    series: dict[str, OwnSeries] = field(default_factory=dict)
    """By device."""
    leases: dict[str, NumberLease] = field(default_factory=dict)
    leases_given: int = 0
    joined: dict[date, dict[str, str]] = field(default_factory=dict)
    """Number to ticket, of the numbers taken offline that have joined, by business date."""

    def copy(self) -> "OfflineFacts":
        return OfflineFacts(
            series=self.series.copy(),
            leases=self.leases.copy(),
            leases_given=self.leases_given,
            joined={day: numbers.copy() for day, numbers in self.joined.items()},
        )

    def forget_to(self, day: date) -> None:
        """Drops what belongs to business dates up to `day`."""
        self.leases = {id_: lease for id_, lease in self.leases.items() if lease.business_date > day}
        self.joined = {of: numbers for of, numbers in self.joined.items() if of > day}

    def held_by(self, device: str, instance: str) -> list[NumberLease]:
        """The blocks in the hand of this very machine, in the order of their numbers."""
        held = (x for x in self.leases.values() if (x.device, x.instance) == (device, instance) and not x.returned)
        return sorted(held, key=lambda lease: (lease.business_date, lease.queue, lease.first))

    def note_used(self, prefix: str, serial: int, lease: str | None, last: int) -> None:
        """A number was used: it and all before it in its block or series (which begins again after `last`)."""
        if lease is not None:
            held = self.leases.get(lease)
            if held is not None and held.next <= serial <= held.last:
                self.leases[lease] = replace(held, next=serial + 1)
            return
        for device, own in self.series.items():
            if own.prefix == prefix and not own.is_given_up(serial, last):
                self.series[device] = replace(own, next=serial % last + 1)

    def is_given_up(self, device: str, serial: int, lease: str | None, last: int) -> bool:
        """Whether a number of this device was taken before it was renewed; its own series begins again after `last`."""
        if lease is not None:
            held = self.leases.get(lease)
            return held is not None and held.device == device and held.given_up
        own = self.series.get(device)
        return own is not None and own.is_given_up(serial, last)


def free_prefix(facts: OfflineFacts, rules: OfflineRules) -> str | None:
    """The next prefix that no terminal has."""
    taken = {own.prefix for own in facts.series.values()}
    return next((prefix for prefix in rules.prefixes() if prefix not in taken), None)


def went_back(known: int, told: int, last: int) -> bool:
    """Whether a series that begins again after `last` stands at `told`, before `known`: its holder forgot numbers."""
    return 0 < (known - told) % last < last / 2


def after_new_disk(own: OwnSeries, rules: OfflineRules) -> int:
    """Where a machine whose memory is gone begins: far from what its lost memory may have given."""
    return (own.next - 1 + rules.last // 2) % rules.last + 1


def part_of_day(configuration: "HallConfiguration", leased: LeasedRange, day: date) -> range:
    """The part of a queue's leased range that belongs to a business date; dates whose numbers may live together have
    different parts."""
    parts = _parts(configuration)
    size = (leased.last - leased.first + 1) // parts
    begins = leased.first + day.toordinal() % parts * size
    return range(begins, begins + size)


def free_block(facts: OfflineFacts, configuration: "HallConfiguration", queue: "Queue", day: date) -> range | None:
    """The lowest block that nobody holds; None: all are in somebody's hand."""
    if queue.leased is None:
        return None
    bound = sorted(
        (lease.bound for lease in facts.leases.values() if (lease.queue, lease.business_date) == (queue.id, day)),
        key=lambda taken: taken.start,
    )
    part = part_of_day(configuration, queue.leased, day)
    begins = part.start
    for taken in bound:
        if taken and begins + queue.leased.block > taken.start:
            begins = max(begins, taken.stop)
    ends = begins + queue.leased.block
    return range(begins, ends) if ends <= part.stop else None


def _parts(configuration: "HallConfiguration") -> int:
    rules = configuration.rules
    return 2 + (rules.carry_over_days if rules.day_end_tickets == "carry_over" else 0)


def check_offline(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that the offline numbers break: code and place."""
    rules = c.offline
    letters = set(rules.letters)
    if len(letters) < len(rules.letters) or not all("A" <= letter <= "Z" for letter in letters):
        yield "not_letters", "offline.letters"
    elif not c.numbering.unclear_letters and not CLEAR_LETTERS.issuperset(letters):
        yield "prefix_unclear", "offline.letters"
    if not 1 <= rules.digits <= MAX_DIGITS or not 1 < rules.last < 10**rules.digits:
        yield "digits_too_few", "offline.digits"
    if rules.tolerance_s < 0:
        yield "negative", "offline.tolerance_s"
    if not 1 <= rules.days <= 30:
        yield "days_out_of_range", "offline.days"
    for queue in c.queues:
        where = f"queues[{queue.id}]"
        if queue.prefix[:1] in letters:
            yield "prefix_of_terminals", f"{where}.prefix"
        if queue.leased is not None:
            yield from _check_range(c, queue, queue.leased, f"{where}.leased")


def _check_range(c: "HallConfiguration", queue: "Queue", leased: LeasedRange, where: str) -> Iterator[tuple[str, str]]:
    if not 0 <= leased.first <= leased.last or leased.block < 1:
        yield "range_empty", where
    elif leased.last >= 10**MAX_DIGITS:
        yield "digits_too_few", where
    elif leased.first <= queue.limit and queue.first <= leased.last:
        yield "range_twice", where
    elif (leased.last - leased.first + 1) // _parts(c) < leased.block:
        yield "range_too_small", where
