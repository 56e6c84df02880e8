"""A small hall and short cuts through the journey, for the tests of the terminal."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kiosk.journeys import events
from kiosk.journeys.catalogue import Catalogue, Counter, Group, Service, TextLists, Texts
from kiosk.journeys.effects import Effect
from kiosk.journeys.machine import step
from kiosk.journeys.present import view
from kiosk.journeys.search import build
from kiosk.journeys.state import State, Ticket, WaitRange
from kiosk.journeys.views import View

NOW = datetime(2026, 3, 2, 2, 32, tzinfo=UTC)

CATALOGUE = Catalogue(
    revision=3,
    hall="sample",
    hall_name=Texts("示例市政务服务中心", "Sample Service Centre"),
    groups=(Group("social", Texts("社保", "Social security"), "shield", "#0b6e74"), Group("tax", Texts("税务", "Tax"))),
    services=(
        Service(
            "pension",
            "social",
            Texts("养老待遇申领", "Pension claim"),
            zone=Texts("东区", "East zone"),
            common=True,
            materials=TextLists(
                ("居民身份证原件", "居民户口簿原件", "本人银行卡"), ("ID card", "Household register", "Bank card")
            ),
            keywords=("退休金",),
        ),
        Service("social-card", "social", Texts("社保卡申领与补换", "Social security card"), zone=Texts("东区")),
        Service("invoice", "tax", Texts("重开发票", "Invoice"), card="optional", common=True),
        Service("form12", "tax", Texts("12366 咨询"), card="optional"),
    ),
    counters=(Counter("5", Texts("西侧第 1 个窗口", "West side, first counter")),),
    takes_appointments=True,
    passed_rule=Texts("过号请重新取号。", "A passed number is void: take a new one."),
)
INDEX = build(CATALOGUE)
TICKET = Ticket(
    ticket="t-1",
    number="A036",
    service="pension",
    people_ahead=5,
    issued_at=NOW,
    follow_url="http://127.0.0.1:8080/t/0123456789abcdefghij",
    wait=WaitRange(12, 18, NOW),
    counters=("1", "2"),
)


@dataclass
class Walk:
    """A journey under way: events in, effects and views out, on a clock that the test moves."""

    state: State = field(default_factory=lambda: State(terminal="t1"))
    now: float = 0.0
    done: list[Effect] = field(default_factory=list)

    def on(self, *happened: events.Event) -> "Walk":
        for event in happened:
            self.state, caused = step(self.state, event, self.now)
            self.done.extend(caused)
        return self

    def after(self, seconds: float) -> "Walk":
        """Time goes on in ticks of a second."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1.0)
            self.on(events.Tick())
        return self

    @property
    def view(self) -> View:
        return view(self.state)

    def caused(self, kind: type) -> list[Any]:
        """Effects of a kind since the last look, which are then forgotten."""
        found = [effect for effect in self.done if isinstance(effect, kind)]
        self.done = [effect for effect in self.done if not isinstance(effect, kind)]
        return found


def serving() -> Walk:
    """A terminal that serves: started, connected, accepted, with its catalogue and a ready reader."""
    return Walk().on(
        events.Started(),
        events.LinkChanged(up=True),
        events.Verdict("accepted"),
        events.CatalogueLoaded(CATALOGUE, INDEX),
        events.DevicesChanged((), reader_ready=True),
    )
