"""Alerts: named conditions that staff must know of, raised once, counted, cleared when they are over.

An alert counts in memory first, since the condition may be that the ledger cannot be written.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Literal

import structlog

from queue_server.clock import instant_text, utc_now
from queue_server.hall.canonical import canonical
from queue_server.ledger import LedgerError
from queue_server.ledger.registers import AlertRow, Registers
from queue_server.projection import AlertNow

log = structlog.get_logger(__name__)

Severity = Literal["info", "warning", "critical"]

SEVERITY: Mapping[str, Severity] = {
    "ledger_full": "critical",
    "ledger_unavailable": "critical",
    "ledger_broken": "critical",
    "not_leading": "critical",
    "server_lost": "critical",
    "hall_inconsistent": "critical",
    "broker_lost": "critical",
    "cloned_device": "critical",
    "refused_device_speaks": "critical",
    "request_id_reused": "critical",
    "request_quarantined": "critical",
    "facts_set_aside": "critical",
    "numbers_exhausted": "critical",
    "numbers_running_out": "warning",
    "numbers_extended": "warning",
    "suspicious_repetition": "warning",
    "offline_ticket_refused": "critical",
    "offline_number_changed": "critical",
    "offline_prefixes_exhausted": "warning",
    "configuration_refused": "critical",
    "device_lost": "warning",
    "device_pending": "info",
    "malformed_messages": "warning",
    "device_floods": "critical",
    "sign_in_locked": "warning",
    "webhook_failing": "warning",
    "webhook_dead": "warning",
    "display_speaker_gone": "warning",
    "display_sound_blocked": "warning",
    "display_voice_failed": "warning",
    "display_behind": "warning",
    "printer_out_of_paper": "critical",
    "printer_paper_low": "info",
    "printer_jammed": "critical",
    "printer_out_of_toner": "critical",
    "printer_toner_low": "info",
    "peripheral_fault": "critical",
    "peripheral_offline": "warning",
    "peripheral_unknown": "warning",
    "cabinet_open": "warning",
    "cabinet_tampered": "critical",
    "power_on_battery": "warning",
    "power_battery_low": "critical",
    "power_battery_worn": "info",
}
"""Every code with its severity: critical means that citizens are turned away or that somebody may be cheating."""

Key = tuple[str, str]
"""(code, subject)."""


class AlertBook:
    """The open alerts of one hall. Safe to use from several threads; memory is right even when the store is not."""

    def __init__(
        self,
        hall: str,
        registers: Registers | None,
        *,
        now: Callable[[], datetime] = utc_now,
        defer: Callable[[Callable[[], None]], None] = lambda write: write(),
    ) -> None:
        """`defer` runs the writing of a row, in order, on a thread that may block. None: kept in memory only."""
        self._hall = hall
        self._registers = registers
        self._now = now
        self._defer = defer
        self._lock = threading.Lock()
        self._written = True
        self._open: dict[Key, AlertRow] = {}
        self.on_change: Callable[[], None] = lambda: None
        if registers is not None:
            self._open = {(row.code, row.subject): row for row in registers.open_alerts(hall)}

    def keep(self, *, written: bool) -> None:
        """Whether alerts are written: of several servers of a hall only its leader's are. Blocks when that begins.

        What the leader before left open stands then, and what is open here is written beside it.
        """
        if written == self._written:
            return
        if written and self._registers is not None:
            left = {(row.code, row.subject): row for row in self._registers.open_alerts(self._hall)}
            with self._lock:
                own = [row for key, row in self._open.items() if key not in left]
                self._open |= left
                self._written = True
            for row in own:
                self._keep(row)
        self._written = written
        self.on_change()

    def raise_(self, code: str, subject: str, **params: object) -> None:
        """The condition `code` of `subject` exists (again). A repeat only counts; it is not news."""
        at = instant_text(self._now())
        texts = _texts(params)
        with self._lock:
            known = self._open.get((code, subject))
            if known is None:
                row = AlertRow(self._hall, code, subject, SEVERITY.get(code, "warning"), texts, at, at, 1)
            else:
                row = replace(known, last_at=at, count=known.count + 1, params=texts)
            self._open[code, subject] = row
        if known is None:
            log.warning("alert_raised", hall=self._hall, alert=code, subject=subject, **params)
            self.on_change()
        if row.count & (row.count - 1) == 0:
            # a storm of repeats is written at 1, 2, 4, 8 …: the store stays writable for tickets
            self._keep(row)

    def clear(self, code: str, subject: str, by: str = "system") -> bool:
        """The condition is over; False if it was not open."""
        with self._lock:
            row = self._open.pop((code, subject), None)
        if row is None:
            return False
        log.info("alert_cleared", hall=self._hall, alert=code, subject=subject, by=by)
        self._keep(replace(row, cleared_at=instant_text(self._now()), cleared_by=by))
        self.on_change()
        return True

    def settle(self, subject: str, among: Iterable[str], holding: Mapping[str, Mapping[str, object]]) -> None:
        """Of the codes `among`, raise those that hold for `subject` and are not open or say something else by now, and
        clear the others."""
        for code in among:
            if code not in holding:
                self.clear(code, subject)
                continue
            with self._lock:
                known = self._open.get((code, subject))
            if known is None:
                self.raise_(code, subject, **holding[code])
            elif known.params != _texts(holding[code]):
                self.raise_(code, subject, **holding[code])
                self.on_change()

    def is_open(self, code: str, subject: str) -> bool:
        """True while the alert stands."""
        with self._lock:
            return (code, subject) in self._open

    def open(self) -> tuple[AlertNow, ...]:
        """The open alerts, oldest first."""
        with self._lock:
            rows = sorted(self._open.values(), key=lambda row: row.raised_at)
        return tuple(_now_of(row) for row in rows)

    def _keep(self, row: AlertRow) -> None:
        registers = self._registers
        if registers is None or not self._written:
            return

        def write() -> None:
            try:
                registers.put_alert(row)
            except LedgerError as error:
                log.error("alert_not_written", alert=row.code, error=error.code)

        self._defer(write)


def _texts(params: Mapping[str, object]) -> str:
    return canonical({name: str(value) for name, value in params.items()})


@lru_cache(maxsize=1024)
def _now_of(row: AlertRow) -> AlertNow:
    return AlertNow(
        code=row.code,
        subject=row.subject,
        severity=SEVERITY.get(row.code, "warning"),
        raised_at=datetime.fromisoformat(row.raised_at),
        last_at=datetime.fromisoformat(row.last_at),
        count=row.count,
        params=json.loads(row.params),
    )
