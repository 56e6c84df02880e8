"""What a printer and its scheduler say of themselves and of a job, and what may be believed of it. Pure.

States and reasons: RFC 8011 (5.3.7, 5.3.8, 5.4.11, 5.4.12), PWG 5100.22 for levels; CUPS adds `offline-report` for a
printer that it cannot reach. A job that is `completed` has been handed over, not printed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from hardware.vocabulary import Detail, DeviceStatus, Health, Supply

PAPER: Final = "paper"
TONER: Final = "toner"
LOW_PERCENT: Final = 15
_EMPTY_PERCENT: Final = 0
_TONERS: Final = frozenset({"toner", "tonercartridge", "toner-cartridge", "ink", "inkcartridge", "ink-cartridge"})


class IppJobState(IntEnum):
    """RFC 8011, 5.3.7."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


IDLE, PROCESSING, STOPPED = 3, 4, 5
"""Of a printer, RFC 8011, 5.4.11."""

_OVER: Final = frozenset({IppJobState.CANCELED, IppJobState.ABORTED, IppJobState.COMPLETED})
# Worst first: a jam goes before an open cover, that before missing paper or toner, that before a stop without a cause.
_FAULTS: Final[Mapping[str, Detail]] = MappingProxyType(
    {
        "media-jam": Detail.PAPER_JAM,
        "cover-open": Detail.COVER_OPEN,
        "door-open": Detail.COVER_OPEN,
        "interlock-open": Detail.COVER_OPEN,
        "media-empty": Detail.PAPER_OUT,
        "media-needed": Detail.PAPER_OUT,
        "input-tray-missing": Detail.PAPER_OUT,
        "toner-empty": Detail.TONER_OUT,
        "marker-supply-empty": Detail.TONER_OUT,
        "offline": Detail.PRINTER_OFFLINE,
        "shutdown": Detail.PRINTER_OFFLINE,
        "timed-out": Detail.PRINTER_OFFLINE,
        "paused": Detail.PRINTER_STOPPED,
        "moving-to-paused": Detail.PRINTER_STOPPED,
    }
)
_ALWAYS_FAULTS: Final = frozenset({Detail.PAPER_JAM, Detail.COVER_OPEN, Detail.PRINTER_OFFLINE})
"""Whatever severity a printer gives them: nothing comes out meanwhile."""
_LOW: Final[Mapping[str, Detail]] = MappingProxyType(
    {
        "media-low": Detail.PAPER_LOW,
        "toner-low": Detail.TONER_LOW,
        "marker-supply-low": Detail.TONER_LOW,
        "marker-waste-almost-full": Detail.TONER_LOW,
    }
)
_ASLEEP: Final = frozenset({"standby", "suspend", "hibernate", "sleep-mode", "power-save"})
_NO_MATTER: Final = frozenset(
    {
        "none",
        "connecting-to-device",
        "resuming",
        "identify-printer-requested",
        "cups-waiting-for-job-completed",
        "cups-remote-pending",
        "cups-remote-pending-held",
        "cups-remote-processing",
        "cups-remote-completed",
    }
)
_SEVERITIES: Final = ("-error", "-warning", "-report")


@dataclass(frozen=True, slots=True)
class PrinterState:
    """One look at a printer or queue. `state` is None where it did not say."""

    state: int | None
    reasons: tuple[str, ...] = ()
    accepting: bool = True
    levels: Mapping[str, int] = field(default_factory=dict)
    """Per cent left, by marker (`toner_black`)."""
    rumour: Detail = Detail.NONE
    """A fault that was there when it was last heard of; nobody knows whether it still is."""

    @property
    def idle(self) -> bool:
        return self.state == IDLE


@dataclass(frozen=True, slots=True)
class JobLook:
    """One look at a job. `impressions`: sides that have come out, None where nobody counts."""

    state: IppJobState | None
    reasons: tuple[str, ...] = ()
    impressions: int | None = None
    processed: bool = True
    """Whether it may ever have been given to the printer: only a `time-at-processing` without a value says no."""

    @property
    def over(self) -> bool:
        return self.state in _OVER


def printer_state(attributes: Mapping[str, Any]) -> PrinterState:
    """Out of the answer to Get-Printer-Attributes; whatever has the wrong kind counts as not said."""
    state = attributes.get("printer-state")
    accepting = attributes.get("printer-is-accepting-jobs")
    return PrinterState(
        int(state) if isinstance(state, int) and not isinstance(state, bool) else None,
        _words(attributes.get("printer-state-reasons")),
        accepting if isinstance(accepting, bool) else True,
        _levels(attributes),
    )


