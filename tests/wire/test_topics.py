"""Topics: built and read back, and nothing that is not an id gets into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import topics
from wire.topics import ADDRESSES, BadTopicId, Family, Topic, is_id, matches, parse

IDS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True)
LEVEL = st.sampled_from(["a", "b", "c", "+"])
BUILDERS = {
    "request": ("hall", "device"),
    "journal": ("hall", "device"),
    "answer": ("device",),
    "presence": ("device",),
    "reported": ("device",),
    "desired": ("device",),
    "order": ("device",),
    "services": ("hall",),
    "board": ("hall", "zone"),
    "call": ("hall", "zone"),
    "server_presence": ("server",),
}


def test_every_family_has_a_builder_and_an_address() -> None:
    assert set(BUILDERS) == set(ADDRESSES)


@given(st.sampled_from(sorted(BUILDERS)), st.data())
def test_a_topic_is_read_back_as_it_was_built(family: Family, data: st.DataObject) -> None:
    ids = {name: data.draw(IDS) for name in BUILDERS[family]}
    built = getattr(topics, family)(**ids)
    assert parse(built) == Topic(family, **ids)
    assert built == ADDRESSES[family].format(**ids)


@pytest.mark.parametrize(
    "bad", ["", "-", "a-", "-a", "A", "a b", "a/b", "#", "a+", "大厅", "a" * 65, "a\n", "$sys", "a.b"]
)
def test_what_is_no_id_gets_into_no_topic(bad: str) -> None:
    assert not is_id(bad)
    for family, names in BUILDERS.items():
        with pytest.raises(BadTopicId):
            getattr(topics, family)(*[bad] * len(names))


@given(st.text(max_size=40))
def test_any_text_is_a_topic_of_the_tree_or_none(text: str) -> None:
    assert parse(text) is None
    assert parse(f"{topics.ROOT}/device/{text}/order") is None or is_id(text)


def test_a_subscription_is_no_topic() -> None:
    assert parse(topics.request("h1", "+")) is None


@pytest.mark.parametrize(
    ("subscription", "topic", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("+", "a", True),
        ("+", "", True),
        ("a/+", "a/", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/+", "a/#", False),
        ("a/+", "a/+", True),
        ("a/b", "a/+", False),
        ("a/#", "a/+/#", True),
        ("a/+/#", "a/#", False),
    ],
)
def test_wildcards_cover_what_mqtt_says(subscription: str, topic: str, expected: bool) -> None:
    assert matches(subscription, topic) is expected


@given(
    st.lists(LEVEL, min_size=1, max_size=4),
    st.lists(LEVEL, min_size=1, max_size=4),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
)
def test_what_lies_within_a_subscription_is_covered_by_it(wide: list[str], narrow: list[str], topic: list[str]) -> None:
    outer, inner, text = "/".join(wide), "/".join(narrow), "/".join(topic)
    if matches(outer, inner) and matches(inner, text):
        assert matches(outer, text)
