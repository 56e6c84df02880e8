"""What is said to chip cards and understood of them, without any reader: commands, TLV, both kinds of card."""

import copy
import gc
import pickle
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import CardUnreadable, CardWiped
from hardware.id_card.fields import Sex
from hardware.simulators.chip_cards import SAMPLE_HOLDERS, BankChip, Holder, SocialSecurityChip
from hardware.smart_card.apdu import MAX_ROUNDS, SW_NONE, exchange, select, with_le
from hardware.smart_card.bank_card import PPSE, PSE, BankCard, mask_account, read_bank_card
from hardware.smart_card.social_security import SSSE, SocialSecurityCard, parse_record, read_social_security_card
from hardware.smart_card.tlv import find, find_all, parse, tags_and_lengths

HOLDER = SAMPLE_HOLDERS[0]


class Wire:
    """A chip on a wire of its own, with what went over it."""

    def __init__(self, card) -> None:
        self._card = card
        self.commands = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command.hex(" ").upper())
        return self._card.answer(command)


class Script:
    """A chip that answers whatever is drawn."""

    def __init__(self, answers) -> None:
        self._answers = iter(answers)
        self.asked = 0

    def transmit(self, command: bytes) -> bytes:
        self.asked += 1
        return next(self._answers, b"")


# --- commands ----------------------------------------------------------------------------------------------------


def test_the_application_of_social_security_is_selected_by_its_published_command():
    """https://blog.csdn.net/zz_bubble/article/details/106245384"""
    assert select(SSSE) == bytes.fromhex("00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF")
    assert SSSE.decode("gbk") == "sx1.sh.社会保障"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (PPSE, "00 A4 04 00 0E 32 50 41 59 2E 53 59 53 2E 44 44 46 30 31"),
        (PSE, "00 A4 04 00 0E 31 50 41 59 2E 53 59 53 2E 44 44 46 30 31"),
    ],
)
def test_the_directories_of_bank_cards_are_selected_by_their_published_commands(name, command):
    assert select(name) == bytes.fromhex(command)


def test_an_answer_behind_61_is_fetched_and_joined():
    chip = Script([b"ab" + b"\x61\x05", b"cd" + b"\x61\x01", b"e\x90\x00"])
    response = exchange(chip, b"\x00\xa4\x04\x00")
    assert (response.data, response.ok) == (b"abcde", True)


def test_61_and_6c_are_carried_out_by_their_exact_commands():
    wire = Wire(SocialSecurityChip(HOLDER, fetches=True, exact=True))
    assert exchange(wire, select(SSSE)).ok
    assert wire.commands[1:] == ["00 C0 00 00 13"]
    exchange(wire, bytes.fromhex("00 A4 02 00 02 EF 06"))
    assert exchange(wire, bytes.fromhex("00 B2 08 00 00")).ok
    assert wire.commands[-2:] == ["00 B2 08 00 00", "00 B2 08 00 14"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("00 A4 04 00", "00 A4 04 00 07"),  # nothing but a head
        ("00 B2 01 04 00", "00 B2 01 04 07"),  # a length was asked for
        ("00 A4 04 00 02 3F 00", "00 A4 04 00 02 3F 00 07"),  # data, no length
        ("00 A4 04 00 02 3F 00 10", "00 A4 04 00 02 3F 00 07"),  # data and a length
    ],
)
def test_a_length_replaces_one_or_is_added(command, expected):
    assert with_le(bytes.fromhex(command), 7) == bytes.fromhex(expected)


@given(st.lists(st.binary(max_size=20)))
def test_any_answers_end_an_exchange(answers):
    chip = Script(answers)
    response = exchange(chip, b"\x00\xb2\x01\x04\x00")
    assert chip.asked <= MAX_ROUNDS
    assert response.sw == SW_NONE or response.sw >> 8 not in (0x61, 0x6C)


def test_a_card_that_never_stops_is_given_up():
    chip = Script([b"\x61\x10"] * 1000)
    assert exchange(chip, b"\x00\xb2\x01\x04\x00").sw == SW_NONE
    assert chip.asked == MAX_ROUNDS


# --- TLV ---------------------------------------------------------------------------------------------------------

TAGS = st.sampled_from([(0x5A, False), (0x84, False), (0x9F38, False), (0x6F, True), (0xA5, True), (0xBF0C, True)])


def encoded(tag: int, value: bytes) -> bytes:
    size = len(value)
    length = (
        bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else bytes([0x82, size >> 8, size & 255])
    )
    return tag.to_bytes(2 if tag > 0xFF else 1) + length + value


