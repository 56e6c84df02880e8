"""The topic tree: the only place in the project that holds a topic string.

A topic is built by a function and read back by `parse`. Ids are lower-case letters, digits and `-`,
so that no id can hold a wildcard, a level separator or a space.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

ROOT = "estation/1"
BROKER_CONTROL = "$CONTROL/dynamic-security/v1"
BROKER_CONTROL_RESPONSE = f"{BROKER_CONTROL}/response"

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

Family = Literal[
    "request",
    "journal",
    "answer",
    "presence",
    "reported",
    "desired",
    "order",
    "services",
    "board",
    "call",
    "server_presence",
]


class BadTopicId(ValueError):
    """An id that may not stand in a topic; the configuration that holds it must be corrected."""


@dataclass(frozen=True)
class Topic:
    """A parsed topic: its family and the ids that stand in it (None where the family has none)."""

    family: Family
    hall: str | None = None
    device: str | None = None
    zone: str | None = None
    server: str | None = None


def is_id(text: str) -> bool:
    """True if `text` may stand in a topic: 1–64 of a–z, 0–9 and `-`, no `-` at either end."""
    return _ID.fullmatch(text) is not None


def _checked(text: str) -> str:
    if not is_id(text):
        raise BadTopicId(f"not an id for a topic: {text!r}")
    return text


def _level(text: str) -> str:
    """An id, or the one-level wildcard of a subscription."""
    return text if text == "+" else _checked(text)


def request(hall: str, device: str) -> str:
    """Commands of a device to a hall. `+` as device subscribes to all."""
    return f"{ROOT}/hall/{_level(hall)}/device/{_level(device)}/request"


def journal(hall: str, device: str) -> str:
    """Facts made offline, in order, one at a time."""
    return f"{ROOT}/hall/{_level(hall)}/device/{_level(device)}/journal"


def answer(device: str) -> str:
    """The server's answers, always here, whatever response topic a request names."""
    return f"{ROOT}/device/{_level(device)}/answer"


def presence(device: str) -> str:
    """Birth and will of a device (retained)."""
    return f"{ROOT}/device/{_level(device)}/presence"


def reported(device: str) -> str:
    """Health, supplies and versions as the device reports them (retained)."""
    return f"{ROOT}/device/{_level(device)}/reported"


def desired(device: str) -> str:
    """Configuration that the server wants on the device (retained)."""
    return f"{ROOT}/device/{_level(device)}/desired"


def order(device: str) -> str:
    """Orders to a device: restart, self-test, maintenance."""
    return f"{ROOT}/device/{_level(device)}/order"


def services(hall: str) -> str:
    """Live numbers of the hall's services (retained)."""
    return f"{ROOT}/hall/{_level(hall)}/services"


def board(hall: str, zone: str) -> str:
    """Full snapshot of what the displays of a zone show (retained)."""
    return f"{ROOT}/hall/{_level(hall)}/board/{_level(zone)}"


def call(hall: str, zone: str) -> str:
    """One call: it rings and speaks, and expires after 15 s."""
    return f"{ROOT}/hall/{_level(hall)}/call/{_level(zone)}"


def server_presence(server: str) -> str:
    """Which server leads which hall (retained, with will)."""
    return f"{ROOT}/server/{_level(server)}/presence"


ADDRESSES: dict[Family, str] = {
    "request": f"{ROOT}/hall/{{hall}}/device/{{device}}/request",
    "journal": f"{ROOT}/hall/{{hall}}/device/{{device}}/journal",
    "answer": f"{ROOT}/device/{{device}}/answer",
    "presence": f"{ROOT}/device/{{device}}/presence",
    "reported": f"{ROOT}/device/{{device}}/reported",
    "desired": f"{ROOT}/device/{{device}}/desired",
    "order": f"{ROOT}/device/{{device}}/order",
    "services": f"{ROOT}/hall/{{hall}}/services",
    "board": f"{ROOT}/hall/{{hall}}/board/{{zone}}",
    "call": f"{ROOT}/hall/{{hall}}/call/{{zone}}",
    "server_presence": f"{ROOT}/server/{{server}}/presence",
}
"""Address of each family, with its ids in braces."""

_SHAPES = {
    family: re.compile(re.sub(r"\{(\w+)\}", rf"(?P<\1>{_ID.pattern})", address))
    for family, address in ADDRESSES.items()
}


@lru_cache(maxsize=4096)
def parse(topic: str) -> Topic | None:
    """The family and ids of `topic`, or None if it is not of this tree."""
    for family, shape in _SHAPES.items():
        if found := shape.fullmatch(topic):
            return Topic(family, **found.groupdict())
    return None


@lru_cache(maxsize=4096)
def matches(subscription: str, topic: str) -> bool:
    """True if `topic`, or another subscription in its place, lies within `subscription` (MQTT 5, section 4.7).

    A wildcard in `topic` is only covered by one of at least its width.
    """
    wanted, given = subscription.split("/"), topic.split("/")
    if given[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at == len(given) or given[at] == "#" or level not in ("+", given[at]):
            return False
    return len(wanted) == len(given)
