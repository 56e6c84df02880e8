"""Whether the terminal may serve, and what the hall says of itself; it comes back without a touch."""

from dataclasses import replace
from typing import Any

from kiosk.journeys import events
from kiosk.journeys.effects import Restart
from kiosk.journeys.state import AtHome, Choosing, Hall, LayingCard, State, Step, TypingAppointment, go_home
from kiosk.journeys.views import Network, Power


def cause(state: State) -> str | None:
    """Code of what keeps the terminal from serving, the gravest first; None: it serves."""
    condition, hall = state.condition, state.hall
    checks = (
        (condition.journal_fault, "journal_fault"),
        (condition.cloned, "cloned"),
        (condition.crashed is not None, "program_fault"),
        (not condition.started, "starting"),
        (condition.maintenance, "maintenance"),
        (hall.verdict in ("pending", "refused"), "not_accepted"),
        (away(state) and not hall.offline_ready, "hall_away"),
        (hall.verdict is None and not away(state), "starting"),
        (hall.catalogue is None, "no_configuration"),
        (state.surroundings.power is Power.LOW and isinstance(state.page, AtHome), "power_low"),
    )
    return next((code for holds, code in checks if holds), None)


def offline(state: State) -> bool:
    """Whether the terminal gives numbers of its own because the hall is away."""
    return away(state) and state.hall.offline_ready


def network(state: State) -> Network:
    if away(state):
        return Network.OFFLINE if state.hall.offline_ready else Network.AWAY
    return Network.CONNECTED if _answers(state.hall) and state.hall.verdict == "accepted" else Network.CONNECTING


def _answers(hall: Hall) -> bool:
    return hall.link_up and hall.server_online and not hall.silent


def away(state: State) -> bool:
    """Whether the hall has been lost for longer than a moment."""
    lost_at = state.hall.lost_at
    return lost_at is not None and state.now - lost_at >= state.rules.hall_grace_s


def settle(before: State, state: State) -> Step:
    """Keep the hour of losing the hall; end a session that cannot go on; restart when nobody is there."""
    lost_at = None if _answers(state.hall) else state.hall.lost_at
    if lost_at is None and not _answers(state.hall):
        lost_at = state.now
    if lost_at != state.hall.lost_at:
        state = replace(state, hall=replace(state.hall, lost_at=lost_at))
    code = cause(state)
    if cause(before) == "power_low" and isinstance(state.page, Choosing | LayingCard | TypingAppointment):
        return go_home(state)  # whoever was there before may finish, nobody begins
    interrupted = code is not None and isinstance(state.page, Choosing | LayingCard | TypingAppointment)
    if interrupted or (code is not None and cause(before) is None and state.page == AtHome()):
        return go_home(state)
    if state.restart_wanted and isinstance(state.page, AtHome):
        return replace(state, restart_wanted=False), (Restart(),)
    return state, ()


def link_changed(state: State, event: events.LinkChanged) -> Step:
    """A new connection starts with a clean slate: an earlier silence says nothing about it."""
    silent = state.hall.silent and not event.up
    return replace(state, hall=replace(state.hall, link_up=event.up, silent=silent)), ()


def offline_ready(state: State, event: events.OfflineReady) -> Step:
    return replace(state, hall=replace(state.hall, offline_ready=event.ready)), ()


def server_changed(state: State, event: events.ServerChanged) -> Step:
    return replace(state, hall=replace(state.hall, server_online=event.online)), ()


def hall_silent(state: State, _event: events.HallSilent) -> Step:
    return replace(state, hall=replace(state.hall, silent=True)), ()


def hall_heard(state: State, _event: events.HallHeard) -> Step:
    return replace(state, hall=replace(state.hall, silent=False)), ()


def verdict(state: State, event: events.Verdict) -> Step:
    cloned = event.verdict == "cloned"
    standing = "refused" if cloned else event.verdict
    condition = replace(state.condition, cloned=cloned)
    return replace(state, hall=replace(state.hall, verdict=standing), condition=condition), ()


def catalogue_loaded(state: State, event: events.CatalogueLoaded) -> Step:
    return replace(state, hall=replace(state.hall, catalogue=event.catalogue, index=event.index)), ()


def services_changed(state: State, event: events.ServicesChanged) -> Step:
    live = {service.service: service for service in event.services}
    return replace(state, hall=replace(state.hall, live=live)), ()


def order_given(state: State, event: events.OrderGiven) -> Step:
    if event.action == "restart":
        return replace(state, restart_wanted=True), ()
    maintenance = event.action == "maintenance_on"
    return replace(state, condition=replace(state.condition, maintenance=maintenance)), ()


def started(state: State, event: events.Started) -> Step:
    condition = replace(state.condition, started=True, maintenance=event.maintenance)
    equipment = replace(state.equipment, voices=event.voices, versions=event.versions)
    return replace(state, condition=condition, equipment=equipment), ()


def stopped(state: State, _event: events.Stopped) -> Step:
    return replace(state, condition=replace(state.condition, started=False)), ()


def journal_changed(state: State, event: events.JournalChanged) -> Step:
    return replace(state, condition=replace(state.condition, journal_fault=not event.writable)), ()


def part_crashed(state: State, event: events.PartCrashed) -> Step:
    return replace(state, condition=replace(state.condition, crashed=event.part)), ()


def devices_changed(state: State, event: events.DevicesChanged) -> Step:
    equipment = replace(state.equipment, peripherals=event.peripherals, reader_ready=event.reader_ready)
    return replace(state, equipment=equipment), ()


def network_facts(state: State, event: events.NetworkFacts) -> Step:
    return replace(state, equipment=replace(state.equipment, network=event.facts)), ()


HANDLERS: dict[type, Any] = {
    events.LinkChanged: link_changed,
    events.OfflineReady: offline_ready,
    events.ServerChanged: server_changed,
    events.HallSilent: hall_silent,
    events.HallHeard: hall_heard,
    events.Verdict: verdict,
    events.CatalogueLoaded: catalogue_loaded,
    events.ServicesChanged: services_changed,
    events.OrderGiven: order_given,
    events.Started: started,
    events.Stopped: stopped,
    events.JournalChanged: journal_changed,
    events.PartCrashed: part_crashed,
    events.DevicesChanged: devices_changed,
    events.NetworkFacts: network_facts,
}
