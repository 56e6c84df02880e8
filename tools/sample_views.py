"""One view of every kind of screen, from the sample hall, for the gallery and the tests of the screens."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path
from typing import Any

from kiosk.journeys.check_in import CODE_LENGTH, CODE_LETTERS
from kiosk.journeys.views import (
    AppointmentCodeView,
    CardState,
    CardView,
    CatalogueView,
    DeviceTest,
    Fact,
    Frame,
    Group,
    HelpState,
    HomeView,
    Idle,
    Network,
    Opening,
    OutOfServiceView,
    Peripheral,
    Power,
    RefusedView,
    SelfTestState,
    Service,
    SlipState,
    TechnicianCodeView,
    TechnicianView,
    TicketView,
    UnsettledSlip,
    UnsettledView,
    View,
    Wait,
    WaitingView,
)

SAMPLE = Path(__file__).parent.parent / "assets" / "halls" / "sample.json"
REFUSALS: tuple[tuple[str, dict[str, str]], ...] = (
    ("already_holding", {"number": "A012"}),
    ("quota_reached", {"half": "morning"}),
    ("not_reachable_today", {"closes_at": "17:00"}),
    ("offline_ended", {}),
    ("journal_slow", {}),
)
CHECK_IN_REFUSALS: tuple[tuple[str, dict[str, str]], ...] = (
    ("appointment_unknown", {}),
    ("appointment_not_open", {"state": "checked_in"}),
    ("appointment_not_open", {"state": "cancelled"}),
    ("check_in_too_early", {}),
    ("check_in_too_late", {}),
    ("check_in_offline", {}),
)
_LIVE = ((3, 12, 18, None), (0, 0, 2, None), (17, 45, 70, None), (6, 15, 25, None), (0, 0, 0, "numbers_exhausted"))


class SampleViews:
    """Views in one language and one mode of the screens."""

    def __init__(self, language: str, *, large: bool = False, contrast: bool = False, voice: bool = True) -> None:
        self._hall: dict[str, Any] = json.loads(SAMPLE.read_text())
        self._language = language
        self.frame = Frame(
            hall_name=self._hall["name"][language],
            language=language,
            network=Network.CONNECTED,
            large_type=large,
            high_contrast=contrast,
            voice=voice,
            terminal="t-01",
        )

    def all(self) -> Iterator[tuple[str, View]]:
        """Every screen in the states that differ to the eye, by name."""
        yield "home", self.home()
        yield "home-plain", replace(self.home(), reader_ready=False, common=self.home().common[:2])
        yield "home-connecting", replace(self.home(), frame=replace(self.frame, network=Network.CONNECTING))
        yield "home-idle", replace(self.home(), frame=replace(self.frame, idle=Idle(18)))
        yield "home-closed", replace(self.home(), common=self.closed(self.home().common))
        yield "groups", self.catalogue(None)
        for group in self._hall["groups"][:2]:
            yield f"services-{group['id']}", self.catalogue(group["id"])
        listed = self.catalogue(self._hall["groups"][0]["id"])
        yield "services-closed", replace(listed, services=self.closed(listed.services))
        yield "search", replace(self.catalogue(None), searching=True)
        found = tuple(self.service(index) for index in (1, 2, 0, 17))
        yield "search-found", replace(self.catalogue(None), searching=True, search="sb", services=found)
        for state in CardState:
            yield f"card-{state}", self.card(state)
        yield "waiting", WaitingView(self._at(2), self.service(1).name, False)
        yield "waiting-long", WaitingView(self._at(2), self.service(1).name, True)
        for slip in SlipState:
            yield f"ticket-{slip}", self.ticket(slip)
        offline = replace(self.frame, network=Network.OFFLINE)
        yield "home-offline", replace(self.home(), frame=offline)
        yield "ticket-offline", self.offline_ticket()
        yield "home-battery", replace(self.home(), frame=replace(self.frame, power=Power.BATTERY))
        battery = replace(self.ticket(SlipState.PRINTING).frame, power=Power.LOW)
        yield "ticket-battery-low", replace(self.ticket(SlipState.PRINTING), frame=battery)
        yield "ticket-closing", replace(self.ticket(SlipState.PRINTED), may_close_at="17:00")
        for code, params in REFUSALS:
            yield f"refused-{code}", replace(self.refused(code, may_retry=False), params=params)
        for code in ("service_closed", "outside_hours", "not_today"):
            for opens in self.openings():
                refused = replace(self.refused(code, may_retry=False), opens=opens)
                yield f"refused-{code}-{opens.day}", refused
        yield "refused", self.refused("numbers_exhausted", may_retry=False)
        yield "refused-no-answer", self.refused("no_answer", may_retry=True)
        yield from self.check_in()
        yield "out-of-service", OutOfServiceView(self.frame, "hall_away", "T03")
        yield "out-of-service-power", OutOfServiceView(replace(self.frame, power=Power.LOW), "power_low", "T10")
        yield "starting", OutOfServiceView(replace(self.frame, hall_name=""), "starting", "T01")
        yield "code", TechnicianCodeView(replace(self.frame, can_go_home=True), 3, False, 0)
        yield "code-wrong", TechnicianCodeView(replace(self.frame, can_go_home=True), 0, True, 0)
        yield "technician", replace(self.technician(), tests={}, testing=False)
        yield "technician-testing", self.technician()
        unsettled = self.unsettled()
        yield "unsettled", unsettled
        yield "unsettled-asked", replace(unsettled, asked=("ticket:1", False))
        yield "unsettled-none", replace(unsettled, slips=())

    def check_in(self) -> Iterator[tuple[str, View]]:
        """From home to the number, and every refusal with a way on of its own."""
        frame = replace(self._at(0), steps=("appointment", "ticket"))
        yield "check-in-home", replace(self.home(), check_in=True)
        yield "check-in-groups", replace(self.catalogue(None), greeting="张*", check_in=True)
        card = CardView(frame, CardState.WAITING, None, False, inserts=True, check_in=True)
        yield "check-in-card", card
        yield "check-in-card-scans", replace(card, scans=True)
        yield "check-in-code-scans", AppointmentCodeView(frame, "7Q", CODE_LENGTH, CODE_LETTERS, scans=True)
        yield "check-in-card-reader-away", replace(card, state=CardState.READER_AWAY)
        for typed in ("", "7Q2KXM", "7Q2KXM40AB"):
            yield f"check-in-code-{len(typed)}", AppointmentCodeView(frame, typed, CODE_LENGTH, CODE_LETTERS)
        waiting = WaitingView(replace(frame, step=1, can_go_back=False), "", True, check_in=True)
        yield "check-in-waiting", waiting
        ticket = replace(self.ticket(SlipState.PRINTED), booked_for="10:00", frame=waiting.frame)
        yield "check-in-ticket", ticket
        yield "check-in-ticket-early", replace(ticket, callable_from="09:50")
        on = "3 月 2 日 10:00" if self._language == "zh" else "2 March, 10:00"
        for code, params in CHECK_IN_REFUSALS:
            refused = replace(self.refused(code, may_retry=False), service=None, check_in=True)
            way_on = code not in ("check_in_too_early",) and params.get("state") != "checked_in"
            yield (
                f"check-in-{'-'.join((code, *params.values()))}",
                replace(
                    refused,
                    params={"starts_on": on, "opens_at": "09:30"} if "early" in code or "late" in code else params,
                    may_take_number=way_on,
                    may_type_code=code == "appointment_unknown",
                ),
            )

    def openings(self) -> tuple[Opening, ...]:
        """Each way to say when numbers are given again."""
        on = {"zh": "{} 月 {} 日 {}", "en": "{1} {0}, {2}"}[self._language]
        march, december = ("3", "12") if self._language == "zh" else ("March", "December")
        return (
            Opening("13:30", on.format(march, 2, "13:30"), "today"),
            Opening("09:00", on.format(march, 3, "09:00"), "tomorrow"),
            Opening("09:00", on.format(december, 28, "09:00"), "later"),
        )

    def closed(self, services: tuple[Service, ...]) -> tuple[Service, ...]:
        """The same before opening: each with a reason, and when it opens."""
        why = tuple(product(("service_closed", "outside_hours", "not_today"), self.openings()))
        return tuple(
            replace(service, waiting=0, wait=None, closed_reason=reason, opens=opens)
            for service, (reason, opens) in zip(services, cycle(why), strict=False)
        )

    def service(self, index: int) -> Service:
        entry = self._hall["services"][index]
        group = next(g for g in self._hall["groups"] if g["id"] == entry["group"])
        waiting, low, high, closed = _LIVE[index % len(_LIVE)]
        return Service(
            id=entry["id"],
            name=entry["name"][self._language],
            group=group["id"],
            icon=group["icon"],
            colour=group["colour"],
            waiting=waiting,
            wait=Wait(low, high, "10:32") if closed is None else None,
            closed_reason=closed,
        )

    def home(self) -> HomeView:
        common = [index for index, entry in enumerate(self._hall["services"]) if entry.get("common")]
        return HomeView(self.frame, tuple(self.service(index) for index in common[:6]), True)

    def catalogue(self, group: str | None) -> CatalogueView:
        groups = tuple(Group(g["id"], g["name"][self._language], g["icon"], g["colour"]) for g in self._hall["groups"])
        of_group = [index for index, entry in enumerate(self._hall["services"]) if entry["group"] == group]
        services = tuple(self.service(index) for index in of_group)
        return CatalogueView(self._at(0), groups, group, services, "", False, None)

    def card(self, state: CardState) -> CardView:
        name, number = ("张*", "3202**********1234") if state is CardState.DONE else (None, None)
        waits = state is CardState.WAITING
        return CardView(self._at(1), state, self.service(1).name, waits, name, number, inserts=waits)

    def ticket(self, slip: SlipState) -> TicketView:
        cause = "paper_out" if slip is SlipState.NOT_PRINTED else None
        return TicketView(
            frame=replace(self._at(2), can_go_back=False, help=HelpState.PAGED if cause else HelpState.IDLE),
            number="A036",
            service=self.service(1).name,
            people_ahead=3,
            wait=Wait(12, 18, "10:32"),
            counters=("3", "5"),
            slip=slip,
            slip_cause=cause,
            follow_url="http://192.168.1.20:8080/t/k3J9xQ2mP7vB4nWc8RtL5sYd",
            masked_name="张*",
            staff_code="P-paper-out" if cause else None,
        )

    def offline_ticket(self) -> TicketView:
        """A number that the terminal gave while the hall was away."""
        ticket = self.ticket(SlipState.PRINTED)
        frame = replace(ticket.frame, network=Network.OFFLINE)
        return replace(
            ticket,
            frame=frame,
            number="XA007",
            people_ahead=None,
            wait=None,
            counters=(),
            offline=True,
            taken_at="10:32",
        )

    def refused(self, code: str, *, may_retry: bool) -> RefusedView:
        frame = replace(self.frame, can_go_back=True, can_go_home=True)
        return RefusedView(frame, code, {}, self.service(1).name, f"R-{code.replace('_', '-')}", may_retry)

    def technician(self) -> TechnicianView:
        zh = self._language == "zh"
        tests = {
            "id_card_reader": DeviceTest(
                SelfTestState.RUNNING,
                "读卡" if zh else "card read",
                "请放置身份证" if zh else "lay an ID card on the reader",
                48,
            ),
            "ticket_printer": DeviceTest(
                SelfTestState.FAILED,
                "状态" if zh else "status",
                "缺纸：请装纸（大厅人员）" if zh else "out of paper: load paper (hall staff)",
            ),
            "code_scanner": DeviceTest(SelfTestState.PASSED, "扫码" if zh else "code read"),
            "guide_lights": DeviceTest(SelfTestState.WAITING),
        }
        return TechnicianView(
            frame=replace(self.frame, can_go_home=True),
            peripherals=(
                Peripheral("id_card_reader", "sam_v", "/dev/ttyS1 115200", "ok", None, ()),
                Peripheral(
                    "ticket_printer", "esc_pos", "tcp 10.0.8.21:9100", "fault", "paper_out", (("paper", "out"),)
                ),
                Peripheral("code_scanner", "code-serial", "/dev/ttyS2 115200", "ok", None, ()),
                Peripheral("guide_lights", "modbus-lights", "/dev/ttyS3 9600", "ok", None, ()),
                Peripheral("door_switch", "modbus-switch", "/dev/ttyS3 9600", "degraded", "door_open", ()),
                Peripheral("ups", "nut", "cabinet@127.0.0.1", "degraded", "on_battery", (("battery", "ok"),)),
            ),
            tests=tests,
            testing=True,
            unsettled=2,
            versions=(Fact("terminal", "0.1.0"), Fact("python", "3.11.7")),
            network=(Fact("broker", "10.0.8.2:8883"), Fact("connected", "yes"), Fact("standing", "accepted")),
        )

    def unsettled(self) -> UnsettledView:
        slips = (
            UnsettledSlip("ticket:1", "A036", "ticket_printer", "03-02 10:31", "paper_out"),
            UnsettledSlip("ticket:2", "B107", "ticket_printer", "03-02 11:05", "interrupted"),
            UnsettledSlip("f3", "", "document_printer", "03-02 11:20", "job_lost"),
        )
        return UnsettledView(replace(self.frame, can_go_home=True, can_go_back=True), slips, None, False)

    def _at(self, step: int) -> Frame:
        return replace(self.frame, can_go_back=True, can_go_home=True, steps=("service", "card", "ticket"), step=step)
