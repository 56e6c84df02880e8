"""The hall as the terminal knows it: groups, services, counters and texts in both languages, from the bundle."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Texts:
    """One text in the two languages of the terminal; English falls back to Chinese where the hall gave none."""

    zh: str
    en: str = ""

    def of(self, language: str) -> str:
        return self.en or self.zh if language == "en" else self.zh


@dataclass(frozen=True)
class TextLists:
    """A list of texts in the two languages, as the materials of a service."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def of(self, language: str) -> tuple[str, ...]:
        return self.en or self.zh if language == "en" else self.zh


@dataclass(frozen=True)
class Group:
    id: str
    name: Texts
    icon: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Service:
    """A service of the catalogue; `card` says whether the hall gives numbers for it without an ID card."""

    id: str
    group: str
    name: Texts
    zone: Texts = Texts("")
    """Name of the part of the hall where its queue waits."""
    card: Literal["required", "optional"] = "required"
    common: bool = False
    materials: TextLists = TextLists()
    keywords: tuple[str, ...] = ()
    """Other words by which people look for it."""
    queue: str = ""
    hours: str | None = None
    """The calendar that says when numbers are given."""


@dataclass(frozen=True)
class Counter:
    """A window: its number as people see it, and how to find it."""

    number: str
    seat: Texts = Texts("")


@dataclass(frozen=True)
class Catalogue:
    """All that a bundle says. `revision` grows with every change in the hall."""

    revision: int
    hall: str
    hall_name: Texts
    groups: tuple[Group, ...]
    services: tuple[Service, ...]
    counters: tuple[Counter, ...] = ()
    notice: Texts = Texts("")
    passed_rule: Texts = Texts("")
    takes_appointments: bool = False
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))

    @cached_property
    def _services(self) -> dict[str, Service]:
        return {service.id: service for service in self.services}

    @cached_property
    def _groups(self) -> dict[str, Group]:
        return {group.id: group for group in self.groups}

    def service(self, service: str) -> Service | None:
        return self._services.get(service)

    def group(self, group: str) -> Group | None:
        return self._groups.get(group)

    def place(self, service: str, counters: tuple[str, ...]) -> Texts:
        """Where to wait for a service: at its window where only one serves it, else in the zone of its queue."""
        if len(counters) == 1:
            for counter in self.counters:
                if counter.number == counters[0] and counter.seat.zh:
                    return counter.seat
        found = self.service(service)
        return found.zone if found is not None else Texts("")
