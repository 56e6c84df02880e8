"""A pytest plugin: every payload that a link in this process publishes keeps `docs/asyncapi.yaml`.

Tests that send other bytes on purpose say so with `@pytest.mark.free_payloads`. For payloads seen elsewhere, on the
line of a real program for example, use `fault`.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from wire import topics
from wire.connecting import ConnectingLink
from wire.port import Outgoing, Receipt

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"


@cache
def document() -> dict[str, Any]:
    """The contract as it is committed."""
    loaded: dict[str, Any] = yaml.load(DOCUMENT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@cache
def validator(kind: str) -> Draft202012Validator:
    """Checks a whole payload of `kind`."""
    registry: Registry[Any] = Registry().with_resource("doc:", DRAFT202012.create_resource(document()))
    return Draft202012Validator({"$ref": f"doc:#/components/messages/{kind}/payload"}, registry=registry)


def fault(topic: str, payload: bytes) -> str | None:
    """What is wrong with a payload on this topic; None if nothing is. An empty one deletes retained truth."""
    parsed = topics.parse(topic)
    if parsed is None:
        return f"{topic} is not in the contract"
    channel = document()["channels"][parsed.family]
    operations = [op for op in document()["operations"].values() if op["channel"]["$ref"].endswith(f"/{parsed.family}")]
    if not payload and operations[0]["bindings"]["mqtt"]["retain"]:
        return None
    try:
        value = json.loads(payload)
    except ValueError:
        return f"{topic}: not JSON"
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in channel["messages"]:
        return f"{topic}: kind {kind!r} is not allowed there"
    errors = [f"{topic}: {error.json_path}: {error.validator}" for error in validator(kind).iter_errors(value)]
    return "; ".join(errors) or None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "free_payloads: publishes bytes that are no messages, on purpose")


@pytest.fixture(autouse=True)
def every_payload_keeps_the_contract(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in which a link published what the contract does not allow."""
    if request.node.get_closest_marker("free_payloads"):
        yield
        return
    faults: list[str] = []
    publish = ConnectingLink.publish

    async def checked(self: ConnectingLink, message: Outgoing) -> Receipt:
        retained = topics.parse(message.topic)
        if found := fault(message.topic, message.payload):
            faults.append(found)
        elif retained is not None and message.retain != is_retained(retained.family):
            faults.append(f"{message.topic}: retain is {message.retain}")
        return await publish(self, message)

    monkeypatch.setattr(ConnectingLink, "publish", checked)
    yield
    assert not faults, faults


def is_retained(family: topics.Family) -> bool:
    """Whether the contract keeps messages of this family on the broker."""
    return any(
        operation["bindings"]["mqtt"]["retain"]
        for operation in document()["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{family}"
    )
