"""Who may do what on the broker: the access list, made from the topic tree.

Everything is denied unless a rule here allows it. A device reads and writes topics with its own name only, so nobody
can forge an answer, a board or another's request, and no wildcard lets anybody listen beyond their own.
The names of the access types are those of Mosquitto's dynamic security plugin.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from wire import topics

AccessType = Literal["publishClientSend", "publishClientReceive", "subscribeLiteral", "subscribePattern"]


class Rule(NamedTuple):
    """One line of a role. `topic` may hold the wildcards of a subscription."""

    acltype: AccessType
    topic: str
    allow: bool = True


@dataclass(frozen=True)
class Device:
    """A terminal, and the halls for which it takes numbers."""

    device: str
    halls: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"device-{self.device}"


@dataclass(frozen=True)
class Server:
    """A queue server, and the halls that it may lead."""

    server: str
    halls: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"server-{self.server}"


@dataclass(frozen=True)
class Reader:
    """Something that only looks at a hall: a window display, a third party. `reader` tells several apart."""

    reader: str
    hall: str

    @property
    def name(self) -> str:
        return f"reader-{self.reader}"


@dataclass(frozen=True)
class Administrator:
    """The account that keeps the accounts; it sees nothing of any hall."""

    name: str = "administrator"


Principal = Device | Server | Reader | Administrator


def device_subscriptions(device: Device) -> tuple[str, ...]:
    """Everything that a terminal reads.

    Its own presence is among it: the late will of an older connection may overwrite its birth, and it must see
    that to publish the birth again.
    """
    own = (topics.answer, topics.desired, topics.order, topics.presence)
    return (
        *(topic(device.device) for topic in own),
        *(topics.services(hall) for hall in device.halls),
        topics.server_presence("+"),
    )


def server_subscriptions(server: Server) -> tuple[str, ...]:
    """Everything that a queue server reads."""
    return (
        *(topics.request(hall, "+") for hall in server.halls),
        *(topics.journal(hall, "+") for hall in server.halls),
        topics.presence("+"),
        topics.reported("+"),
        topics.server_presence("+"),
    )


def reader_subscriptions(reader: Reader) -> tuple[str, ...]:
    """Everything that a display or a third party reads."""
    return (
        topics.services(reader.hall),
        topics.board(reader.hall, "+"),
        topics.call(reader.hall, "+"),
        topics.server_presence("+"),
    )


def roles_for(principal: Principal) -> tuple[Rule, ...]:
    """All rules of a principal; what none of them allows is denied."""
    match principal:
        case Device(device, halls):
            writes = [topics.presence(device), topics.reported(device)]
            for hall in halls:
                writes += [topics.request(hall, device), topics.journal(hall, device)]
            return _rules(device_subscriptions(principal), writes)
        case Server(server, halls):
            writes = [topics.answer("+"), topics.desired("+"), topics.order("+"), topics.server_presence(server)]
            for hall in halls:
                writes += [topics.services(hall), topics.board(hall, "+"), topics.call(hall, "+")]
            # retained topics of a device that was removed are emptied by the server
            writes += [topics.presence("+"), topics.reported("+")]
            return _rules(server_subscriptions(principal), writes)
        case Reader():
            return _rules(reader_subscriptions(principal), ())
        case Administrator():
            return _rules((topics.BROKER_CONTROL_RESPONSE,), (topics.BROKER_CONTROL,))


def _rules(reads: Iterable[str], writes: Iterable[str]) -> tuple[Rule, ...]:
    rules = []
    for topic in reads:
        rules.append(Rule("subscribePattern" if "+" in topic else "subscribeLiteral", topic))
        rules.append(Rule("publishClientReceive", topic))
    rules.extend(Rule("publishClientSend", topic) for topic in writes)
    return tuple(rules)


@dataclass(frozen=True)
class Account:
    """An account of the broker. `client_id` None: any client id may be used (only sensible for tests)."""

    username: str
    password: str = field(repr=False)
    client_id: str | None
    roles: tuple[Rule, ...]


def account_for(principal: Principal) -> Account:
    """A new account with a random password (192 bits); user name and client id are the principal's name."""
    return Account(principal.name, secrets.token_urlsafe(24), principal.name, roles_for(principal))


def may_send(rules: Iterable[Rule], topic: str) -> bool:
    """True if a message may be published on `topic`."""
    return _allowed(rules, "publishClientSend", topic)


def may_receive(rules: Iterable[Rule], topic: str) -> bool:
    """True if a message on `topic` may be delivered."""
    return _allowed(rules, "publishClientReceive", topic)


def may_subscribe(rules: Iterable[Rule], subscription: str) -> bool:
    """True if `subscription` stands literally in a rule, or asks for no more than a pattern allows."""
    literal = any(rule.acltype == "subscribeLiteral" and rule.allow and rule.topic == subscription for rule in rules)
    return literal or _allowed(rules, "subscribePattern", subscription)


def _allowed(rules: Iterable[Rule], acltype: AccessType, topic: str) -> bool:
    return any(rule.acltype == acltype and rule.allow and topics.matches(rule.topic, topic) for rule in rules)


def dynsec_role(name: str, rules: Iterable[Rule]) -> dict[str, Any]:
    """A role as Mosquitto's dynamic security plugin stores it and as its `createRole` command takes it.

    A subscription that may be made may also be ended.
    """
    acls: list[dict[str, Any]] = []
    for acltype, topic, allow in rules:
        acls.append({"acltype": acltype, "topic": topic, "allow": allow})
        if acltype.startswith("subscribe"):
            acls.append({"acltype": f"un{acltype}", "topic": topic, "allow": allow})
    return {"rolename": name, "acls": acls}


DENY_ALL = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": False,
}
"""Default access of the plugin where no rule speaks."""