def job_look(attributes: Mapping[str, Any]) -> JobLook:
    """Out of the answer to Get-Job-Attributes."""
    state = attributes.get("job-state")
    counted = attributes.get("job-impressions-completed", attributes.get("job-media-sheets-completed"))
    return JobLook(
        IppJobState(state) if isinstance(state, int) and state in set(IppJobState) else None,
        _words(attributes.get("job-state-reasons")),
        counted if isinstance(counted, int) and not isinstance(counted, bool) and counted >= 0 else None,
        "time-at-processing" not in attributes or _is_set(attributes["time-at-processing"]),
    )


def status_of(look: PrinterState) -> DeviceStatus:
    """What one look says of the printer's health and supplies."""
    faults, warnings, asleep = _judged(look.reasons)
    if look.state == STOPPED or not look.accepting:
        faults = [*faults, Detail.PRINTER_STOPPED]
    supplies = _supplies(look, faults, warnings, asleep=asleep)
    levels = dict(look.levels)
    if faults:
        return DeviceStatus(Health.FAULT, _worst(faults), supplies, levels)
    if look.state not in {IDLE, PROCESSING}:
        return DeviceStatus(Health.UNKNOWN, Detail.NO_ANSWER, supplies, levels)
    if asleep or look.rumour is not Detail.NONE:
        return DeviceStatus(Health.UNKNOWN, Detail.ASLEEP if asleep else look.rumour, supplies, levels)
    if supplies[TONER] is Supply.LOW:
        warnings = [*warnings, Detail.TONER_LOW]
    if warnings:
        return DeviceStatus(Health.DEGRADED, warnings[0], supplies, levels)
    return DeviceStatus(Health.OK, Detail.NONE, supplies, levels)


def of_the_queue(look: PrinterState, *, printer_asked: bool) -> PrinterState:
    """What a scheduler's queue says that it can know.

    It hears of jams and missing paper only while it sends, and goes on saying what it heard last: where the printer
    itself is asked those words do not count, and on an idle queue they are no more than a rumour (`in doubt`).
    """
    own = tuple(reason for reason in look.reasons if not _is_hearsay(reason))
    if printer_asked:
        return replace(look, reasons=own, levels={})
    return replace(look, reasons=own, rumour=status_of(look).detail) if look.idle and own != look.reasons else look


def merged(scheduler: DeviceStatus, printer: DeviceStatus | None) -> DeviceStatus:
    """Scheduler and printer together: the worse word counts, the printer's own supplies go before the scheduler's."""
    if printer is None:
        return scheduler
    worst = min(scheduler, printer, key=lambda status: _ORDER.index(status.health))
    supplies = {
        name: _worse_supply(scheduler.supplies[name], printer.supplies[name])
        for name in scheduler.supplies.keys() & printer.supplies.keys()
    }
    return DeviceStatus(worst.health, worst.detail, supplies, {**scheduler.levels, **printer.levels})


def blocking(look: PrinterState) -> Detail | None:
    """Why nothing comes out now, if so."""
    status = status_of(look)
    return status.detail if status.health is Health.FAULT else None


@dataclass(frozen=True, slots=True)
class Belief:
    """What may be believed of a job: `done` is True (printed), False (certainly not), or None (nobody knows yet, or
    ever: see `final`)."""

    done: bool | None
    final: bool
    detail: Detail = Detail.NONE


def believe(job: JobLook, looks: Iterable[PrinterState], *, trouble: Detail | None, sides: int) -> Belief:
    """The safe rule: printed is what is completed, while every printer is idle, without any trouble since the start,
    and with as many sides as there should be. Not printed is what was ended before any printer got it.
    """
    if job.state is IppJobState.COMPLETED:
        return _believe_completed(job, looks, trouble, sides)
    if job.state in {IppJobState.CANCELED, IppJobState.ABORTED}:
        if not job.processed and not job.impressions:
            return Belief(False, final=True, detail=trouble or Detail.PRINTER_STOPPED)
        return Belief(None, final=True, detail=trouble or Detail.PRINTER_ERROR)
    return Belief(None, final=False, detail=trouble or Detail.JOB_STUCK)


def _believe_completed(job: JobLook, looks: Iterable[PrinterState], trouble: Detail | None, sides: int) -> Belief:
    if trouble is not None:
        return Belief(None, final=True, detail=trouble)
    if job.impressions is None or job.impressions < sides:
        return Belief(None, final=False, detail=Detail.PAGES_MISSING)
    if not all(look.idle for look in looks):
        return Belief(None, final=False, detail=Detail.JOB_STUCK)
    return Belief(True, final=True)


_OWN_WORDS: Final = frozenset({"paused", "moving-to-paused"})


def _is_hearsay(reason: str) -> bool:
    """Whether a scheduler has this reason from the printer, rather than from itself."""
    suffix = next((end for end in _SEVERITIES if reason.endswith(end)), "")
    return reason.removesuffix(suffix) not in _OWN_WORDS | _NO_MATTER


