"""Whatever people, devices and the hall do, in any order: the journey keeps its promises."""

import dataclasses
import itertools
import typing
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.journeys import check_in, effects, events, idle, intents, lights, technician
from kiosk.journeys.catalogue import Texts
from kiosk.journeys.machine import step
from kiosk.journeys.present import view
from kiosk.journeys.state import AtHome, Awaiting, Holding, LiveService, State, TypingCode, UnsettledJob
from kiosk.journeys.views import CardState, HelpState, Power, SelfTestState, SlipState
from tests.kiosk.halls import CATALOGUE, INDEX, TICKET, Walk, serving

SERVICES = st.sampled_from([service.id for service in CATALOGUE.services] + ["gone"])
SMALL = st.integers(0, 4)
INTENTS = st.one_of(
    *[st.just(kind()) for kind in typing.get_args(intents.Intent) if not dataclasses.fields(kind)],
    st.builds(intents.ChooseGroup, st.sampled_from(["social", "tax", "gone", None])),
    st.builds(intents.ChooseService, SERVICES),
    st.builds(intents.Search, st.text(max_size=30)),
    st.builds(intents.AppointmentKey, st.sampled_from(["7", "K", "O", "", "12"])),
    st.builds(intents.AppointmentErase, st.booleans()),
    st.builds(intents.SetLanguage, st.sampled_from(["zh", "en", "fr"])),
    st.builds(intents.SetLargeType, st.booleans()),
    st.builds(intents.SetHighContrast, st.booleans()),
    st.builds(intents.SetVoice, st.booleans()),
    st.builds(intents.TestDevice, st.sampled_from(["ticket_printer", "face_camera"])),
    st.builds(intents.SettleJob, st.just("ticket:1"), st.booleans()),
    st.builds(intents.CodeDigit, st.sampled_from(["0", "7", "x", "", "12"])),
)
BACK = (0, 0, 0, -1, -2)
"""How far behind the newest session, attempt or job an event may be: late ones come too."""
UNSETTLED = events.UnsettledJobs((UnsettledJob("ticket:1", "ticket_printer", "A036", None, ""),))
OTHERS = st.one_of(
    st.builds(events.CardProgress, st.sampled_from(BACK), st.sampled_from(CardState)),
    st.builds(events.CardRead, st.sampled_from(BACK), st.just("张*"), st.just("3202**********1234")),
    st.builds(events.SelfTestStep, st.sampled_from(BACK), st.just(Texts("读卡")), st.just(Texts("请放置身份证"))),
    st.builds(
        events.SelfTestDone,
        st.sampled_from(BACK),
        st.sampled_from([SelfTestState.PASSED, SelfTestState.FAILED]),
        st.just(Texts("读卡")),
        st.just(Texts("")),
    ),
    st.builds(events.DevicesChanged, st.just(()), st.booleans()),
    st.builds(
        events.SlipDone,
        st.sampled_from(BACK),
        st.sampled_from([SlipState.PRINTED, SlipState.NOT_PRINTED, SlipState.UNKNOWN]),
        st.sampled_from([None, "paper_out"]),
    ),
    st.builds(events.CodeRead, st.sampled_from(BACK)),
    st.builds(events.CodeUnusable, st.sampled_from(BACK)),
    st.builds(events.PresenceChanged, st.sampled_from([True, False, None])),
    st.builds(events.PowerChanged, st.sampled_from(Power)),
    st.builds(events.KeyPressed, st.sampled_from(["7", "0", "backspace", "clear", "cancel", "enter", "*", ""])),
    st.builds(events.LinkChanged, st.booleans()),
    st.builds(events.OfflineReady, st.booleans()),
    st.builds(events.ServerChanged, st.booleans()),
    st.sampled_from([events.HallSilent(), events.HallHeard(), events.Started(), events.Stopped()]),
    st.builds(events.Verdict, st.sampled_from(["accepted", "accepted", "pending", "refused", "cloned"])),
    st.just(events.CatalogueLoaded(CATALOGUE, INDEX)),
    st.builds(
        events.ServicesChanged,
        st.tuples(st.builds(LiveService, SERVICES, st.booleans(), SMALL)),
    ),
    st.builds(events.NumberGiven, st.sampled_from(BACK), st.just(TICKET)),
    st.builds(
        events.NumberRefused,
        st.sampled_from(BACK),
        st.just("numbers_exhausted"),
        st.just(()),
        st.sampled_from([None, 1.0]),
    ),
    st.builds(events.HelpAnswered, st.sampled_from(BACK), st.booleans()),
    st.builds(events.OrderGiven, st.sampled_from(["restart", "maintenance_on", "maintenance_off"])),
    st.builds(events.JournalChanged, st.booleans()),
    st.builds(events.PartCrashed, st.sampled_from([None, "link"])),
    st.builds(events.CodeChecked, st.booleans(), st.sampled_from([0.0, 60.0])),
    st.sampled_from([UNSETTLED, events.UnsettledJobs(()), events.UnsettledJobs(None)]),
    st.just(events.Tick()),
)
FORWARD = st.sampled_from(
    [
        intents.TakeNumber(),
        intents.ChooseService("pension"),
        intents.ChooseService("invoice"),
        events.CardRead(0, "张*", "3202**********1234"),
        intents.GoOnWithoutCard(),
        events.NumberGiven(0, TICKET),
        events.SlipDone(0, SlipState.PRINTED),
        events.SlipDone(0, SlipState.NOT_PRINTED, "paper_out"),
        intents.Reprint(),
        intents.TakeAnother(),
    ]
)
"""What a plain visit consists of, so that the stories get somewhere."""
PAUSES = st.sampled_from([0.0, 0.1, 0.1, 1.0, 1.0, 11.0, 46.0])
HAPPENINGS = st.integers(0, 9).flatmap(lambda n: FORWARD if n < 7 else INTENTS if n < 8 else OTHERS)
CHECKING_IN = (intents.Home(), intents.CheckIn(), intents.TypeAppointmentCode())
TYPED = (intents.AppointmentKey("7"),) * check_in.CODE_LENGTH
SERVICING = (intents.HiddenCorner(), *(intents.CodeDigit("7"),) * technician.CODE_LENGTH, events.CodeChecked(True, 0.0))
SETTLING = (*SERVICING, intents.OpenUnsettled(), UNSETTLED, intents.SettleJob("ticket:1", printed=True))
WALKS = st.sampled_from([CHECKING_IN, CHECKING_IN + TYPED, SERVICING, SETTLING, (*SETTLING, intents.ConfirmSettling())])
"""Ways to the pages that lie deeper than chance leads."""
STEPS = st.tuples(PAUSES, HAPPENINGS).map(lambda step: (step,)) | WALKS.map(lambda way: tuple((0.1, on) for on in way))
STORIES = st.lists(STEPS, min_size=10, max_size=40).map(lambda steps: list(itertools.chain(*steps)))


