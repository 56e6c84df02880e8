"""Which alerts the report of a terminal calls for: its printers, its other devices, its cabinet."""

from collections.abc import Mapping

from wire.messages import Reported

_SUPPLIES = {
    ("paper", "out"): "printer_out_of_paper",
    ("paper", "low"): "printer_paper_low",
    ("paper", "jammed"): "printer_jammed",
    ("toner", "out"): "printer_out_of_toner",
    ("toner", "low"): "printer_toner_low",
}
"""By what is used up; a battery's charge is told by its device's detail."""
_HEALTH = {"fault": "peripheral_fault", "offline": "peripheral_offline", "unknown": "peripheral_unknown"}
_DETAILS = {
    "door_open": "cabinet_open",
    "tampered": "cabinet_tampered",
    "on_battery": "power_on_battery",
    "battery_low": "power_battery_low",
    "battery_worn": "power_battery_worn",
}
"""What a device that is well tells of its cabinet."""
_NOT_ASKED = frozenset({"not_asked", "cannot_be_asked"})
_SET_ASIDE = "facts_set_aside"
REPORTED_CODES = (*_SUPPLIES.values(), *_HEALTH.values(), *_DETAILS.values(), _SET_ASIDE)


def conditions(reported: Reported) -> Mapping[str, Mapping[str, object]]:
    """The alerts that a report calls for: code to parameters. `unknown` is an alert of its own, never a fault.

    A device that nobody has asked yet is unknown as well, for the moment after a start, and so is one that answers no
    question until it is used: that is no alert. `role` names all the devices that it is of, with a comma between.
    """
    found: dict[str, Mapping[str, object]] = {}
    ill: dict[str, list[str]] = {}
    for part in reported.peripherals:
        about = {"role": part.role, "driver": part.driver} | ({"detail": part.detail} if part.detail else {})
        for supply in part.supplies.items():
            if code := _SUPPLIES.get(supply):
                found[code] = about
                ill.setdefault(code, []).append(part.role)
        if code := _DETAILS.get(part.detail or ""):
            found[code] = about
        if part.detail not in _NOT_ASKED and (code := _HEALTH.get(part.health)):
            found[code] = about
            ill.setdefault(code, []).append(part.role)
    if reported.set_aside:
        found[_SET_ASIDE] = {"count": reported.set_aside}
    return found | {code: {**found[code], "role": ",".join(roles)} for code, roles in ill.items()}
