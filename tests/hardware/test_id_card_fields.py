"""The text on a card, the ID number, and the wiping of both."""

import copy
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import CardWiped
from hardware.id_card.codec import CardBlocks
from hardware.id_card.fields import IdCard, Sex
from hardware.id_card.layouts import PLACES, CardLayout
from hardware.id_card.nations import NATIONS, nation_name
from hardware.id_card.number import NumberKind, birth_date, check_digit, check_number, mask_name, mask_number
from hardware.simulators.id_cards import SAMPLE_CARDS, FictitiousCard

TODAY = date(2026, 11, 21)


def read(card: FictitiousCard) -> IdCard:
    return IdCard(CardBlocks(card.text_block(), card.photo_block(), b""))


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


def test_a_permit_of_hong_kong_macao_and_taiwan_residents_has_its_own_fields():
    card = read(SAMPLE_CARDS[5])
    assert card.layout is CardLayout.HMT_RESIDENT
    assert (card.name, card.sex, card.birth_date) == ("陈港样", Sex.FEMALE, date(1890, 3, 8))
    assert (card.number, card.address) == ("81000018900308002X", "样本省虚构市湾区路66号")
    assert (card.permit_number, card.issue_count, card.issuer) == ("H99999901", "02", "样本市公安局虚构分局")
    assert (card.nation_code, card.nation, card.english_name) == ("", None, "")


def test_a_foreigners_card_of_2017_has_its_own_places():
    card = read(SAMPLE_CARDS[6])
    assert card.layout is CardLayout.FOREIGNER_2017
    assert (card.name, card.english_name, card.nationality) == ("样本", "SAMPLE, JOHANNES MARIA", "ZZZ")
    assert (card.number, card.sex, card.birth_date) == ("ZZZ990118900601", Sex.MALE, date(1890, 6, 1))
    assert (card.valid_from, card.valid_to) == (date(2020, 1, 1), date(2040, 1, 1))
    assert (card.version, card.agency_code) == ("01", "9900")
    assert (card.address, card.issuer, card.nation) == ("", "", None)


def test_a_foreigners_name_of_2023_goes_on_in_its_second_place():
    card = read(SAMPLE_CARDS[7])
    assert card.layout is CardLayout.FOREIGNER_2023
    assert card.english_name == "SPECIMEN WITHLONGNAME, ALEXANDRA VICTORIA ANNE"
    assert card.name == card.english_name, "there is no Chinese name on it"
    assert (card.number, card.nationality, card.issue_count) == ("999010189011050022", "ZZZ", "01")
    assert (card.birth_date, card.former_number_link) == (date(1890, 11, 5), "ABC")
    assert (card.valid_from, card.valid_to) == (date(2020, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize("layout", CardLayout)
def test_no_two_fields_of_a_layout_overlap_and_none_leaves_the_block(layout):
    taken = [byte for places in PLACES[layout].values() for at, size in places for byte in range(at, at + size)]
    assert len(taken) == len(set(taken))
    assert 0 <= min(taken) <= max(taken) < 256
    assert 248 not in taken


PERSONAL = [name for name in dir(IdCard) if isinstance(getattr(IdCard, name), property) and name != "wiped"]


@given(st.binary(min_size=256, max_size=256), st.sampled_from(" IJY"), st.none() | st.binary(max_size=80))
def test_any_text_block_of_any_layout_is_readable(block, mark, newest_address):
    text = block[:248] + mark.encode("utf-16-le") + block[250:]
    card = IdCard(CardBlocks(text, b"", b""), newest_address)
    for name in PERSONAL:
        getattr(card, name)
    assert card.name.isprintable()


FIELD_TEXT = st.text(st.characters(codec="utf-16-le", exclude_categories=("Cs", "Zs", "Cc", "Cn", "Co")), max_size=4)


@given(FIELD_TEXT, FIELD_TEXT, st.dates(), st.sampled_from("0129"))
def test_what_is_written_on_a_card_is_what_is_read_from_it(name, address, birth, sex):
    card = read(FictitiousCard(name, sex, "01", birth, address, "0" * 18))
    assert card.name_bytes.decode("utf-16-le") == name
    assert (card.address, card.sex) == (address, sex)
    assert card.birth_date == birth or birth.year < 1000, "a year is four digits"


@pytest.mark.parametrize(
    ("appended", "address"), [(None, None), (b"", ""), ("新区1号  ".encode("utf-16-le"), "新区1号")]
)
def test_an_appended_address_is_told_from_none_and_from_one_not_read(appended, address):
    card = SAMPLE_CARDS[0]
    assert IdCard(CardBlocks(card.text_block(), b"", b""), appended).newest_address == address


def test_a_character_without_glyph_shows_as_a_box_and_its_original_is_kept():
    card = read(FictitiousCard("王\ue123", "1", "01", date(1990, 1, 1), "", "0" * 18))
    assert card.name == "王□"
    assert card.name_bytes.decode("utf-16-le") == "王\ue123"


def test_a_rare_character_outside_the_basic_plane_stays_itself():
    assert read(FictitiousCard("𬭊", "1", "01", date(1990, 1, 1), "", "0" * 18)).name == "𬭊"


def test_wiping_overwrites_every_byte_and_closes_every_field():
    card = IdCard(CardBlocks(SAMPLE_CARDS[0].text_block(), SAMPLE_CARDS[0].photo_block(), b"f"), b"address!")
    buffers = [card._text, card._photo, card._fingerprint, card._newest_address]
    card.wipe()
    card.wipe()
    assert card.wiped
    assert all(not any(buffer) for buffer in buffers)
    for name in PERSONAL:
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
    for card in SAMPLE_CARDS[:5]:
        check = check_number(card.number, TODAY)
        assert check.valid
        assert not check.province_known


def test_the_first_characters_of_a_number_tell_whose_it_is():
    numbers = ("11010519491231002X", *(card.number for card in SAMPLE_CARDS[5:]), "X", "11010519491231002x")
    assert [check_number(number, TODAY).kind for number in numbers] == [
        NumberKind.CITIZEN,
        NumberKind.HMT_RESIDENT,
        NumberKind.FOREIGNER_2017,
        NumberKind.FOREIGNER_2023,
        None,
        None,
    ]
    assert all(check_number(card.number, TODAY).valid for card in SAMPLE_CARDS)


def test_masks_are_as_screens_and_slips_show_them():
    assert mask_name("张三丰") == "张*"
    assert mask_number("320282199001011234") == "3202**********1234"
    assert (mask_name(""), mask_number("12345")) == ("", "*****")
