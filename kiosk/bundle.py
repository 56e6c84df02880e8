"""The bundle: fetched from the hall by its SHA-256, kept on disk, read into the catalogue of the journeys."""

import asyncio
import hashlib
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiosk.errors import BadBundle
from kiosk.journeys.catalogue import Catalogue, Counter, Group, Service, TextLists, Texts

MAX_BYTES = 4 * 1024 * 1024
FETCH_TIMEOUT_S = 20.0


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Text(_Part):
    zh: str
    en: str = ""

    def texts(self) -> Texts:
        return Texts(self.zh, self.en)


class _TextList(_Part):
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class _Named(_Part):
    id: str
    name: _Text
    icon: str = ""
    colour: str = ""


class _Queue(_Part):
    id: str
    zone: str


class _Service(_Part):
    id: str
    group: str
    name: _Text
    queue: str = ""
    card: Literal["required", "optional"] = "required"
    common: bool = False
    materials: _TextList = _TextList()
    keywords: tuple[str, ...] = ()
    hours: str | None = None


class _Counter(_Part):
    number: str
    seat: _Text = _Text(zh="")


class _Bundle(_Part):
    hall: str = ""
    revision: int = Field(ge=0)
    name: _Text
    time_zone: str
    zones: tuple[_Named, ...] = ()
    queues: tuple[_Queue, ...] = ()
    groups: tuple[_Named, ...]
    services: tuple[_Service, ...]
    counters: tuple[_Counter, ...] = ()
    notice: _Text = _Text(zh="")
    passed_rule: _Text = _Text(zh="")
    hours: str | None = None
    takes_appointments: bool = False


class BundleStore:
    """The newest good bundle in a directory. Raises `BadBundle` and OSError."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "bundle.json"

    async def load(self) -> tuple[str, Catalogue] | None:
        """SHA-256 and catalogue of the bundle kept on disk; None if there is none."""
        return await asyncio.to_thread(self._load)

    async def fetch(self, url: str, sha256: str) -> Catalogue:
        """Get, verify, read and keep a bundle."""
        return await asyncio.to_thread(self._fetch, url, sha256)

    def _load(self) -> tuple[str, Catalogue] | None:
        try:
            body = self._file.read_bytes()
        except FileNotFoundError:
            return None
        return hashlib.sha256(body).hexdigest(), read(body)

    def _fetch(self, url: str, sha256: str) -> Catalogue:
        body = _get(url)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise BadBundle("wrong_sha256")
        catalogue = read(body)
        self._keep(body)
        return catalogue

    def _keep(self, body: bytes) -> None:
        """Whole or not at all, also over a power cut."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._file)


def read(body: bytes) -> Catalogue:
    """The catalogue in a bundle's JSON. Raises `BadBundle`."""
    try:
        bundle = _Bundle.model_validate(json.loads(body))
        zone = ZoneInfo(bundle.time_zone)
    except (ValueError, ValidationError, RecursionError):
        raise BadBundle("bad_content") from None
    except (ZoneInfoNotFoundError, OSError):
        raise BadBundle("bad_time_zone") from None
    zones = {each.id: each.name.texts() for each in bundle.zones}
    places = {queue.id: zones.get(queue.zone, Texts("")) for queue in bundle.queues}
    return Catalogue(
        revision=bundle.revision,
        hall=bundle.hall,
        hall_name=bundle.name.texts(),
        groups=tuple(Group(g.id, g.name.texts(), g.icon, g.colour) for g in bundle.groups),
        services=tuple(
            _service(service, places.get(service.queue, Texts("")), bundle.hours) for service in bundle.services
        ),
        counters=tuple(Counter(counter.number, counter.seat.texts()) for counter in bundle.counters),
        notice=bundle.notice.texts(),
        passed_rule=bundle.passed_rule.texts(),
        takes_appointments=bundle.takes_appointments,
        zone=zone,
    )


def _service(service: _Service, place: Texts, hours: str | None) -> Service:
    return Service(
        id=service.id,
        group=service.group,
        name=service.name.texts(),
        zone=place,
        card=service.card,
        common=service.common,
        materials=TextLists(service.materials.zh, service.materials.en),
        keywords=service.keywords,
        queue=service.queue,
        hours=service.hours or hours,
    )


def _get(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise BadBundle("bad_address")
    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as response:  # noqa: S310 - scheme checked above
            body: bytes = response.read(MAX_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise BadBundle("not_fetched") from error
    if len(body) > MAX_BYTES:
        raise BadBundle("too_large")
    return body
