"""What web pages tell of a hall that does not change by the minute, read from its bundle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from queue_server.hall_port import HallPort

Text = Mapping[str, str]
_NOTHING: Text = {"zh": "", "en": ""}


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service: its group's colour, and what to have ready, by language."""

    name: Text
    group: str
    colour: str
    materials: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class HallFacts:
    """Texts and time zone of a hall; before its configuration is loaded, empty texts and UTC."""

    name: Text = field(default_factory=lambda: {"zh": "政务服务大厅", "en": "Government Service Hall"})
    time_zone: str = "UTC"
    passed_rule: Text = field(default_factory=lambda: dict(_NOTHING))
    services: Mapping[str, ServiceFacts] = field(default_factory=dict)
    seats: Mapping[str, Text] = field(default_factory=dict)
    """Where to find a counter, by its number."""
    classes: Mapping[str, Text] = field(default_factory=dict)
    zones: Mapping[str, Text] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class HallFactsReader:
    """The facts of the newest bundle, parsed once for each."""

    def __init__(self, port: HallPort) -> None:
        self._port = port
        self._sha256 = ""
        self._facts = HallFacts()

    def read(self) -> HallFacts:
        bundle = self._port.bundle()
        if bundle is not None and bundle.sha256 != self._sha256:
            self._facts = _facts(json.loads(bundle.body))
            self._sha256 = bundle.sha256
        return self._facts


def _facts(raw: dict[str, Any]) -> HallFacts:
    colours = {group["id"]: group["colour"] for group in raw["groups"]}
    return HallFacts(
        name=raw["name"],
        time_zone=raw["time_zone"],
        passed_rule=raw["passed_rule"],
        services={
            service["id"]: ServiceFacts(
                name=service["name"],
                group=service["group"],
                colour=colours.get(service["group"], "#0b3d7a"),
                materials={language: tuple(lines) for language, lines in service["materials"].items()},
            )
            for service in raw["services"]
        },
        seats={counter["number"]: counter["seat"] for counter in raw["counters"]},
        classes={each["id"]: each["name"] for each in raw["priority_classes"]},
        zones={zone["id"]: zone["name"] for zone in raw["zones"]},
    )
