"""What devices say by themselves, as events of the journey and as notes beside a device's health."""

from hardware.events import DeviceEvent, KeyPressed, PowerChanged, PresenceChanged, StatusChanged, SwitchChanged
from hardware.roles import Role
from hardware.vocabulary import DeviceStatus, Supply
from kiosk.journeys import events
from kiosk.journeys.views import Power

BATTERY_LOW_S = 180
"""A battery that lasts no longer than this is low, whatever else the UPS says of it."""
_OPEN = {Role.DOOR_SWITCH: "door_open", Role.TAMPER_SWITCH: "tampered"}
_POWER = {Power.BATTERY: "on_battery", Power.LOW: "battery_low"}


class Hearing:
    """Keeps what the events of one role together say."""

    def __init__(self) -> None:
        self._statuses: dict[Role, DeviceStatus] = {}
        self._notes: dict[Role, str] = {}
        self._present: bool | None = None
        self._supply = PowerChanged(Role.UPS, on_battery=False)

    def hear(self, event: DeviceEvent) -> tuple[events.Event, ...]:
        """What the journey is to know of it."""
        match event:
            case StatusChanged(role, status):
                self._statuses[role] = status
                return self._status_changed(role, status)
            case PresenceChanged(_, present):
                self._present = present
                return (events.PresenceChanged(present),)
            case KeyPressed(_, key):
                return (events.KeyPressed(key),)
            case SwitchChanged(role, is_open) if role in _OPEN:
                self._note(role, _OPEN[role] if is_open else None)
            case PowerChanged():
                self._supply = event
                return (self._power_changed(),)
        return ()

    def status(self, role: Role) -> tuple[DeviceStatus, str | None]:
        """What was last said of a device, and what is to be noted beside it: `door_open`, `tampered`, `on_battery`,
        `battery_low`."""
        return self._statuses[role], self._notes.get(role)

    def _status_changed(self, role: Role, status: DeviceStatus) -> tuple[events.Event, ...]:
        if role is Role.PRESENCE_SENSOR:
            return (events.PresenceChanged(self._present if status.usable else None),)
        return (self._power_changed(),) if role is Role.UPS else ()

    def _power_changed(self) -> events.PowerChanged:
        power = self._power()
        self._note(Role.UPS, _POWER.get(power))
        return events.PowerChanged(power)

    def _power(self) -> Power:
        if not self._supply.on_battery:
            return Power.MAINS
        left, status = self._supply.seconds_left, self._statuses.get(Role.UPS)
        empty = status is not None and status.supplies.get("battery") in (Supply.LOW, Supply.OUT)
        return Power.LOW if empty or (left is not None and left <= BATTERY_LOW_S) else Power.BATTERY

    def _note(self, role: Role, note: str | None) -> None:
        if note is None:
            self._notes.pop(role, None)
        else:
            self._notes[role] = note
