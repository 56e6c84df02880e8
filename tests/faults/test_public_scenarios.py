"""Faults that others have met, with real processes; each test bears the id of its scenario (`docs/scenarios.md`)."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.journeys.views import Network
from provisioning.broker import Account, account_for
from provisioning.site import Site
from queue_server import config as server_config
from queue_server.devices import LOST_AFTER
from queue_server.hall import configuration_from_json, configuration_to_json
from queue_server.stores import Stores
from tests.faults.machines import HALL, Kiosk, ServerProcess, Watcher, issued, lay_out, set_server, verify
from tests.faults.proxy import Proxy
from tests.faults.terminals import RunningTerminal, Trusting, lay_out_terminal
from tests.wire.seats import Seat, until
from wire import messages, topics
from wire.access import Administrator, Rule
from wire.codec import decode, encode
from wire.link import LinkDown, LinkSettings, MqttLink, Outgoing

ROOT = Path(__file__).parents[2]
SERVICE = "id-card"
EVENTS = 1500
KIOSKS = 8


def with_many_numbers() -> bytes:
    """The sample hall with more numbers than a day of it needs."""
    plain = configuration_from_json((ROOT / "assets" / "halls" / "sample.json").read_bytes())
    queues = tuple(replace(queue, last=9999, digits=4) for queue in plain.queues)
    return configuration_to_json(replace(plain, queues=queues)).encode()


def lay_out_terminal_behind(site: Site, device: str, line: Proxy) -> Path:
    """A terminal that finds the broker at the other end of `line`."""
    configuration = configuration_from_json((ROOT / "assets" / "halls" / "sample.json").read_bytes())
    home = lay_out_terminal(site, device, configuration)
    profile = home / "profile.toml"
    profile.write_text(profile.read_text().replace(f"port = {site.broker.port}", f"port = {line.port}"))
    return home


async def until_issued(site: Site, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await asyncio.to_thread(issued, site)) < count:  # noqa: ASYNC110 - another program's ledger
            await asyncio.sleep(0.1)


def alerts_ever(site: Site) -> set[tuple[str, str]]:
    """Code and subject of every alert that was raised."""
    path = site.directory / "server" / "data" / "ledger.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return set(database.execute("SELECT code, subject FROM alerts"))


def sit(site: Site, account: Account, *subscriptions: str) -> Seat:
    """Somebody else's client."""
    seat = Seat(account)
    settings = LinkSettings(
        site.broker.host,
        site.broker.port,
        account.client_id or account.username,
        account.username,
        account.password,
        backoff_first_s=0.05,
        backoff_cap_s=0.5,
        subscriptions=subscriptions,
    )
    seat.link = MqttLink(settings, seat.take, seat.connected, seat.lost.append)
    seat.sit()
    return seat


async def test_f1_an_answer_that_is_lost_on_its_way_comes_again_and_makes_one_ticket_and_one_slip(
    tmp_path: Path,
) -> None:
    site = lay_out(tmp_path, ["k1"])
    async with site.broker, Proxy(site.broker.port) as line:
        home = lay_out_terminal_behind(site, "k1", line)
        with ServerProcess(site) as server:
            await server.leads(1)
            async with RunningTerminal(home, Trusting()) as terminal:
                await terminal.serves(Network.CONNECTED)
                line.deafen("client")
                taking = asyncio.create_task(terminal.takes())
                await until_issued(site, 1)
                assert not taking.done()
                line.cut()
                ticket = await taking
                assert (ticket.number, ticket.offline) == ("H001", False)
                assert (await terminal.takes()).number == "H002"
            assert await server.end() == 0
    assert [event.number for event in issued(site)] == ["H001", "H002"]


