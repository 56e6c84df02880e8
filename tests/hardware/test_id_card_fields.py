"""The text on a card, the ID number, and the wiping of both."""

import copy
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import CardWiped
from hardware.id_card.codec import CardBlocks
from hardware.id_card.fields import CardLayout, IdCard, Sex, UnsupportedCardLayout, parse_card
from hardware.id_card.nations import NATIONS, nation_name
from hardware.id_card.number import birth_date, check_digit, check_number, mask_name, mask_number
from hardware.simulators.id_card_reader import SAMPLE_CARDS, FictitiousCard

TODAY = date(2026, 11, 21)


def read(card: FictitiousCard) -> IdCard:
    parsed = parse_card(CardBlocks(card.text_block(), card.photo_block(), b""))
    assert isinstance(parsed, IdCard)
    return parsed


def test_a_residents_fields_are_read_from_their_places():
    card = read(SAMPLE_CARDS[0])
    assert (card.name, card.sex, card.nation, card.birth_date) == ("张三丰", Sex.MALE, "汉", date(1984, 4, 9))
    assert (card.number, card.address) == (SAMPLE_CARDS[0].number, SAMPLE_CARDS[0].address)
    assert (card.issuer, card.valid_from, card.valid_to) == (
        "样本市公安局虚构分局",
        date(2020, 1, 1),
        date(2040, 1, 1),
    )
    assert card.photo == SAMPLE_CARDS[0].photo_block()


def test_a_card_without_end_is_long_term_and_never_expired():
    card = read(SAMPLE_CARDS[4])
    assert card.is_long_term
    assert card.valid_to is None
    assert not card.is_expired(date(2999, 1, 1))


def test_a_card_is_expired_the_day_after_its_last():
    card = read(SAMPLE_CARDS[0])
    assert not card.is_expired(date(2040, 1, 1))
    assert card.is_expired(date(2040, 1, 2))


def test_an_unknown_nation_code_is_no_error():
    assert read(SAMPLE_CARDS[4]).nation is None
    assert read(SAMPLE_CARDS[4]).nation_code == "77"


def test_the_nation_table_has_all_56_and_the_three_others():
    assert {f"{n:02d}" for n in range(1, 57)} | {"81", "97", "98"} == set(NATIONS)
    assert (nation_name("01"), nation_name("56"), nation_name("99")) == ("汉", "基诺", None)


@pytest.mark.parametrize(
    ("mark", "layout"),
    [("J", CardLayout.HMT_RESIDENT), ("I", CardLayout.FOREIGNER_2017), ("Y", CardLayout.FOREIGNER_2023)],
)
def test_other_layouts_are_named_and_not_read_as_residents(mark, layout):
    card = FictitiousCard(
        "X", "1", "01", date(1990, 1, 1), "", "000000000000000000", valid_to=date(2030, 1, 1), layout_mark=mark
    )
    assert parse_card(CardBlocks(card.text_block(), b"", b"")) == UnsupportedCardLayout(layout)


@given(st.binary(min_size=256, max_size=256))
def test_any_text_block_is_readable_or_named(block):
    parsed = parse_card(CardBlocks(block, b"", b""))
    if isinstance(parsed, IdCard):
        for name in dir(IdCard):
            if not name.startswith("_") and isinstance(getattr(IdCard, name), property):
                getattr(parsed, name)
        assert parsed.name.isprintable()


def test_a_character_without_glyph_shows_as_a_box_and_its_original_is_kept():
    card = read(FictitiousCard("王\ue123", "1", "01", date(1990, 1, 1), "", "0" * 18))
    assert card.name == "王□"
    assert card.name_bytes.decode("utf-16-le") == "王\ue123"


def test_a_rare_character_outside_the_basic_plane_stays_itself():
    assert read(FictitiousCard("𬭊", "1", "01", date(1990, 1, 1), "", "0" * 18)).name == "𬭊"


def test_wiping_overwrites_every_byte_and_closes_every_field():
    card = read(SAMPLE_CARDS[0])
    buffers = [card._text, card._photo, card._fingerprint]
    card.wipe()
    card.wipe()
    assert card.wiped
    assert all(not any(buffer) for buffer in buffers)
    for name in ("name", "number", "address", "photo", "masked_name", "name_bytes"):
        with pytest.raises(CardWiped):
            getattr(card, name)


def test_a_card_shows_nothing_in_its_repr_and_cannot_be_copied():
    card = read(SAMPLE_CARDS[0])
    assert repr(card) == "IdCard(…)"
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            way(card)


def test_the_standards_own_example_has_check_digit_x():
    """GB 11643-1999 gives 11010519491231002X."""
    assert check_digit("11010519491231002") == "X"
    check = check_number("11010519491231002X", TODAY)
    assert check.valid
    assert check.province_known


@given(st.integers(0, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number, place, change):
    digits = f"{number:017d}"
    other = digits[:place] + str((int(digits[place]) + change) % 10) + digits[place + 1 :]
    assert check_digit(digits) != check_digit(other)


@given(st.text(max_size=20))
def test_any_text_can_be_checked(text):
    check_number(text, TODAY)
    birth_date(text)


def test_a_number_born_after_today_or_on_no_day_is_not_valid():
    for born in ("20300101", "19900231"):
        seventeen = f"110105{born}001"
        assert not check_number(seventeen + check_digit(seventeen), TODAY).valid


def test_an_unknown_place_is_advice_only():
    for card in SAMPLE_CARDS:
        check = check_number(card.number, TODAY)
        assert check.valid
        assert not check.province_known


def test_masks_are_as_screens_and_slips_show_them():
    assert mask_name("张三丰") == "张*"
    assert mask_number("320282199001011234") == "3202**********1234"
    assert (mask_name(""), mask_number("12345")) == ("", "*****")
