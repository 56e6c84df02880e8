"""What is found on this machine: every address where a device could be, and which driver's device answers there."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from hardware.addresses import Address, SerialAddress
from hardware.drivers import Driver, driver, driver_ids
from hardware.errors import LineLost
from hardware.lines import open_line
from hardware.vocabulary import DeviceStatus

DRAIN_S: Final = 0.05
LISTEN_S: Final = 1.2
"""A sensor speaks ten times a second; the rest is for a machine that stands still meanwhile."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A driver whose device this could be. `status` is there when one answered, at `address` (with its baud rate)."""

    driver: str
    title: str
    address: Address
    status: DeviceStatus | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One address. `in_use`: held by another program (a terminal that runs), so that nothing was asked."""

    address: Address
    description: str
    candidates: tuple[Candidate, ...]
    in_use: str | None = None
    asked: bool = False

    @property
    def answered(self) -> Candidate | None:
        return next((candidate for candidate in self.candidates if candidate.status is not None), None)


def places(drivers: Iterable[Driver[Any]] | None = None) -> tuple[Place, ...]:
    """All addresses, in the order in which the drivers find them; nothing is opened or asked."""
    found: dict[str, Place] = {}
    for declared in map(driver, driver_ids()) if drivers is None else drivers:
        for each in declared.find() if declared.find is not None else ():
            key = str(each.address)
            place = found.get(key, Place(each.address, each.description, ()))
            candidate = Candidate(declared.id, declared.title, each.address)
            found[key] = replace(place, candidates=(*place.candidates, candidate))
    return tuple(found.values())


def ask(place: Place, within_s: float, drivers: Callable[[str], Driver[Any]] = driver) -> Place:
    """Ask at the address with each driver that can ask without doing anything, until one of its devices answers."""
    speaks: bool | None = None
    if isinstance(place.address, SerialAddress):
        try:
            speaks = _speaks(place.address)
        except LineLost as error:
            return replace(place, in_use=str(error))
    asked: list[Candidate] = []
    for candidate in place.candidates:
        declared = drivers(candidate.driver)
        settled = any(earlier.status is not None for earlier in asked)
        fits = speaks is None or speaks is declared.speaks_unasked
        asked.append(_asked(candidate, declared, within_s) if fits and not settled else candidate)
    return replace(place, candidates=tuple(asked), asked=True)


def _asked(candidate: Candidate, declared: Driver[Any], within_s: float) -> Candidate:
    if declared.probe is None:
        return candidate
    for address in _rates(candidate.address, declared):
        status = declared.probe(address, within_s)
        if status is not None:
            return replace(candidate, address=address, status=status)
    return candidate


def _rates(address: Address, declared: Driver[Any]) -> Iterable[Address]:
    if not isinstance(address, SerialAddress) or not declared.bauds:
        return (address,)
    return tuple(replace(address, baud=baud) for baud in declared.bauds)


def _speaks(address: SerialAddress) -> bool:
    """Whether something comes unasked, at whatever rate: what is no question's answer would be taken for one.

    Raises `LineLost` when the port cannot be opened.
    """
    line = open_line(address)
    try:
        line.read_available(time.monotonic() + DRAIN_S)  # what has waited in the port since long ago
        return bool(line.read_available(time.monotonic() + LISTEN_S))
    finally:
        line.close()
