"""Configuring the hall: the configuration as JSON, its checks, and the event that puts it in force."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from queue_server.hall import refusals
from queue_server.hall.appointments import still_booked
from queue_server.hall.base import Command, Event, Outcome, Refusal, Why
from queue_server.hall.canonical import canonical
from queue_server.hall.configuration import HallConfiguration
from queue_server.hall.limits import check_limits
from queue_server.hall.numbers import check_series
from queue_server.hall.offline_numbers import check_offline
from queue_server.hall.opening import check_calendars
from queue_server.hall.rules import check_rules
from queue_server.hall.slots import check_slots
from queue_server.hall.workplaces import check_workplaces

if TYPE_CHECKING:
    from queue_server.hall.hall import Hall
    from queue_server.hall.store import Store

_ADAPTER: TypeAdapter[HallConfiguration] = TypeAdapter(HallConfiguration)
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_MAY_BE_EMPTY = frozenset({"evidence_kinds", "pause_reasons"})
_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Problem:
    """A rule that a configuration breaks: `code` names the rule, `where` the place, such as `services[tax].queue`."""

    code: str
    where: str


class ConfigurationError(ValueError):
    """The text is no valid configuration; `problems` names all that is wrong. A technician corrects the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.code} at {problem.where}" for problem in self.problems))


@dataclass(frozen=True, kw_only=True)
class Configure(Command):
    """Put a configuration with a higher revision in force; the one in force once more changes nothing."""

    configuration: HallConfiguration


@dataclass(frozen=True, kw_only=True)
class HallConfigured(Event):
    kind: ClassVar[str] = "hall_configured"

    configuration: HallConfiguration


def configuration_from_json(text: str | bytes) -> HallConfiguration:
    """The checked configuration; raises `ConfigurationError` with every problem found."""
    try:
        configuration = _ADAPTER.validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigurationError(
            Problem(found["type"], ".".join(str(part) for part in found["loc"])) for found in error.errors()
        ) from None
    if problems := tuple(check(configuration)):
        raise ConfigurationError(problems)
    return configuration


def configuration_to_json(configuration: HallConfiguration) -> str:
    """Canonical text: equal configurations give equal texts."""
    return canonical(_ADAPTER.dump_python(configuration, mode="json"))


def check(configuration: HallConfiguration) -> Iterator[Problem]:
    """Every rule that the configuration breaks."""
    c = configuration
    if c.revision < 1:
        yield Problem("revision_not_positive", "revision")
    if not _is_zone(c.time_zone):
        yield Problem("time_zone_unknown", "time_zone")
    if not _WALL_TIME.fullmatch(c.day_ends_at):
        yield Problem("not_a_wall_time", "day_ends_at")
    for name, things in _lists(c):
        yield from _check_ids(name, [thing.id for thing in things])
        if not things and name not in _MAY_BE_EMPTY:
            yield Problem("empty", name)
    if "ordinary" not in {p.id for p in c.priority_classes}:
        yield Problem("class_ordinary_missing", "priority_classes")
    yield from _check_measures(c)
    yield from _check_references(c)
    for rules in (
        check_series,
        check_calendars,
        check_limits,
        check_offline,
        check_rules,
        check_slots,
        check_workplaces,
    ):
        yield from (Problem(code, where) for code, where in rules(c))


def _lists(c: HallConfiguration) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    return (
        ("zones", c.zones),
        ("groups", c.groups),
        ("queues", c.queues),
        ("services", c.services),
        ("counter_classes", c.counter_classes),
        ("work_profiles", c.work_profiles),
        ("counters", c.counters),
        ("priority_classes", c.priority_classes),
        ("evidence_kinds", c.evidence_kinds),
        ("pause_reasons", c.pause_reasons),
    )


def _check_ids(name: str, ids: list[str]) -> Iterator[Problem]:
    for id_ in ids:
        if not _ID.fullmatch(id_):
            yield Problem("not_an_id", f"{name}[{id_}]")
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield Problem("id_twice", f"{name}[{id_}]")


def _check_measures(c: HallConfiguration) -> Iterator[Problem]:
    for group in c.groups:
        if not _COLOUR.fullmatch(group.colour):
            yield Problem("not_a_colour", f"groups[{group.id}].colour")
    for service in c.services:
        if not 0 < service.minutes <= 24 * 60:
            yield Problem("minutes_out_of_range", f"services[{service.id}].minutes")


def _check_references(c: HallConfiguration) -> Iterator[Problem]:
    zones, groups, queues = ({thing.id for thing in things} for things in (c.zones, c.groups, c.queues))
    for queue in c.queues:
        if queue.zone not in zones:
            yield Problem("zone_unknown", f"queues[{queue.id}].zone")
    for service in c.services:
        if service.group not in groups:
            yield Problem("group_unknown", f"services[{service.id}].group")
        if service.queue not in queues:
            yield Problem("queue_unknown", f"services[{service.id}].queue")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed or a folder of the database
        return False
    return True


def configure(hall: "Hall", command: Configure, now: datetime) -> Outcome:
    new = command.configuration
    for problem in check(new):
        return refusals.ConfigurationInvalid(problem=problem.code, where=problem.where)
    if hall.configured:
        if new == hall.configuration:
            return ()
        if new.revision <= hall.configuration.revision:
            return refusals.ConfigurationNotNewer(revision=new.revision, in_force=hall.configuration.revision)
        if refusal := _still_in_use(hall, new) or still_booked(hall, new):
            return refusal
    return (HallConfigured(at=now, by=command.by, why=Why("requested"), configuration=new),)


def _still_in_use(hall: "Hall", new: HallConfiguration) -> Refusal | None:
    for ticket in hall.tickets():
        if ticket.finished:
            continue
        for what, id_, found in (
            ("queue", ticket.queue, new.queue(ticket.queue)),
            ("service", ticket.service, new.service(ticket.service)),
            ("priority_class", ticket.priority_class, new.priority_class(ticket.priority_class)),
        ):
            if found is None:
                return refusals.StillInUse(what=what, id=id_)
        for planned in ticket.planned:
            if new.service(planned) is None:
                return refusals.StillInUse(what="service", id=planned)
    for session in hall.sessions():
        if new.counter(session.counter) is None:
            return refusals.StillInUse(what="counter", id=session.counter)
        if session.profile is not None and new.work_profile(session.profile) is None:
            return refusals.StillInUse(what="work_profile", id=session.profile)
    return None


def configured(store: "Store", event: HallConfigured) -> None:
    store.configuration = event.configuration
    store.serving.clear()
    store.turns = {}


DECIDE = {Configure: configure}
EVOLVE = {HallConfigured: configured}
