"""The hall's own rules as data: priority classes, calling, and what becomes of a number that is not answered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict

from queue_server.hall.base import ActorKind
from queue_server.hall.texts import Text

if TYPE_CHECKING:
    from queue_server.hall.configuration import HallConfiguration

_STRICT = ConfigDict(extra="forbid")
_DAY_S = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class EvidenceKind:
    """By what a priority is shown: a document, the age on an ID card, what staff see."""

    __pydantic_config__ = _STRICT

    id: str
    name: Text


@dataclass(frozen=True, kw_only=True)
class PriorityClass:
    """How a class of people accrues priority, and how somebody comes to it.

    `rate`: priority gained per second of waiting, in hundredths at most (1 = ordinary). `head_start_s`: seconds of
    waiting that the class is given on arrival. With all rates equal the order never changes while people wait.
    `cap_s`: after so many seconds a ticket goes before everything its counter may serve. `share`: tickets per round,
    where the hall calls by ratio. `evidence`: the kinds of which one must be shown; none: nothing is asked.
    `granted_by`: who may grant it; none: anybody.
    """

    __pydantic_config__ = _STRICT

    id: str
    name: Text
    rate: float = 1.0
    head_start_s: int = 0
    cap_s: int | None = None
    share: int = 1
    evidence: tuple[str, ...] = ()
    granted_by: tuple[ActorKind, ...] = ()

    @cached_property
    def hundredths(self) -> int:
        """The rate in whole hundredths: scores are exact integers."""
        return round(self.rate * 100)


@dataclass(frozen=True, kw_only=True)
class NoShowRule:
    """What becomes of a number that is not answered.

    `then`: it ends (`end`), it is put back behind `behind` waiting people (`reinsert`), or it is not called for
    `back_off_s` seconds, twice as long each further time (`back_off`). After coming back `times` times it ends.
    `recalls_first`: a no-show can be recorded only after so many recalls.
    An ended one can be reinstated on its business day behind `reinstate_behind` waiting people: by staff, and by its
    holder at a terminal `reinstate_times` times within `reinstate_within_s` seconds.
    """

    __pydantic_config__ = _STRICT

    then: Literal["end", "reinsert", "back_off"] = "end"
    behind: int = 3
    back_off_s: int = 300
    times: int = 1
    recalls_first: int = 0
    reinstate_behind: int = 3
    reinstate_times: int = 1
    reinstate_within_s: int = 1800


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The hall's own choices.

    `calling`: by accumulated priority, or the classes in turn by their shares (`ratio`). `recall_limit`: recalls after
    the first call. `undo_s`: for so long a call, a completion or a no-show can be undone. `transfer_keeps_place`: who
    is moved to another line waits there from their arrival, not from the move. `close_when_no_counter`: a service that
    no open counter serves gives no numbers. `day_end_closes_counters`: the end of the day closes counters that serve
    nobody (not in a hall that is open round the clock). `day_end_tickets`: who still waits then is not served any more
    (`expire`), or goes on waiting for at most `carry_over_days` days (`carry_over`).
    """

    __pydantic_config__ = _STRICT

    calling: Literal["accumulating", "ratio"] = "accumulating"
    recall_interval_s: int = 10
    recall_limit: int = 3
    no_show: NoShowRule = field(default_factory=NoShowRule)
    undo_s: int = 60
    transfer_keeps_place: bool = True
    close_when_no_counter: bool = False
    day_end_closes_counters: bool = True
    day_end_tickets: Literal["expire", "carry_over"] = "expire"
    carry_over_days: int = 1


def check_rules(c: "HallConfiguration") -> Iterator[tuple[str, str]]:
    """Every rule that the priority classes and the hall's rules break: code and place."""
    kinds = {kind.id for kind in c.evidence_kinds}
    for priority_class in c.priority_classes:
        where = f"priority_classes[{priority_class.id}]"
        if not 1 <= priority_class.hundredths <= 10_000:
            yield "rate_out_of_range", f"{where}.rate"
        if not 0 <= priority_class.head_start_s <= _DAY_S:
            yield "head_start_out_of_range", f"{where}.head_start_s"
        if priority_class.cap_s is not None and not 60 <= priority_class.cap_s <= _DAY_S:
            yield "cap_out_of_range", f"{where}.cap_s"
        if not 1 <= priority_class.share <= 100:
            yield "share_out_of_range", f"{where}.share"
        if not set(priority_class.evidence) <= kinds:
            yield "evidence_unknown", f"{where}.evidence"
    rules, no_show = c.rules, c.rules.no_show
    measures = (
        rules.recall_interval_s,
        rules.recall_limit,
        rules.undo_s,
        rules.carry_over_days,
        no_show.behind,
        no_show.back_off_s,
        no_show.times,
        no_show.recalls_first,
        no_show.reinstate_behind,
        no_show.reinstate_times,
        no_show.reinstate_within_s,
    )
    if rules.carry_over_days < 1:
        yield "limit_not_positive", "rules.carry_over_days"
    if min(measures) < 0:
        yield "negative", "rules"
    if no_show.recalls_first > rules.recall_limit:
        yield "recalls_beyond_limit", "rules.no_show.recalls_first"
