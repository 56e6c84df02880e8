"""The port to a maker's photo library, with libraries compiled here: they follow the call, and fail as real ones do."""

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import BadAddress, PhotoNotDecoded
from hardware.events import ignore
from hardware.id_card.photo import BMP_SIZE, PIXELS_SIZE, PhotoLibrary, PixelOrder, VendorPhotoDecoder, bitmap
from hardware.profile import BadProfile, bind
from hardware.roles import Role

SOURCES = {
    "pixels": "for (int i = 0; i < 102 * 126 * 3; i++) out[i] = in[i % 1024] ^ option; return 1;",
    "picture": "out[0] = 'B'; out[1] = 'M'; out[38861] = in[1023]; return 1;",
    "refuses": "return -3;",
    "crashes": "*(volatile int *)0 = 1; return 1;",
    "hangs": "for (;;) pause();",
    "prints": 'printf("decoding\\n"); fflush(stdout); out[0] = 7; return 1;',
}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    made = {}
    for name, body in SOURCES.items():
        source = folder / f"{name}.c"
        source.write_text(
            f"#include <stdio.h>\n#include <unistd.h>\nint unpack(char *in, char *out, int option) {{ {body} }}\n"
        )
        made[name] = folder / f"lib{name}.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-w", "-o", made[name], source], check=True)
    return made


PHOTO = bytes(range(256)) * 4


def test_a_library_gives_pixels_and_the_port_a_bmp(libraries):
    picture = VendorPhotoDecoder(PhotoLibrary(libraries["pixels"], option=0x55))(PHOTO)
    assert len(picture) == BMP_SIZE == 38862
    assert struct.unpack("<2sI", picture[:6]) == (b"BM", 38862)
    assert struct.unpack("<ii", picture[18:26]) == (102, 126)
    assert picture[54:57] == bytes(value ^ 0x55 for value in (2, 1, 0)), "a BMP has blue first"


def test_a_library_that_writes_a_whole_picture_is_taken_at_its_word(libraries):
    picture = VendorPhotoDecoder(PhotoLibrary(libraries["picture"]))(PHOTO)
    assert (picture[:2], picture[-1:], len(picture)) == (b"BM", PHOTO[-1:], BMP_SIZE)


def test_what_a_library_prints_is_not_taken_for_pixels(libraries):
    assert VendorPhotoDecoder(PhotoLibrary(libraries["prints"]))(PHOTO)[56] == 7


@pytest.mark.parametrize("name", ["refuses", "crashes", "hangs"])
def test_a_library_that_fails_costs_one_photo_and_no_terminal(libraries, name):
    decoder = VendorPhotoDecoder(PhotoLibrary(libraries[name], timeout_s=0.5))
    with pytest.raises(PhotoNotDecoded):
        decoder(PHOTO)


@pytest.mark.parametrize("symbol", ["no_such_function"])
def test_a_library_without_the_function_gives_no_picture(libraries, symbol):
    with pytest.raises(PhotoNotDecoded):
        VendorPhotoDecoder(PhotoLibrary(libraries["pixels"], symbol=symbol))(PHOTO)


def test_a_library_that_is_not_there_is_a_fault_of_the_profile():
    with pytest.raises(BadAddress):
        VendorPhotoDecoder(PhotoLibrary(Path("/nowhere/libwlt.so")))


@given(st.binary(max_size=1023))
def test_a_photo_of_another_size_never_reaches_the_library(photo):
    decoder = object.__new__(VendorPhotoDecoder)
    with pytest.raises(PhotoNotDecoded):
        decoder(photo)


def test_a_reader_has_the_decoder_that_its_profile_names_and_none_by_itself(libraries):
    for options, there in (({}, False), ({"photo_library": libraries["pixels"]}, True)):
        reader = bind(Role.ID_CARD_READER, "sam-v", "serial:/nowhere", **options).open(ignore)
        try:
            assert reader.capabilities.photo is there
            assert (reader.photo_decoder is not None) is there
        finally:
            reader.close()


def test_a_profile_with_a_library_that_is_not_there_is_refused():
    with pytest.raises(BadProfile, match="no photo library"):
        bind(Role.ID_CARD_READER, "sam-v", "serial:/nowhere", photo_library=Path("/nowhere/libwlt.so")).open(ignore)


def test_rows_can_come_from_the_top_and_with_blue_first():
    pixels = b"\x01\x02\x03" * 102 + bytes(PIXELS_SIZE - 306)
    picture = bitmap(pixels, PixelOrder.BGR, bottom_up=False)
    assert picture[54 + 125 * 308 :][:3] == b"\x01\x02\x03"
