"""The private broker: settings that are meant, a socket on the loopback only, accounts that hold."""

import asyncio
import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from provisioning.broker import Account, BrokerDidNotStart, BrokerMissing, PrivateBroker, account_for, find_plugin
from wire import topics
from wire.access import Administrator, Device, Rule
from wire.codec import MAX_BYTES

ALL = Account(
    "everything",
    "sesame",
    None,
    tuple(Rule(kind, "#") for kind in ("publishClientSend", "publishClientReceive", "subscribePattern")),
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateBroker]:
    with PrivateBroker(tmp_path / "broker", [ALL, account_for(Device("t1", ("h1",)))]) as running:
        yield running


def client(broker: PrivateBroker, account: Account | None = ALL, **more: object) -> aiomqtt.Client:
    login = {} if account is None else {"username": account.username, "password": account.password}
    if account is not None and account.client_id:
        login["identifier"] = account.client_id
    given = {"protocol": aiomqtt.ProtocolVersion.V5, "timeout": 5, **login, **more}
    return aiomqtt.Client(broker.host, broker.port, **given)


def listening_addresses(pid: int) -> set[str]:
    """Addresses of the process's listening TCP sockets, IPv4 and IPv6, from the kernel's tables."""
    inodes = {
        os.readlink(link)[8:-1]
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.readlink(link).startswith("socket:[")
    }
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1])
    return found


def test_it_listens_on_the_loopback_and_nowhere_else(broker: PrivateBroker) -> None:
    assert broker.pid is not None
    assert listening_addresses(broker.pid) == {f"0100007F:{broker.port:04X}"}