_ORDER: Final = (Health.FAULT, Health.OFFLINE, Health.UNKNOWN, Health.DEGRADED, Health.OK, Health.NOT_SUPPORTED)
_SUPPLY_ORDER: Final = (Supply.JAMMED, Supply.OUT, Supply.LOW, Supply.OK, Supply.UNKNOWN, Supply.NOT_SUPPORTED)


def _judged(reasons: Iterable[str]) -> tuple[list[Detail], list[Detail], bool]:
    """Faults, warnings, and whether it sleeps (a sleeping printer hides its errors)."""
    faults: list[Detail] = []
    warnings: list[Detail] = []
    asleep = False
    for reason in reasons:
        suffix = next((end for end in _SEVERITIES if reason.endswith(end)), "")
        word = reason.removesuffix(suffix)
        fault = _FAULTS.get(word)
        if word in _NO_MATTER:
            continue
        if word in _ASLEEP:
            asleep = True
        elif fault in _ALWAYS_FAULTS or (fault is not None and suffix in {"", "-error"}):
            faults.append(fault or Detail.PRINTER_ERROR)
        elif word in _LOW and suffix != "-report":
            warnings.append(_LOW[word])
        elif suffix == "-warning":
            warnings.append(_MILDER.get(fault or Detail.NONE, Detail.PRINTER_ERROR))
        elif suffix != "-report":
            faults.append(fault or Detail.PRINTER_ERROR)
    return faults, warnings, asleep


_MILDER: Final = {Detail.PAPER_OUT: Detail.PAPER_LOW, Detail.TONER_OUT: Detail.TONER_LOW}
"""What is missing somewhere without stopping the printer is about to be missing."""


def _worst(faults: list[Detail]) -> Detail:
    order = list(_FAULTS.values())
    return min(faults, key=lambda detail: order.index(detail) if detail in order else len(order))


def _supplies(look: PrinterState, faults: list[Detail], warnings: list[Detail], *, asleep: bool) -> dict[str, Supply]:
    said = look.state is not None and not asleep and look.rumour is Detail.NONE
    paper = toner = Supply.OK if said else Supply.UNKNOWN
    if Detail.PAPER_JAM in faults:
        paper = Supply.JAMMED
    elif Detail.PAPER_OUT in faults:
        paper = Supply.OUT
    elif Detail.PAPER_LOW in warnings:
        paper = Supply.LOW
    least = min(look.levels.values(), default=None)
    if Detail.TONER_OUT in faults or least == _EMPTY_PERCENT:
        toner = Supply.OUT
    elif Detail.TONER_LOW in warnings or (least is not None and least <= LOW_PERCENT):
        toner = Supply.LOW
    return {PAPER: paper, TONER: toner}


def _worse_supply(one: Supply, other: Supply) -> Supply:
    return min(one, other, key=_SUPPLY_ORDER.index)


def _levels(attributes: Mapping[str, Any]) -> dict[str, int]:
    """`marker-*` attributes, or `printer-supply` where those are missing; negative levels mean "not known"."""
    types, levels = _words(attributes.get("marker-types")), _numbers(attributes.get("marker-levels"))
    colors = _words(attributes.get("marker-colors")) or _words(attributes.get("marker-names"))
    markers = [
        (kind, colors[at] if at < len(colors) else str(at), level)
        for at, (kind, level) in enumerate(zip(types, levels, strict=False))
    ]
    if not markers:
        markers = [_supply(entry) for entry in _words(attributes.get("printer-supply"))]
    return {
        f"{TONER}_{_colour(name)}": level for kind, name, level in markers if kind.lower() in _TONERS and level >= 0
    }


def _supply(entry: str) -> tuple[str, str, int]:
    """`index=2;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level=75;colorantname=black;`"""
    pairs = dict(part.split("=", 1) for part in entry.split(";") if "=" in part)
    level, full = pairs.get("level", ""), pairs.get("maxcapacity", "")
    if not level.isdecimal() or not full.isdecimal() or not int(full):
        return pairs.get("type", ""), "", -1
    return pairs.get("type", ""), pairs.get("colorantname", ""), min(100, int(level) * 100 // int(full))


def _colour(name: str) -> str:
    """The colour in a marker's colour or name, as one word."""
    text = name.lower()
    named = {"#000000": "black", "#00ffff": "cyan", "#ff00ff": "magenta", "#ffff00": "yellow"}
    words = (*named.values(), *named)
    found = next((word for word in words if word in text), None)
    return named.get(found or "", found or "other")


def _words(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str) and one)


def _numbers(value: Any) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, int) and not isinstance(one, bool))


def _is_set(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
