"""What the variables of a UPS say, as Network UPS Tools names them. Pure.

`ups.status` is a list of words (NUT User Manual, "Status data"); `battery.charge` in percent, `battery.runtime` in
seconds (NUT Command and Variable Naming Scheme).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hardware.vocabulary import Detail, DeviceStatus, Health, Supply

_LOW: Final = frozenset({"LB", "FSD"})
_WARNINGS: Final = (
    (_LOW, Detail.BATTERY_LOW),
    (frozenset({"RB"}), Detail.BATTERY_WORN),
    (frozenset({"OVER"}), Detail.UPS_OVERLOADED),
    (frozenset({"BYPASS"}), Detail.UPS_BYPASSED),
)
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class Power:
    """Where the power comes from. `on_battery` is None where the UPS does not say."""

    on_battery: bool | None
    battery_low: bool
    seconds_left: int | None
    charge_percent: int | None
    status: DeviceStatus


def power(variables: Mapping[str, str]) -> Power:
    """From the variables of one UPS. Never raises."""
    words = frozenset(variables.get("ups.status", "").split())
    on_battery = True if "OB" in words else False if words & {"OL", "BYPASS"} else None
    low = bool(words & _LOW)
    charge = _number(variables.get("battery.charge"), 100)
    left = _number(variables.get("battery.runtime"), 7 * 24 * 3600)
    health, detail = _health(words, on_battery)
    levels = {"battery": charge} if charge is not None else {}
    supplies = {"battery": _battery(words, on_battery)}
    return Power(on_battery, low, left, charge, DeviceStatus(health, detail, supplies, levels))


def _health(words: frozenset[str], on_battery: bool | None) -> tuple[Health, Detail]:
    if "OFF" in words:
        return Health.FAULT, Detail.UPS_OFF
    warned = next((detail for warnings, detail in _WARNINGS if words & warnings), None)
    if warned is not None:
        return Health.DEGRADED, warned
    if on_battery is None:
        return Health.UNKNOWN, Detail.UNKNOWN_ANSWER
    return (Health.DEGRADED, Detail.ON_BATTERY) if on_battery else (Health.OK, Detail.NONE)


def _battery(words: frozenset[str], on_battery: bool | None) -> Supply:
    if words & _LOW:
        return Supply.LOW
    return Supply.UNKNOWN if on_battery is None else Supply.OK


def _number(text: str | None, limit: int) -> int | None:
    """A whole number in 0 to `limit`; the fraction that some drivers give is dropped."""
    whole = (text or "").partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) < 10 and int(whole) <= limit else None