@pytest.mark.parametrize("how", ["suspended", "killed"])
async def test_f11_of_1500_messages_to_a_server_that_is_away_none_is_lost_and_none_is_done_twice(
    tmp_path: Path, how: str
) -> None:
    site = lay_out(tmp_path, [f"k{n}" for n in range(KIOSKS)], hall=with_many_numbers())
    async with site.broker:
        with ServerProcess(site) as server:
            kiosks = [Kiosk(site, device) for device in site.devices]
            await server.leads(1)
            await asyncio.gather(*(kiosk.ask(messages.Issue(service=SERVICE)) for kiosk in kiosks))
            server.freeze() if how == "suspended" else server.kill()
            asking = [
                asyncio.create_task(kiosks[n % KIOSKS].ask(messages.Issue(service=SERVICE))) for n in range(EVENTS)
            ]
            await until(lambda: all(kiosk.published >= EVENTS // KIOSKS for kiosk in kiosks), patience_s=60)
            assert len(issued(site)) == KIOSKS
            server.thaw() if how == "suspended" else server.start()
            await asyncio.wait_for(asyncio.gather(*asking), 120)
            for kiosk in kiosks:
                await kiosk.leave()
            assert await server.end() == 0
    in_ledger = issued(site)
    in_hands = [ticket for kiosk in kiosks for ticket in kiosk.tickets()]
    assert len(in_ledger) == EVENTS + KIOSKS
    assert sorted(in_hands) == sorted(event.ticket for event in in_ledger)
    assert len({event.number for event in in_ledger}) == len(in_ledger)
    assert verify(site).returncode == 0


async def test_f13_a_terminal_whose_line_is_half_open_ends_online_and_nobody_is_alarmed(tmp_path: Path) -> None:
    site = Site(tmp_path, hall=HALL, devices=("k1",))
    spy = Account("spy", "spy-password", "spy", (Rule("publishClientReceive", "#"), Rule("subscribePattern", "#")))
    site.broker.accounts["spy"] = spy
    async with site.broker, Proxy(site.broker.port) as line:
        site.lay_out({})
        set_server(site, web={"enabled": False})
        home = lay_out_terminal_behind(site, "k1", line)
        with ServerProcess(site) as server:
            await server.leads(1)
            presence = topics.presence("k1")
            eye = sit(site, spy, presence)

            def states() -> list[tuple[int, str]]:
                said = [decode(one.payload)[1] for one in eye.received if one.topic == presence and one.payload]
                return [(one.conn_seq, one.state) for one in said if isinstance(one, messages.Presence)]

            async with RunningTerminal(home) as terminal:
                await terminal.serves(Network.CONNECTED)
                await until(lambda: states() and states()[-1][1] not in ("init", "offline"), patience_s=30)
                first = states()[-1][0]
                line.deafen("server")
                # the broker knows nothing yet; the terminal's request finds out that its line is dead
                assert (await terminal.takes()).number
                await until(lambda: (first, "offline") in states(), patience_s=60)
                await until(
                    lambda: states()[-1][0] > first and states()[-1][1] not in ("init", "offline"), patience_s=60
                )
                await terminal.serves(Network.CONNECTED)
                await until_issued(site, 1)
            await eye.leave()
            assert await server.end() == 0
    assert LOST_AFTER.total_seconds() > 5
    assert ("device_lost", "k1") not in alerts_ever(site)
    assert len(issued(site)) == 1


@pytest.mark.free_payloads
async def test_f17_a_terminal_that_is_shut_out_while_it_is_connected_is_refused_expelled_and_reported(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, hall=HALL, devices=("k1", "k2"), readers=("watcher",), hall_file=with_many_numbers())
    administrator = account_for(Administrator())
    site.broker.accounts[administrator.username] = administrator
    async with site.broker:
        site.lay_out({})
        set_server(site, web={"enabled": False})
        with ServerProcess(site) as server:
            await server.leads(1)
            thief, honest, display = Kiosk(site, "k1"), Kiosk(site, "k2"), Watcher(site)
            assert (await thief.ask(messages.Issue(service=SERVICE))).number == "H0001"
            with Stores(server_config.read(site.server_file)) as stores:
                stores.books().devices.refuse("k1")

            async def refused() -> bool:
                said = await thief.ask(messages.Issue(service=SERVICE))
                return isinstance(said, messages.Refused) and said.code == "device_refused"

            async with asyncio.timeout(30):
                while not await refused():
                    pass
            known = len(issued(site))
            board = topics.board(HALL, "east")
            await until(lambda: board in display.seen)
            forged = encode(
                messages.Board(zone="east", hall_name={"zh": "假", "en": "forged"}, calls=(), queues=(), notice={}),
                message_id="forged",
                at=datetime.now(UTC),
            )
            await thief.link.publish(Outgoing(board, forged, retain=True))
            desk = sit(site, administrator, topics.BROKER_CONTROL_RESPONSE)
            await desk.up()
            command = b'{"commands":[{"command":"disableClient","username":"device-k1"}]}'
            await desk.link.publish(Outgoing(topics.BROKER_CONTROL, command))
            await until(lambda: not thief.link.connected)
            with pytest.raises(LinkDown):
                await thief.link.publish(Outgoing(board, forged))

            assert (await honest.ask(messages.Issue(service=SERVICE))).number == f"H{known + 1:04}"
            assert not any(b"forged" in frame.payload for frame in display.frames)
            for one in (thief, honest, display, desk):
                await one.leave()
            assert await server.end() == 0
    assert len(issued(site)) == known + 1
    assert ("refused_device_speaks", "k1") in alerts_ever(site)
