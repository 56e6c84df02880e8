"""The published contract: not stale, whole, and the same as what the programs check."""

import subprocess
import sys
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.wire import conformance
from tools import asyncapi, wire_examples
from wire.contract import CHANNELS
from wire.messages import BODIES
from wire.topics import ADDRESSES, Family


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    return []


def resolve(reference: str) -> Any:
    assert reference.startswith("#/")
    part: Any = conformance.document()
    for name in reference[2:].split("/"):
        part = part[name]
    return part


def test_the_document_is_not_stale() -> None:
    assert asyncapi.TARGET.read_text(encoding="utf-8") == asyncapi.document(), "run python -m tools.asyncapi"


def test_a_stale_document_is_noticed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "asyncapi.yaml"
    stale.write_text(asyncapi.document().replace("retain: true", "retain: false", 1), encoding="utf-8")
    monkeypatch.setattr(asyncapi, "TARGET", stale)
    monkeypatch.setattr(sys, "argv", ["asyncapi", "--check"])
    assert asyncapi.main() == 1
    monkeypatch.setattr(sys, "argv", ["asyncapi"])
    assert asyncapi.main() == 0
    monkeypatch.setattr(sys, "argv", ["asyncapi", "--check"])
    assert asyncapi.main() == 0


def test_the_check_runs_as_a_command() -> None:
    subprocess.run([sys.executable, "-m", "tools.asyncapi", "--check"], check=True, cwd=asyncapi.TARGET.parent.parent)


def test_the_document_is_plain_yaml_without_anchors() -> None:
    text = asyncapi.document()
    assert yaml.safe_load(text) == asyncapi.contract()
    assert not any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))


def test_it_has_the_parts_that_asyncapi_3_requires() -> None:
    document = conformance.document()
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(document["info"])
    assert set(document) <= {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    for channel in document["channels"].values():
        assert set(channel) <= {"address", "title", "description", "messages", "parameters"}
        named = {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")}
        assert named == set(channel["parameters"])
    for operation in document["operations"].values():
        assert {"action", "channel"} <= set(operation)
        assert operation["action"] in {"send", "receive"}
        own = set(resolve(operation["channel"]["$ref"])["messages"])
        prefix = operation["channel"]["$ref"] + "/messages/"
        assert {message["$ref"].removeprefix(prefix) for message in operation["messages"]} == own
        assert operation["bindings"]["mqtt"]["qos"] == 1


def test_every_reference_leads_somewhere() -> None:
    found = references(conformance.document())
    assert len(found) > 60
    for reference in found:
        assert resolve(reference)


def test_every_schema_is_a_schema() -> None:
    for name, schema in conformance.document()["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object", name


def test_every_topic_and_every_kind_is_there() -> None:
    document = conformance.document()
    assert {name: channel["address"] for name, channel in document["channels"].items()} == ADDRESSES
    assert set(document["components"]["messages"]) == set(BODIES)
    assert {kind for channel in CHANNELS.values() for kind in channel.kinds} == set(BODIES)


def test_calls_expire_and_truth_is_retained() -> None:
    operations = conformance.document()["operations"]
    assert operations["sendCall"]["bindings"]["mqtt"]["messageExpiryInterval"] == 15
    retained = {name for name, operation in operations.items() if operation["bindings"]["mqtt"]["retain"]}
    assert retained == {
        "receivePresence",
        "receiveReported",
        "sendDesired",
        "sendServices",
        "sendBoard",
        "sendServerPresence",
    }


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_example_fits_its_own_schema_and_no_other_topic(kind: str) -> None:
    (example,) = conformance.document()["components"]["messages"][kind]["examples"]
    assert list(conformance.validator(kind).iter_errors(example["payload"])) == []
    for family, channel in CHANNELS.items():
        topic = address(family)
        assert (conformance.fault(topic, wire_examples.payload(kind)) is None) == (kind in channel.kinds)


def address(family: Family) -> str:
    return ADDRESSES[family].format(hall="h1", device="t1", zone="z1", server="s1")


@pytest.mark.parametrize(
    ("topic", "payload", "part"),
    [
        ("estation/1/elsewhere", b"{}", "not in the contract"),
        (address("board"), b"{", "not JSON"),
        (address("board"), b"[]", "not allowed"),
        (address("call"), b"", "not JSON"),
        (address("order"), wire_examples.payload("order").replace(b"self_test", b"dance"), "enum"),
        (address("request"), wire_examples.payload("issue").replace(b'"id"', b'"no"'), "required"),
    ],
)
def test_a_payload_outside_the_contract_is_found(topic: str, payload: bytes, part: str) -> None:
    assert part in (conformance.fault(topic, payload) or "")


def test_an_empty_payload_may_delete_retained_truth() -> None:
    assert conformance.fault(address("board"), b"") is None


def test_fields_and_messages_say_what_they_are() -> None:
    components = conformance.document()["components"]
    assert components["schemas"]["IssueAnswer"]["properties"]["follow_url"]["description"].startswith("Address of")
    assert components["messages"]["issue"]["summary"] == "Take a number for a service."
