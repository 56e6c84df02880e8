"""Who may do what: every principal × every topic, on the real broker, told by what is delivered and what is not.

The expectation is written down here a second time, by hand: the table below says who writes and who reads a family.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.subscribeoptions import SubscribeOptions

from provisioning.broker import PrivateBroker
from wire import topics
from wire.access import (
    Account,
    Administrator,
    Device,
    Principal,
    Reader,
    Rule,
    Server,
    account_for,
    device_subscriptions,
    may_receive,
    may_send,
    may_subscribe,
    reader_subscriptions,
    server_subscriptions,
)

PRINCIPALS: dict[str, Principal] = {
    "device t1 of h1": Device("t1", ("h1",)),
    "device t2 of h1 and h2": Device("t2", ("h1", "h2")),
    "device t3 without a hall": Device("t3", ()),
    "server s1 of h1": Server("s1", ("h1",)),
    "server s2 of h2": Server("s2", ("h2",)),
    "reader of h1": Reader("led-1", "h1"),
    "administrator": Administrator(),
}
SPY = Account(
    "spy", "spy-password", "spy", tuple(Rule(kind, "#") for kind in ("publishClientReceive", "subscribePattern"))
)
VOICE = Account(
    "voice", "voice-password", "voice", tuple(Rule("publishClientSend", topic) for topic in ("#", "$CONTROL/#"))
)
EAR = Account("ear", "ear-password", "ear", (Rule("subscribePattern", "#"),))
IDS = {"hall": ("h1", "h2"), "device": ("t1", "t2", "t3"), "zone": ("z1", "z2"), "server": ("s1", "s2")}


def every_topic() -> list[str]:
    """Each family's address with all ids of the site."""
    found = []
    for address in topics.ADDRESSES.values():
        filled = [address]
        for name, values in IDS.items():
            filled = [text.replace(f"{{{name}}}", value) for text in filled for value in values]
        found += sorted(set(filled))
    return found


OUTSIDE = ["estation/1", "estation/2/hall/h1/services", "other", "estation/1/hall/h1", "estation/1/device/t1/secret"]
TOPICS = [*every_topic(), *OUTSIDE]


def expected_to_write(principal: Principal, text: str) -> bool:
    topic = topics.parse(text)
    if topic is None:
        return False
    match principal:
        case Device(device, halls):
            own = topic.device == device and topic.hall in (None, *halls)
            return own and topic.family in {"request", "journal", "presence", "reported"}
        case Server(server, halls):
            if topic.family == "server_presence":
                return topic.server == server
            of_hall = topic.hall in halls and topic.family in {"services", "board", "call"}
            return of_hall or topic.family in {"answer", "desired", "order", "presence", "reported"}
    return False


def expected_to_read(principal: Principal, text: str) -> bool:
    topic = topics.parse(text)
    if topic is None:
        return False
    match principal:
        case Device(device, halls):
            own = topic.device == device and topic.family in {"answer", "desired", "order", "presence"}
            return own or topic.family == "server_presence" or (topic.family == "services" and topic.hall in halls)
        case Server(_, halls):
            of_hall = topic.hall in halls and topic.family in {"request", "journal"}
            return of_hall or topic.family in {"presence", "reported", "server_presence"}
        case Reader(_, hall):
            of_hall = topic.hall == hall and topic.family in {"services", "board", "call"}
            return of_hall or topic.family == "server_presence"
    return False


