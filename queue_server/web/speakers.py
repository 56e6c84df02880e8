"""Which display speaks in a zone, and whether it is heard: one at a time, by a lease that its reports renew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from queue_server.alerts import AlertBook

CODES = ("display_speaker_gone", "display_sound_blocked", "display_voice_failed", "display_behind")


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """What a speaking display says of itself. `delay_s`: how long the oldest unannounced call has waited."""

    screen: str
    sound: Literal["ok", "blocked"]
    waiting: int
    delay_s: float
    failed: bool


@dataclass(slots=True)
class _Lease:
    screen: str
    until: float


class SpeakerDesk:
    """Grants the voice of each zone to one screen and turns its reports into alerts."""

    def __init__(
        self, alerts: AlertBook, monotonic: Callable[[], float], *, lease_s: float, behind_after_s: float
    ) -> None:
        self._alerts = alerts
        self._monotonic = monotonic
        self._lease_s = lease_s
        self._behind_after_s = behind_after_s
        self._leases: dict[str, _Lease] = {}

    def report(self, zone: str, report: SpeakerReport) -> bool:
        """Take a report; True if this screen speaks for the zone."""
        now = self._monotonic()
        lease = self._leases.get(zone)
        if lease is not None and lease.screen != report.screen and now < lease.until:
            return False
        self._leases[zone] = _Lease(report.screen, now + self._lease_s)
        holding: dict[str, Mapping[str, object]] = {}
        if report.sound == "blocked":
            holding["display_sound_blocked"] = {}
        if report.failed:
            holding["display_voice_failed"] = {}
        behind = report.waiting > 0 and self._alerts.is_open("display_behind", zone)
        if behind or report.delay_s >= self._behind_after_s:
            holding["display_behind"] = {"waiting": report.waiting}
        self._alerts.settle(zone, CODES, holding)
        return True

    def look_for_silence(self) -> None:
        """Raise `display_speaker_gone` for every zone whose speaker no longer reports. Call every few seconds."""
        now = self._monotonic()
        for zone, lease in self._leases.items():
            if now >= lease.until and not self._alerts.is_open("display_speaker_gone", zone):
                self._alerts.raise_("display_speaker_gone", zone)