OBJECTS = st.recursive(
    st.builds(lambda value: encoded(0x5F24, value), st.binary(max_size=300)),
    lambda inner: st.builds(
        lambda tag, items: encoded(tag[0], b"".join(items)), TAGS.filter(lambda t: t[1]), st.lists(inner)
    ),
    max_leaves=6,
)


@given(TAGS, st.binary(max_size=600))
def test_an_object_written_is_the_object_read(tag, value):
    (item,) = parse(encoded(tag[0], value))
    assert (item.tag, item.constructed, item.value) == (tag[0], tag[1], value)


@given(st.lists(OBJECTS, max_size=4), st.integers(0, 3))
def test_nested_objects_are_found_at_any_depth_in_order(objects, padding):
    marked = encoded(0x6F, encoded(0xA5, encoded(0x4F, b"mark")))
    data = b"".join(objects) + bytes(padding) + marked
    assert list(find_all(data, 0x4F)) == [b"mark"]


@given(st.binary(max_size=300))
def test_random_bytes_are_tlv_or_nothing(data):
    parse(data)
    list(find_all(data, 0x4F))
    tags_and_lengths(data)


def test_deep_nesting_comes_to_an_end():
    data = b"\x5a\x00"
    for _ in range(60):
        data = encoded(0x6F, data)
    assert find(data, 0x5A) is None


# --- social security cards ---------------------------------------------------------------------------------------


def test_a_social_security_card_is_read_by_the_published_commands():
    """a7082633/HDOS_VC6 HD_XJDLL.cpp, yxsylyh/hiquotion_cpp SIDCardOperation.cpp"""
    wire = Wire(SocialSecurityChip(HOLDER))
    read_social_security_card(wire)
    assert wire.commands == [
        "00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF",
        "00 A4 02 00 02 EF 05",
        "00 B2 01 00 12",
        "00 B2 05 00 06",
        "00 B2 06 00 06",
        "00 B2 07 00 0B",
        "00 A4 02 00 02 EF 06",
        "00 B2 08 00 14",
        "00 B2 09 00 20",
        "00 B2 0A 00 03",
        "00 B2 0B 00 03",
        "00 B2 0C 00 05",
        "00 B2 0D 00 06",
    ]


@pytest.mark.parametrize(
    "habits",
    [{}, {"fetches": True}, {"exact": True}, {"by_tag": False}, {"by_tag": False, "exact": True, "fetches": True}],
    ids=str,
)
def test_a_card_of_any_habit_gives_the_same_fields(habits):
    card = read_social_security_card(Wire(SocialSecurityChip(SAMPLE_HOLDERS[1], **habits)))
    assert (card.name, card.number, card.sex) == ("黄蓉", "99010119910715028X", Sex.FEMALE)
    assert (card.birth_date, card.nation, card.birthplace_code) == (date(1991, 7, 15), "汉", "990101")
    assert (card.card_number, card.issue_date, card.valid_to) == ("B99000002", date(2019, 1, 1), date(2039, 1, 1))
    assert card.card_identification == "99010100000000012019010199999999"


@pytest.mark.parametrize(("tag", "field", "empty"), [(0x0D, "birth_date", None), (0x07, "card_number", "")])
def test_a_record_that_is_missing_is_an_empty_field(tag, field, empty):
    card = read_social_security_card(Wire(SocialSecurityChip(HOLDER).without(tag)))
    assert getattr(card, field) == empty
    assert card.name == HOLDER.name


@pytest.mark.parametrize("tag", [0x08, 0x09])
def test_a_card_without_number_or_name_is_unreadable(tag):
    with pytest.raises(CardUnreadable):
        read_social_security_card(Wire(SocialSecurityChip(HOLDER).without(tag)))


@pytest.mark.parametrize("read", [read_social_security_card, read_bank_card])
def test_a_card_that_gives_no_status_word_is_unreadable_and_not_of_another_kind(read):
    with pytest.raises(CardUnreadable):
        read(Script([]))


def test_a_bank_card_is_no_social_security_card_and_the_other_way_round():
    assert read_social_security_card(Wire(BankChip())) is None
    assert read_bank_card(Wire(SocialSecurityChip(HOLDER))) is None


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"\xb0\xa2\xb7\xb2\xcc\xe1\xa1\xa4\xd1\xf9\xb1\xbe", "阿凡提·样本"),
        ("张三".encode("gbk") + b"   ", "张三"),
        ("张三".encode("gbk") + b"\x00rest", "张三"),
    ],
)
def test_names_are_gbk_padded_by_zeros_or_spaces(raw, name):
    assert SocialSecurityCard({9: raw}).name == name


