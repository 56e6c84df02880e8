"""Search by initials, pinyin, digits, words and characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.journeys.search import found, normalise
from tests.kiosk.halls import CATALOGUE, INDEX


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("yldy", "pension"),
        ("YLDY", "pension"),
        ("yanglao", "pension"),
        ("yangld", "pension"),
        ("养老", "pension"),
        ("tuixiu", "pension"),
        ("txj", "pension"),
        ("sb", "social-card"),
        ("shebaoka", "social-card"),
        ("ckfp", "invoice"),
        ("zkfp", "invoice"),
        ("fp", "invoice"),
        ("inv", "invoice"),
        ("12366", "form12"),
        ("１２３", "form12"),
        ("12366zx", "form12"),
        ("claim", "pension"),
    ],
)
def test_finds(typed, first):
    assert found(INDEX, typed)[0] == first


@pytest.mark.parametrize("typed", ["", "  ", "xyz", "yldyslx", "，。"])
def test_finds_nothing(typed):
    assert found(INDEX, typed) == ()


def test_a_beginning_comes_before_a_middle_and_a_name_before_a_keyword():
    assert found(INDEX, "s") == ("social-card", "pension"), "社保卡 begins with it, 养老待遇申领 has it inside"


@given(st.text(max_size=60))
def test_whatever_is_typed_gives_services_of_the_catalogue_once(typed):
    ids = found(INDEX, typed)
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {service.id for service in CATALOGUE.services}
    assert len(normalise(typed)) <= 24


@given(st.sampled_from(CATALOGUE.services), st.data())
def test_every_piece_of_a_chinese_name_finds_it(service, data):
    name = normalise(service.name.zh)
    start = data.draw(st.integers(0, len(name) - 1))
    end = data.draw(st.integers(start + 1, len(name)))
    if name[start:end].isdigit() or not any(c.isdigit() for c in name):
        assert service.id in found(INDEX, name[start:end])
