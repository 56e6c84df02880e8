"""The bundle: what a terminal loads of its hall over HTTP, addressed by its content's SHA-256."""

import json
from dataclasses import dataclass
from hashlib import sha256

from queue_server.hall import HallConfiguration, configuration_to_json
from queue_server.hall.canonical import canonical

FIELDS = (
    "revision",
    "name",
    "time_zone",
    "zones",
    "groups",
    "queues",
    "services",
    "counters",
    "hours",
    "priority_classes",
    "notice",
    "passed_rule",
)
"""What terminals need of the configuration, under the names that it has there."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """`body` is UTF-8 JSON; `sha256` in hex is its address."""

    revision: int
    sha256: str
    body: bytes

    @property
    def path(self) -> str:
        """Where it is served, below the server's public address."""
        return f"/bundles/{self.sha256}.json"


def build(hall: str, configuration: HallConfiguration) -> Bundle:
    """The bundle of a configuration; equal configurations give equal bytes."""
    whole = json.loads(configuration_to_json(configuration))
    content = {"hall": hall, "takes_appointments": bool(configuration.slot_plans)}
    body = canonical(content | {name: whole[name] for name in FIELDS}).encode()
    return Bundle(configuration.revision, sha256(body).hexdigest(), body)