def addressed(event: events.Event, state: State) -> events.Event:
    """The event with its session, attempt or job counted back from the newest one."""
    for name, newest in (("session", state.session), ("attempt", state.last_attempt), ("job", state.last_attempt)):
        if isinstance(getattr(event, name, None), int):
            return dataclasses.replace(event, **{name: newest + getattr(event, name)})  # type: ignore[type-var]
    return event


def told(
    story: list[tuple[float, events.Event]],
) -> Iterator[tuple[State, State, events.Event, tuple[effects.Effect, ...]]]:
    """Every step of a story: state before, state after, the event, its effects."""
    walk = serving()
    state, now = walk.state, 0.0
    for pause, happened in story:
        now += pause
        event = addressed(happened, state)
        after, caused = step(state, event, now)
        view(after)
        yield state, after, event, caused
        state = after


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_a_request_is_made_only_by_a_step_that_begins_to_wait_for_it(story):
    for before, after, _event, caused in told(story):
        requests = [effect for effect in caused if isinstance(effect, effects.RequestNumber)]
        given_here = [effect for effect in caused if isinstance(effect, effects.GiveOffline)]
        assert len(requests) + len(given_here) <= 2
        assert len(requests) <= 1
        assert len(given_here) <= 1
        for request in requests + given_here:
            assert isinstance(after.page, Awaiting)
            assert after.page.attempt == request.attempt
        assert not (requests and isinstance(before.page, Awaiting))
        for request in given_here:
            assert after.page.offline
            earlier = before.page
            assert not isinstance(earlier, Awaiting) or (earlier.attempt == request.attempt and not earlier.offline)


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_every_request_is_answered_or_withdrawn_or_still_awaited(story):
    asked: set[int] = set()
    for _before, after, event, caused in told(story):
        for effect in caused:
            if isinstance(effect, effects.RequestNumber | effects.GiveOffline):
                asked.add(effect.attempt)
            elif isinstance(effect, effects.WithdrawRequest):
                asked.discard(effect.attempt)
        if isinstance(event, events.NumberGiven | events.NumberRefused):
            asked.discard(event.attempt)
        awaited = {after.page.attempt} if isinstance(after.page, Awaiting) else set()
        assert asked <= awaited


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_a_slip_is_printed_once_for_each_number_and_again_only_when_asked(story):
    for _before, after, event, caused in told(story):
        prints = [effect for effect in caused if isinstance(effect, effects.PrintSlip)]
        assert len(prints) <= 1
        for slip in prints:
            assert slip.reprint == isinstance(event, intents.Reprint)
            assert slip.reprint or isinstance(event, events.NumberGiven)
            assert isinstance(after.page, Holding)
            assert after.page.job == slip.job


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_a_wiped_session_leaves_no_person_and_a_new_session_begins(story):
    for before, after, _event, caused in told(story):
        wiped = [effect.session for effect in caused if isinstance(effect, effects.WipeSession)]
        assert after.session == before.session + len(wiped)
        if wiped:
            assert before.session in wiped
            assert after.person is None


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_what_comes_late_from_an_older_session_changes_no_person(story):
    for before, after, event, _caused in told(story):
        if isinstance(event, events.CardRead) and event.session != before.session:
            assert after.person == before.person or after.person is None


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_the_countdown_never_runs_while_the_terminal_works(story):
    for _before, after, _event, _caused in told(story):
        if idle.busy(after):
            assert idle.countdown(after) is None
        if isinstance(after.page, Awaiting):
            assert view(after).frame.idle is None


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_the_reader_is_polled_for_the_present_session_or_not_at_all(story):
    polled: int | None = serving().state.session
    for _before, after, _event, caused in told(story):
        for effect in caused:
            if isinstance(effect, effects.StopCardRead):
                polled = None
            elif isinstance(effect, effects.StartCardRead):
                polled = effect.session
        assert polled in (None, after.session)


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_the_scanner_looks_for_the_present_session_or_not_at_all(story):
    looks: int | None = None
    for _before, after, _event, caused in told(story):
        for effect in caused:
            if isinstance(effect, effects.StopCodeScan):
                looks = None
            elif isinstance(effect, effects.StartCodeScan):
                looks = effect.session
        assert looks in (None, after.session)


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_what_is_lit_is_what_was_last_asked_for(story):
    shown: frozenset[str] = frozenset()
    for _before, after, _event, caused in told(story):
        for effect in caused:
            if isinstance(effect, effects.ShowLights):
                assert effect.lit != shown
                shown = effect.lit
        assert shown == lights.lit(after)


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_nobody_begins_on_a_low_battery(story):
    for before, after, _event, caused in told(story):
        if isinstance(before.page, AtHome) and before.surroundings.power is after.surroundings.power is Power.LOW:
            assert isinstance(after.page, AtHome | TypingCode)
            assert not [effect for effect in caused if isinstance(effect, effects.RequestNumber | effects.GiveOffline)]


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_a_call_for_help_never_stays_open(story):
    last = None
    for _before, after, _event, _caused in told(story):
        last = after
    if last is not None:
        walk = Walk(state=last, now=last.now).after(16)
        assert walk.state.help is not HelpState.PAGING


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_left_alone_the_terminal_is_home_and_clean_again(story):
    last = None
    for _before, after, _event, _caused in told(story):
        last = after
    if last is not None:
        walk = Walk(state=last, now=last.now).after(6)
        if isinstance(walk.state.page, Awaiting) and walk.state.page.offline:
            walk.on(events.NumberGiven(walk.state.page.attempt, TICKET))  # the terminal's own number always comes
        walk.after(95 + 110 + 65 + 25)
        assert walk.state.person is None
        assert view(walk.state).frame.language == "zh"
        assert type(walk.view).__name__ in ("HomeView", "OutOfServiceView")