@given(st.binary(max_size=40))
def test_a_record_is_tag_and_value_or_nothing(data):
    record = parse_record(data)
    assert record is None or len(record[1]) == data[1]


@given(st.lists(st.one_of(st.binary(max_size=40), st.builds(lambda d: d + b"\x90\x00", st.binary(max_size=40)))))
def test_a_chip_that_answers_anything_gives_a_card_or_a_reason(answers):
    for read in (read_social_security_card, read_bank_card):
        try:
            card = read(Script([b"\x90\x00", *answers]))
        except CardUnreadable:
            continue
        if isinstance(card, SocialSecurityCard):
            for name in PERSONAL:
                getattr(card, name)


PERSONAL = [
    name
    for name in dir(SocialSecurityCard)
    if isinstance(getattr(SocialSecurityCard, name), property) and name != "wiped"
]
HOLDERS = st.builds(
    Holder,
    name=st.text(st.characters(codec="gbk", min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=15),
    number=st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True),
    sex=st.sampled_from("129"),
    nation=st.from_regex(r"[0-9]{2}", fullmatch=True),
    birth=st.dates(date(1900, 1, 1)).map(lambda day: f"{day:%Y%m%d}"),
)


@given(HOLDERS)
def test_what_is_written_on_a_card_is_what_is_read_from_it(holder):
    card = read_social_security_card(Wire(SocialSecurityChip(holder)))
    assert (card.name, card.number, card.sex, card.nation_code) == (
        holder.name,
        holder.number,
        holder.sex,
        holder.nation,
    )
    assert f"{card.birth_date:%Y%m%d}" == holder.birth


def test_wiping_a_social_security_card_overwrites_every_byte_and_closes_every_field():
    card = read_social_security_card(Wire(SocialSecurityChip(HOLDER)))
    buffers = list(card._records.values())
    card.wipe()
    card.wipe()
    assert card.wiped
    assert not any(any(buffer) for buffer in buffers)
    for name in PERSONAL:
        with pytest.raises(CardWiped):
            getattr(card, name)


@pytest.mark.parametrize(
    ("kind", "content"), [(SocialSecurityCard, {8: b"secret"}), (BankCard, b"620000*********0017")]
)
def test_a_card_shows_nothing_in_its_repr_and_cannot_be_copied(kind, content):
    card = kind(content)
    assert repr(card) == f"{type(card).__name__}(…)"
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            way(card)


# --- bank cards --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "habits",
    [
        {},
        {"contactless": True},
        {"contactless": True, "fetches": True},
        {"directory": False},
        {"track2": True},
        {"fetches": True, "track2": True},
    ],
    ids=str,
)
def test_a_bank_cards_number_is_found_wherever_it_stands_and_only_masked(habits):
    card = read_bank_card(Wire(BankChip("6200009900000000017", **habits)))
    assert card.masked_number == "620000*********0017"


def test_the_options_of_a_bank_card_are_asked_for_with_all_that_it_wants():
    wire = Wire(BankChip(contactless=True))
    read_bank_card(wire)
    assert "80 A8 00 00 12 83 10 26 00 00 00 00 00 00 00 00 00 01 56 00 00 00 00" in wire.commands


def test_neither_number_nor_track_2_is_kept_anywhere():
    account = "6200131415926535897"
    card = read_bank_card(Wire(BankChip(account, track2=True)))
    gc.collect()
    kept = [thing for thing in gc.get_objects() if issubclass(type(thing), bytearray | BankCard)]
    assert card in [thing for thing in kept if isinstance(thing, BankCard)]
    assert not any(account.encode() in bytes(thing) for thing in kept if isinstance(thing, bytearray))
    assert bytes(card._masked_number) == b"620013*********5897"
    card.wipe()
    assert not any(card._masked_number)
    with pytest.raises(CardWiped):
        _ = card.masked_number


@given(st.binary(max_size=24))
def test_a_masked_number_shows_ten_digits_at_most(value):
    masked = mask_account(value)
    assert masked is None or sum(chr(c).isdigit() for c in masked) == 10
    assert masked is None or 12 <= len(masked) <= 19


@given(st.from_regex(r"[0-9]{12,19}", fullmatch=True), st.sampled_from(["", "F", "FF", "D2912201F"]))
def test_any_number_is_masked_the_same_with_whatever_stands_behind_it(digits, behind):
    text = digits + behind
    value = bytes.fromhex(text if len(text) % 2 == 0 else text + "F")
    assert mask_account(value) == (digits[:6] + "*" * (len(digits) - 10) + digits[-4:]).encode()
