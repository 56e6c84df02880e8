"""The technicians' and managers' page: terminals by what needs a person, one-time codes, open alerts."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.responses import RedirectResponse, Response

from queue_server.devices import DeviceUnknown, NotAllowed
from queue_server.projection import AlertNow, DeviceNow
from queue_server.staff import Staff
from queue_server.web.console.access import SIGN_IN, signed_in
from queue_server.web.console.frame import Frame, fragment
from queue_server.web.console.words import alert_text, role_name, supply_text
from queue_server.web.parts import WebParts

_URGENCY = ("critical", "warning", "info")
_GOOD = frozenset({"ok", "not_supported"})


def staff_page(hall_of: Callable[[Request], WebParts]) -> None:
    """Register the page `/console/staff`."""

    @ui.page("/staff", title="运维与告警")
    async def page(request: Request) -> Response | None:
        web = hall_of(request)
        staff = signed_in(web, request)
        if staff is None:
            return RedirectResponse(SIGN_IN, 303)
        if not staff.may("technician", "manager"):
            return RedirectResponse("/console/", 303)
        StaffPage(Frame(web, request, "/console/staff"), staff)
        return None


class StaffPage:
    """One technician's or manager's open page."""

    def __init__(self, frame: Frame, staff: Staff) -> None:
        self._frame = frame
        self._web = frame.web
        self._code: tuple[str, str] | None = None
        """Device and code on show; it goes when its 30 seconds are over or another is asked for."""
        frame.open()
        with ui.element("main").classes("staff"):
            self._alerts = fragment("alerts")
            self._terminals = fragment("terminals")
        ui.on("act", self._act)
        self._draw_for(staff)
        frame.live(self._draw)

    def _draw(self) -> None:
        staff = self._frame.staff()
        if staff is None or not staff.may("technician", "manager"):
            ui.navigate.to("/console/")
            return
        self._draw_for(staff)

    def _draw_for(self, staff: Staff) -> None:
        self._frame.draw_bar(staff)
        alerts = sorted(self._web.alerts.open(), key=lambda alert: (_URGENCY.index(alert.severity), alert.raised_at))
        names = {device.device: device.name for device in self._web.devices.now()}
        self._frame.fill(self._alerts, "console_alerts.html", alerts=[self._alert(alert, names) for alert in alerts])
        troubled = {alert.subject for alert in alerts}
        devices = sorted(
            self._web.devices.now(),
            key=lambda device: (device.device not in troubled, device.presence == "ready", device.name),
        )
        self._frame.fill(
            self._terminals,
            "console_terminals.html",
            devices=[self._device(device) for device in devices],
            displays=self._web.displays.connected,
        )

    def _alert(self, alert: AlertNow, names: dict[str, str]) -> dict[str, Any]:
        return {
            "code": alert.code,
            "subject": alert.subject,
            "subject_name": names.get(alert.subject, alert.subject),
            "severity": alert.severity,
            "text": alert_text(alert, self._frame.language),
            "since": self._time(alert.raised_at),
            "count": alert.count,
        }

    def _device(self, device: DeviceNow) -> dict[str, Any]:
        return {
            "id": device.device,
            "name": device.name,
            "registered": device.registered,
            "presence": device.presence,
            "peripherals": [
                {
                    "role": role_name(part.role, self._frame.language),
                    "driver": part.driver,
                    "health": part.health,
                    "good": part.health in _GOOD,
                    "supplies": [
                        supply_text(name, state, self._frame.language)
                        for name, state in part.supplies.items()
                        if state in ("low", "out", "jammed")
                    ],
                }
                for part in device.peripherals
            ],
            "last_ticket": "" if device.last_ticket_at is None else self._time(device.last_ticket_at),
            "backlog": device.backlog,
            "version": device.versions.get("estation", ""),
            "code": self._code[1] if self._code is not None and self._code[0] == device.device else "",
        }

    def _time(self, instant: datetime) -> str:
        zone = self._web.facts.read().zone
        local, today = instant.astimezone(zone), self._web.now().astimezone(zone).date()
        return local.strftime("%H:%M" if local.date() == today else "%Y-%m-%d %H:%M")

    async def _act(self, event: GenericEventArguments) -> None:
        staff = self._frame.staff()
        args = event.args if isinstance(event.args, dict) else {}
        if staff is None or not staff.may("technician", "manager"):
            ui.navigate.to(f"{SIGN_IN}?ended=true")
            return
        if args.get("act") == "code":
            await self._show_code(staff, str(args.get("device", ""))[:64])
        elif args.get("act") == "clear":
            code, subject = str(args.get("code", "")), str(args.get("subject", ""))
            if self._web.alerts.clear(code, subject, by=staff.id):
                await self._web.counters.note(staff, "alert_cleared", f"{code}:{subject}")
        self._draw_for(staff)
        ui.run_javascript("settled()")

    async def _show_code(self, staff: Staff, device: str) -> None:
        try:
            code = await asyncio.to_thread(self._web.devices.technician_code, staff, device)
        except (NotAllowed, DeviceUnknown):
            self._code = None
            return
        self._code = (device, code)
        ui.timer(30.0, self._hide_code, once=True)

    def _hide_code(self) -> None:
        self._code = None
        self._draw()
