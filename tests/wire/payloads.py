"""Strategies for payloads: whatever the contract's schemas allow, by kind."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from tests.wire.conformance import document
from wire.messages import MAX_INTEGER

JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_TEXT, inner, max_size=3),
    max_leaves=6,
)
INSTANT = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30)).map(lambda at: at.replace(tzinfo=UTC).isoformat())  # noqa: DTZ001 - made UTC here


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows; knows what the models use and no more."""
    if "$ref" in schema:
        found = st.deferred(lambda: values(document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]))
    elif "anyOf" in schema:
        found = st.one_of([values(option) for option in schema["anyOf"]])
    elif "const" in schema or "enum" in schema:
        found = st.sampled_from(schema["enum"] if "enum" in schema else [schema["const"]])
    else:
        found = _OF_TYPE[schema.get("type")](schema)
    return found


def _strings(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return INSTANT
    if schema.get("format") == "date":
        return st.dates(date(1970, 1, 2), date(9998, 12, 30)).map(date.isoformat)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(lambda text: not text.endswith("\n"))
    return st.text(
        st.characters(exclude_categories=["Cs"]),
        min_size=schema.get("minLength", 0),
        max_size=min(schema.get("maxLength", 30), 30),
    )


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = schema.get("properties", {})
    if not fields:
        more = schema.get("additionalProperties", True)
        return st.dictionaries(JSON_TEXT, JSON_VALUE if more is True else values(more), max_size=3)
    required = set(schema.get("required", ()))
    known = st.fixed_dictionaries(
        {name: values(part) for name, part in fields.items() if name in required},
        optional={name: values(part) for name, part in fields.items() if name not in required},
    )
    unknown = st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), JSON_VALUE, max_size=2)
    return st.builds(lambda one, two: {**two, **one}, known, unknown)


_OF_TYPE: dict[str | None, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "string": _strings,
    "integer": lambda schema: st.integers(schema.get("minimum", -MAX_INTEGER), schema.get("maximum", MAX_INTEGER)),
    "number": lambda schema: st.floats(schema.get("minimum"), 1e12, allow_nan=False),
    "array": lambda schema: st.lists(values(schema["items"]), max_size=3),
    "object": _objects,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
    None: lambda _: JSON_VALUE,
}


def messages_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Whole messages of `kind`, unknown fields included."""
    envelope, narrowed = document()["components"]["messages"][kind]["payload"]["allOf"]
    whole = values(envelope)
    return st.builds(
        lambda outer, inner: {**outer, **inner},
        whole,
        st.fixed_dictionaries({name: values(part) for name, part in narrowed["properties"].items()}),
    )


def as_bytes(value: Any) -> bytes:
    """JSON as any other program might write it."""
    return json.dumps(value, ensure_ascii=False).encode()
