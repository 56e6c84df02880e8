"""All devices of one profile, opened together, watched for being plugged in and out, and closed together."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, TypeVar

from hardware.device import Device, Supervision
from hardware.events import DeviceAppeared, DeviceGone, OnEvent
from hardware.hot_plug import INTERVAL_S, HotPlug
from hardware.print_jobs import PrintJobStore
from hardware.profile import Binding
from hardware.roles import Role

D = TypeVar("D", bound=Device[Any])


class Cabinet:
    """The devices by their roles. `on_event` hears all of them, each on its own thread, and what hot-plug notices on
    another; `jobs` keeps what printers print. Raises `BadProfile`."""

    def __init__(
        self,
        bindings: Iterable[Binding],
        on_event: OnEvent,
        *,
        supervision: Supervision | None = None,
        jobs: PrintJobStore | None = None,
        hot_plug_interval_s: float = INTERVAL_S,
    ) -> None:
        self._bindings = {binding.role: binding for binding in bindings}
        self._devices: dict[Role, Device[Any]] = {}
        self._on_event = on_event
        self._hot_plug: HotPlug | None = None
        try:
            for binding in self._bindings.values():
                self._devices[binding.role] = binding.open(on_event, supervision, jobs)
        except BaseException:
            self.close()
            raise
        addresses = {role: binding.address for role, binding in self._bindings.items()}
        self._hot_plug = HotPlug(addresses, self._appeared, self._gone, interval_s=hot_plug_interval_s)

    @property
    def devices(self) -> Mapping[Role, Device[Any]]:
        return MappingProxyType(self._devices)

    @property
    def bindings(self) -> Mapping[Role, Binding]:
        return MappingProxyType(self._bindings)

    def get(self, role: Role, kind: type[D]) -> D | None:
        """The device of a role if it is of this kind; None where the cabinet has none (or one of another kind)."""
        device = self._devices.get(role)
        return device if isinstance(device, kind) else None

    def close(self) -> None:
        """Close all devices at once: none waits for another's last answer."""
        if self._hot_plug is not None:
            self._hot_plug.close()
        if self._devices:
            with ThreadPoolExecutor(len(self._devices), "cabinet-close") as closing:
                for device in self._devices.values():
                    closing.submit(device.close)

    def _appeared(self, role: Role) -> None:
        self._devices[role].wake()
        self._on_event(DeviceAppeared(role))

    def _gone(self, role: Role) -> None:
        self._on_event(DeviceGone(role))