def test_secrets_are_readable_by_their_owner_alone(broker: PrivateBroker) -> None:
    for name in ("dynsec.json", "mosquitto.conf"):
        assert stat.S_IMODE((broker.directory / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(broker.directory.stat().st_mode) == 0o700


def test_no_password_stands_in_any_file(broker: PrivateBroker) -> None:
    passwords = [account.password.encode() for account in broker.accounts.values()]
    for path in broker.directory.rglob("*"):
        if path.is_file():
            assert not any(password in path.read_bytes() for password in passwords)


def test_two_accounts_of_one_principal_have_nothing_secret_in_common() -> None:
    one, two = (account_for(Device("t1", ("h1",))) for _ in range(2))
    assert one.password != two.password
    assert len(one.password) >= 32
    assert one.password not in repr(one)


def test_every_setting_that_guards_something_is_written_down(broker: PrivateBroker) -> None:
    lines = set((broker.directory / "mosquitto.conf").read_text().splitlines())
    assert lines >= {
        "allow_anonymous false",
        "per_listener_settings false",
        "set_tcp_nodelay true",
        "max_connections 4000",
        "max_keepalive 120",
        f"message_size_limit {MAX_BYTES}",
        "max_inflight_messages 20",
        "max_queued_messages 10000",
        "max_queued_bytes 67108864",
        "persistent_client_expiration 14d",
        f"listener {broker.port} 127.0.0.1",
    }
    assert not any(line.startswith("log_type") and ("debug" in line or "all" in line) for line in lines)


async def test_nobody_comes_in_without_an_account(broker: PrivateBroker) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
        await client(broker, None).__aenter__()


async def test_the_hashes_are_those_that_the_broker_expects(broker: PrivateBroker) -> None:
    async with client(broker):
        pass
    wrong = Account(ALL.username, "Sesame", None, ())
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
        await client(broker, wrong).__aenter__()


@pytest.mark.parametrize("size", [MAX_BYTES + 1, MAX_BYTES * 4])
async def test_a_message_above_the_limit_is_not_delivered_and_ends_its_senders_connection_alone(
    broker: PrivateBroker, size: int
) -> None:
    async with client(broker) as watcher:
        await watcher.subscribe("x", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with client(broker, timeout=0.5) as sender:
                await sender.publish("x", bytes(size), qos=1)
        async with client(broker) as sender:
            await sender.publish("x", bytes(MAX_BYTES), qos=1)
        message = await anext(aiter(watcher.messages))
        assert len(message.payload) == MAX_BYTES


async def test_the_log_holds_neither_payloads_nor_topics(broker: PrivateBroker) -> None:
    async with client(broker) as sender:
        await sender.subscribe("a/private/topic", qos=1)
        await sender.publish("a/private/topic", b"a-private-payload", qos=1)
    await asyncio.to_thread(broker.stop)
    text = broker.log_file.read_text()
    assert "New client connected" in text
    assert "private" not in text


async def retained(broker: PrivateBroker) -> set[str]:
    """Topics that a new subscriber finds; the last one published shows that all before it came."""
    async with client(broker) as reader:
        await reader.subscribe("#", qos=1)
        await reader.publish("end", b"x", qos=1)
        found = set()
        async for message in reader.messages:
            if str(message.topic) == "end":
                return found
            found.add(str(message.topic))
    raise AssertionError


async def test_retained_truth_survives_an_orderly_restart_and_not_an_empty_data_directory(
    broker: PrivateBroker,
) -> None:
    port = broker.port
    async with client(broker) as sender:
        await sender.publish(topics.services("h1"), b"x", qos=1, retain=True)
    await asyncio.to_thread(broker.stop)
    await asyncio.to_thread(broker.start)
    assert broker.port == port
    assert await retained(broker) == {topics.services("h1")}
    await asyncio.to_thread(broker.kill)
    broker.forget()
    await asyncio.to_thread(broker.start)
    assert await retained(broker) == set()


def test_a_running_broker_does_not_forget(broker: PrivateBroker) -> None:
    with pytest.raises(RuntimeError):
        broker.forget()


def test_killed_at_any_moment_it_starts_again(broker: PrivateBroker) -> None:
    for _ in range(3):
        broker.kill()
        assert broker.pid is None
        broker.start()
        assert broker.pid is not None


async def test_a_directory_used_before_knows_the_new_passwords_and_not_the_old(tmp_path: Path) -> None:
    principal = Device("t1", ("h1",))
    old, new = account_for(principal), account_for(principal)
    async with PrivateBroker(tmp_path, [old]) as broker, client(broker, old):
        pass
    async with PrivateBroker(tmp_path, [new]) as broker:
        async with client(broker, new):
            pass
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
            await client(broker, old).__aenter__()


async def test_what_the_administrator_changed_survives_a_restart(tmp_path: Path) -> None:
    device, administrator = account_for(Device("t1", ("h1",))), account_for(Administrator())
    async with PrivateBroker(tmp_path, [device, administrator]) as broker:
        async with client(broker, administrator) as program:
            await program.subscribe(topics.BROKER_CONTROL_RESPONSE, qos=1)
            command = b'{"commands":[{"command":"deleteClient","username":"device-t1"}]}'
            await program.publish(topics.BROKER_CONTROL, command, qos=1)
            await anext(aiter(program.messages))
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
            await client(broker, device).__aenter__()


def test_starting_twice_starts_once(broker: PrivateBroker) -> None:
    before = broker.pid
    broker.start()
    assert broker.pid == before


def test_it_ends_with_its_context(tmp_path: Path) -> None:
    with PrivateBroker(tmp_path, [ALL]) as running:
        port = running.port
    assert running.pid is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


async def test_it_can_be_used_from_a_loop(tmp_path: Path) -> None:
    async with PrivateBroker(tmp_path, [ALL]) as running, client(running):
        assert running.pid is not None
    assert running.pid is None


def test_f9_a_database_of_zeros_left_by_a_power_cut_is_set_aside(tmp_path: Path) -> None:
    broker = PrivateBroker(tmp_path, [ALL])
    broker.data.mkdir()
    (broker.data / "mosquitto.db").write_bytes(bytes(4096))
    with broker:
        assert broker.pid is not None
    assert (broker.data / "mosquitto.bad").read_bytes() == bytes(4096)


def test_a_given_port_that_is_taken_is_an_error_that_says_so(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BrokerDidNotStart, match="Address already in use"):
            PrivateBroker(tmp_path, [ALL], port=other.getsockname()[1]).start()


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        broker = PrivateBroker(tmp_path, [ALL])
        taken = other.getsockname()[1]
        broker.port = taken
        with broker:
            assert broker.port != taken


def test_a_machine_without_mosquitto_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.broker.shutil.which", lambda *_, **__: None)
    with pytest.raises(BrokerMissing, match="mosquitto"):
        PrivateBroker(tmp_path, [ALL]).start()


def test_accounts_can_be_kept_by_the_brokers_own_tool(broker: PrivateBroker) -> None:
    """The file is one that Mosquitto's own administration reads: it takes part in what the plugin writes later."""
    document = json.loads(broker.dynsec_file.read_text())
    assert set(document) == {"defaultACLAccess", "clients", "groups", "roles"}
    assert not any(document["defaultACLAccess"].values())
    assert {entry["clientid"] for entry in document["clients"] if "clientid" in entry} == {"device-t1"}


def test_the_plugin_is_of_this_machine() -> None:
    out = subprocess.run(["/usr/bin/env", "head", "-c", "4", find_plugin()], capture_output=True, check=True).stdout
    assert out == b"\x7fELF"
