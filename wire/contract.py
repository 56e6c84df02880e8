"""The contract: which kinds travel on which topics, who sends them, and how the broker treats them.

The guard of incoming messages and the AsyncAPI document are both made from this table.
"""

from dataclasses import dataclass
from typing import Literal

from wire.messages import FACTS, REQUESTS
from wire.topics import Family

CALL_EXPIRY_S = 15
"""A call that was not heard by then is only confusing; the board still shows it."""

Side = Literal["device", "server"]


@dataclass(frozen=True)
class Channel:
    """How one family of topics is used. `expiry_s`: seconds after which an undelivered message is dropped."""

    sender: Side
    kinds: frozenset[str]
    retained: bool
    title: str
    expiry_s: int | None = None


CHANNELS: dict[Family, Channel] = {
    "request": Channel("device", REQUESTS, False, "Commands of a device to a hall; correlation data is the request id"),
    "journal": Channel("device", FACTS, False, "Facts made offline, in order, one at a time"),
    "answer": Channel(
        "server",
        frozenset({"hello_answer", "issue_answer", "help_answer", "fact_answer", "refused"}),
        False,
        "Answers to requests and facts, always on the registered device's own topic",
    ),
    "presence": Channel("device", frozenset({"presence"}), True, "Birth and will of a device"),
    "reported": Channel("device", frozenset({"reported"}), True, "Health, supplies and versions of a device"),
    "desired": Channel("server", frozenset({"desired"}), True, "Configuration that a device shall use"),
    "order": Channel("server", frozenset({"order"}), False, "Orders to a device", expiry_s=60),
    "services": Channel("server", frozenset({"services"}), True, "Live numbers of a hall's services"),
    "board": Channel("server", frozenset({"board"}), True, "Everything that the displays of a zone show"),
    "call": Channel(
        "server", frozenset({"call"}), False, "One call, to ring and to speak; the board is what to show", CALL_EXPIRY_S
    ),
    "server_presence": Channel("server", frozenset({"server_presence"}), True, "Which server leads which hall"),
}
