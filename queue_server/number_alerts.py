"""Alerts about numbers: series that run out, hoarding, and machines that hold the same numbers."""

from collections.abc import Iterable
from datetime import datetime

from queue_server.alerts import AlertBook
from queue_server.devices import DeviceBook
from queue_server.hall import (
    DayClosed,
    Event,
    Hall,
    OfflineHoldersClashed,
    OfflineTicketRefused,
    RepetitionFlagged,
    TicketIssued,
    shortages,
)

_SHORTAGES = ("numbers_running_out", "numbers_extended", "numbers_exhausted")
_OF_A_DAY = ("suspicious_repetition", "offline_number_changed")


class NumberAlerts:
    """What staff must hear of one hall's numbers. On the hall's loop."""

    def __init__(self, alerts: AlertBook, devices: DeviceBook) -> None:
        self._alerts = alerts
        self._devices = devices

    def follow(self, events: Iterable[Event]) -> None:
        """Committed events: machines with the same numbers are stopped, and staff are told what to look at."""
        for event in events:
            match event:
                case OfflineHoldersClashed():
                    self._devices.stop(event.device, sign=event.sign, number=event.number)
                case TicketIssued(printed=str(printed), number=number) if printed != number:
                    self._alerts.raise_("offline_number_changed", f"{printed} → {number}", device=event.device or "")
                case RepetitionFlagged():
                    about = {"pattern": event.pattern, "count": event.count, "device": event.device or ""}
                    self._alerts.raise_("suspicious_repetition", event.number, **about)
                case OfflineTicketRefused():
                    about = {"device": event.device, "service": event.service}
                    self._alerts.raise_("offline_ticket_refused", event.number, **about)
                case DayClosed():
                    self._end_day()

    def look(self, hall: Hall, now: datetime) -> None:
        """Whether a series runs out, before anybody is turned away. Cheap: asked with every projection."""
        if not hall.configured:
            return
        short = {shortage.queue: shortage for shortage in shortages(hall, hall.business_date(now))}
        for queue in hall.configuration.queues:
            found = short.get(queue.id)
            holding: dict[str, dict[str, object]] = {}
            if found is not None:
                code = "numbers_running_out" if found.left else "numbers_exhausted"
                if found.left <= hall.configuration.numbering.warn_left:
                    holding[code] = {"left": found.left, "last": queue.limit}
                if found.extended:
                    holding["numbers_extended"] = {"last": queue.last}
            self._alerts.settle(queue.id, _SHORTAGES, holding)

    def _end_day(self) -> None:
        for alert in self._alerts.open():
            if alert.code in _OF_A_DAY:
                self._alerts.clear(alert.code, alert.subject)
