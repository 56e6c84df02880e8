"""The devices of a profile live: a table of their states, and below it what they say by themselves."""

from collections import deque
from collections.abc import Callable
from dataclasses import Field, fields
from datetime import datetime
from threading import Lock
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hardware.cabinet import Cabinet
from hardware.device import Device
from hardware.events import DeviceEvent, StatusChanged
from hardware.technician.words import EVENTS, HEALTHS, WHO, advice, role_words
from hardware.vocabulary import DeviceStatus, Health, WhoActs

KEPT_EVENTS: Final = 12
_STYLES: Final = {Health.OK: "green", Health.DEGRADED: "yellow", Health.FAULT: "bold red", Health.OFFLINE: "bold red"}


class WatchScreen:
    """A context manager. A terminal shows one table that changes; a file or pipe gets one line for each event.

    `said` may be called from any thread; what an event hides from its repr is not shown.
    """

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console = console
        self._now = now
        self._events: deque[str] = deque(maxlen=KEPT_EVENTS)
        self._lock = Lock()
        self._cabinet: Cabinet | None = None
        self._live = Live(console=console, get_renderable=self._view, refresh_per_second=4)

    def __enter__(self) -> "WatchScreen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, cabinet: Cabinet) -> None:
        """The cabinet whose devices are shown."""
        self._cabinet = cabinet

    def said(self, event: DeviceEvent) -> None:
        """Something that a device said by itself."""
        line = f"{self._now():%H:%M:%S}  {role_words(event.role)}  {_told(event)}"
        with self._lock:
            self._events.append(line)
        if not self._console.is_terminal:
            self._console.print(Text(line), soft_wrap=True)

    def _view(self) -> RenderableType:
        with self._lock:
            events = "\n".join(self._events)
        return Group(self._table(), Panel(Text(events), title="事件 Events (Ctrl-C: 结束 end)"))

    def _table(self) -> Table:
        table = Table(title="设备 Devices", expand=True)
        for title, ratio in (
            ("设备 Device", 4),
            ("状态 Health", 2),
            ("耗材 Supplies", 3),
            ("说明和处理 What to do", 5),
        ):
            table.add_column(title, ratio=ratio)
        for device in self._cabinet.devices.values() if self._cabinet is not None else ():
            table.add_row(*_row(device))
        return table


def _row(device: Device[Any]) -> tuple[Text, Text, Text, Text]:
    status = device.status
    supplies = ", ".join(f"{name} {supply.value}" for name, supply in status.supplies.items())
    health = Text(str(HEALTHS[status.health]), _STYLES.get(status.health, "bold yellow"))
    return Text(str(role_words(device.role))), health, Text(supplies), Text(_advice(status), overflow="fold")


def _told(event: DeviceEvent) -> str:
    if isinstance(event, StatusChanged):
        return f"{HEALTHS[event.status.health]}  {_advice(event.status)}".rstrip()
    rest = ", ".join(f"{field.name}={getattr(event, field.name)}" for field in fields(event) if _shown(field))
    return f"{EVENTS.get(type(event).__name__, type(event).__name__)}  {rest}".rstrip()


def _shown(field: Field[Any]) -> bool:
    """What an event tells of a person is not."""
    return field.repr and field.name != "role"


def _advice(status: DeviceStatus) -> str:
    who = "" if status.who_acts is WhoActs.NOBODY else f" [{WHO[status.who_acts]}]"
    return f"{advice(status.detail)}{who}".strip()
