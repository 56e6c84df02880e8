"""The kiosk session owns a person's data, and nothing holds it after the wipe."""

import gc
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.id_card.codec import CardBlocks
from hardware.id_card.fields import IdCard
from kiosk.session import KioskSession, SessionWiped
from wire.person_key import BadHallKey, canonical, person_key

KEY = bytes(range(32))


def card(name: str, number: str) -> IdCard:
    text = "".join(field.ljust(size) for field, size in ((name, 15), ("", 46), (number, 18), ("", 49)))
    return IdCard(CardBlocks(text=text.encode("utf-16-le"), photo=bytes(1024), fingerprint=b""))


def holders(*texts: str) -> list[object]:
    """Every object that the collector knows which holds one of the texts, as text or bytes."""
    wanted = [needle for text in texts for needle in (text, text.encode(), text.encode("utf-16-le"))]
    gc.collect()
    tracked = gc.get_objects()
    readable: dict[int, object] = {}
    for begins in range(0, len(tracked), 10_000):
        held = gc.get_referents(*tracked[begins : begins + 10_000])
        # a weak proxy of a library whose object is gone raises when asked what it is
        kinds = {kind for kind in set(map(type, held)) if issubclass(kind, str | bytes | bytearray)}
        readable |= {id(one): one for one in held if type(one) in kinds}
        del held
    hits = [one for one in readable.values() if any(_is_in(needle, one) for needle in wanted)]
    found = gc.get_referrers(*hits)
    own = {id(wanted), id(texts), id(hits), id(readable)}
    return [holder for holder in found if id(holder) not in own and not _of_this_test(holder)]


def _is_in(needle: str | bytes, held: object) -> bool:
    if isinstance(needle, str):
        return isinstance(held, str) and needle in held
    return isinstance(held, bytes | bytearray) and needle in held


def _of_this_test(holder: object) -> bool:
    """Frames and cells of the test itself, which made the texts."""
    return type(holder).__name__ in ("frame", "coroutine", "generator") or holder is globals()


def fictitious() -> tuple[str, str]:
    """Made when asked, so that no constant of the code holds them."""
    return "".join(map(chr, (0x6B27, 0x9633, 0x6D4B))), "".join(map(str, (3, 2, 0, 2, 9, 9))) + "19870615" + "4217"


def test_a_taken_card_is_wiped_and_the_session_knows_the_person_masked():
    read = card("张三丰", "11010519491231002X")
    session = KioskSession(1)
    session.take(read, KEY)
    assert read.wiped
    assert (session.masked_name, session.masked_number) == ("张*", "1101**********002X")
    assert session.person_key == person_key("11010519491231002X", KEY)
    assert "张" not in repr(session)


def test_nothing_holds_a_person_after_the_wipe():
    session = KioskSession(1)
    session.take(card(*fictitious()), KEY)
    key = session.person_key
    assert key is not None
    assert session.document_number == fictitious()[1]
    assert holders(*fictitious(), key), "the search itself must be able to find a holder"
    key_text = "".join(reversed(key))
    del key
    session.wipe()
    assert holders(*fictitious(), "".join(reversed(key_text))) == []


def test_a_wiped_session_gives_and_takes_nothing():
    session = KioskSession(1)
    session.wipe()
    session.wipe()
    late = card("李四", "11010519491231002X")
    with pytest.raises(SessionWiped):
        session.take(late, KEY)
    assert late.wiped
    with pytest.raises(SessionWiped):
        _ = session.person_key


def test_a_session_is_neither_pickled_nor_copied():
    with pytest.raises(TypeError):
        pickle.dumps(KioskSession(1))


def test_a_bad_hall_key_still_wipes_the_card():
    read = card("张三丰", "11010519491231002X")
    with pytest.raises(BadHallKey):
        KioskSession(1).take(read, b"short")
    assert read.wiped


@given(st.sampled_from(["11010519491231002X", " 110105 19491231 002x ", "１１０１０５１９４９１２３１００２Ｘ"]))
def test_one_person_has_one_key_however_the_number_is_spelled(spelling):
    assert canonical(spelling) == "11010519491231002X"
    assert person_key(spelling, KEY) == person_key("11010519491231002X", KEY)


def test_another_hall_knows_the_same_person_by_another_key():
    assert person_key("11010519491231002X", KEY) != person_key("11010519491231002X", bytes(32))
    assert len(person_key("11010519491231002X", KEY)) == 64