@pytest.fixture(scope="module")
def accounts() -> dict[str, Account]:
    return {name: account_for(principal) for name, principal in PRINCIPALS.items()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture
async def broker(
    directory: Path, accounts: dict[str, Account], request: pytest.FixtureRequest
) -> AsyncIterator[PrivateBroker]:
    async with PrivateBroker(directory / request.node.name[:40], [*accounts.values(), SPY, VOICE, EAR]) as running:
        yield running


def client(broker: PrivateBroker, account: Account, identifier: str | None = None) -> aiomqtt.Client:
    return aiomqtt.Client(
        broker.host,
        broker.port,
        protocol=aiomqtt.ProtocolVersion.V5,
        identifier=identifier or account.client_id,
        username=account.username,
        password=account.password,
        timeout=5,
    )


async def attempt(work: Awaitable[object]) -> None:
    """Do what may be refused; what counts is what is delivered."""
    with contextlib.suppress(aiomqtt.MqttError):
        await work


def drain(reader: aiomqtt.Client) -> set[tuple[str, bytes]]:
    messages = reader.messages
    found = set()
    for _ in range(len(messages)):
        message = reader._queue.get_nowait()
        found.add((str(message.topic), bytes(message.payload)))
    return found


async def test_what_a_principal_may_not_write_is_not_delivered(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    async with client(broker, SPY) as spy:
        await spy.subscribe("#", qos=1)
        for name, account in accounts.items():
            async with client(broker, account) as writer:
                for topic in TOPICS:
                    await attempt(writer.publish(topic, name.encode(), qos=1))
        await attempt(spy.subscribe("fence", qos=1))
        delivered = drain(spy)
    expected = {
        (topic, name.encode())
        for name, principal in PRINCIPALS.items()
        for topic in TOPICS
        if expected_to_write(principal, topic)
    }
    assert delivered == expected
    assert len(expected) > 40


WIDE = [
    "#",
    "+/#",
    "estation/#",
    "estation/1/#",
    "estation/1/+/#",
    "estation/1/hall/#",
    "estation/1/hall/+/#",
    "estation/1/device/+/answer",
    "estation/1/device/#",
    "estation/+/device/+/+",
    "+/+/+/+/+",
    "+/+/hall/+/device/+/request",
    "estation/1/hall/h1/device/+/request",
    "estation/1/hall/h1/#",
    "$SYS/#",
    "$CONTROL/#",
    "$share/group/#",
    "$share/group/estation/1/device/t1/answer",
    "$share/group/estation/1/hall/h1/device/+/request",
]


async def test_what_a_principal_may_not_read_does_not_reach_it_however_it_subscribes(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    for name, account in accounts.items():
        principal = PRINCIPALS[name]
        expected = {(topic, b"news") for topic in TOPICS if expected_to_read(principal, topic)}
        async with client(broker, account) as reader, client(broker, VOICE) as voice:
            for subscription in [*TOPICS, *WIDE]:
                await attempt(reader.subscribe(subscription, qos=1))
            for topic in TOPICS:
                await voice.publish(topic, b"news", qos=1)
            await attempt(reader.subscribe("fence", qos=1))
            # overlapping subscriptions may deliver twice; what matters is what was seen at all
            assert drain(reader) == expected, name


async def test_nobody_is_granted_a_subscription_wider_than_its_own_topics(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    for name, account in accounts.items():
        async with client(broker, account) as reader:
            granted = {
                subscription
                for subscription in WIDE
                if (await reader.subscribe(subscription, qos=1))[0].value < 0x80  # type: ignore[union-attr]
            }
        own = {"estation/1/hall/h1/device/+/request"} if name == "server s1 of h1" else set()
        assert granted == own, name


async def test_a_subscription_alone_lets_nothing_through(broker: PrivateBroker) -> None:
    async with client(broker, EAR) as ear, client(broker, VOICE) as voice:
        assert (await ear.subscribe("#", qos=1))[0].value == 1  # type: ignore[union-attr]
        for topic in TOPICS:
            await voice.publish(topic, b"news", qos=1)
        await ear.subscribe("fence", qos=1)
        assert drain(ear) == set()


async def test_the_subscriptions_that_programs_make_are_granted(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    wanted = {
        "device t2 of h1 and h2": device_subscriptions(Device("t2", ("h1", "h2"))),
        "server s1 of h1": server_subscriptions(Server("s1", ("h1",))),
        "reader of h1": reader_subscriptions(Reader("led-1", "h1")),
        "administrator": (topics.BROKER_CONTROL_RESPONSE,),
    }
    for name, subscriptions in wanted.items():
        async with client(broker, accounts[name]) as program:
            granted = await program.subscribe([(topic, SubscribeOptions(qos=1)) for topic in subscriptions])
            assert [code.value for code in granted] == [1] * len(subscriptions), name
            for topic in subscriptions:
                await program.unsubscribe(topic)


async def test_only_the_administrator_commands_the_brokers_accounts(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    administrator = accounts["administrator"]
    for account in accounts.values():
        if account is administrator:
            continue
        async with client(broker, account) as program:
            command = b'{"commands":[{"command":"createClient","username":"intruder","password":"x"}]}'
            await attempt(program.publish(topics.BROKER_CONTROL, command, qos=1))
    async with client(broker, administrator) as program:
        await program.subscribe(topics.BROKER_CONTROL_RESPONSE, qos=1)
        await program.publish(topics.BROKER_CONTROL, b'{"commands":[{"command":"listClients"}]}', qos=1)
        answer = bytes((await anext(aiter(program.messages))).payload)
    assert b"device-t1" in answer
    assert b"intruder" not in answer


async def test_f19_an_account_with_anothers_client_id_is_refused_and_the_owner_stays(
    broker: PrivateBroker, accounts: dict[str, Account]
) -> None:
    owner, thief = accounts["device t1 of h1"], accounts["device t2 of h1 and h2"]
    async with client(broker, owner) as sitting:
        for _ in range(3):
            with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
                await client(broker, thief, identifier=owner.client_id).__aenter__()
            with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authorized"):
                await client(broker, owner, identifier="device-t9").__aenter__()
        await sitting.publish(topics.presence("t1"), b"still here", qos=1)


@pytest.mark.parametrize("name", PRINCIPALS)
def test_the_twins_rules_say_the_same_as_the_broker(name: str, accounts: dict[str, Account]) -> None:
    principal, rules = PRINCIPALS[name], accounts[name].roles
    for topic in TOPICS:
        assert may_send(rules, topic) == expected_to_write(principal, topic), topic
        assert may_receive(rules, topic) == expected_to_read(principal, topic), topic
    for subscription in WIDE[:11]:
        if "answer" not in subscription:
            assert not may_subscribe(rules, subscription), subscription


def test_every_family_has_somebody_who_writes_and_somebody_who_reads() -> None:
    for family in topics.ADDRESSES:
        of_family = [topic for topic in TOPICS if (parsed := topics.parse(topic)) and parsed.family == family]
        for expected in (expected_to_write, expected_to_read):
            readers = [
                name for name, principal in PRINCIPALS.items() for topic in of_family if expected(principal, topic)
            ]
            assert readers, (family, expected.__name__)
