"""Addresses of a profile: understood, written back the same, and refused with what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.addresses import (
    InputAddress,
    IppAddress,
    MemoryAddress,
    NutAddress,
    PcscAddress,
    SerialAddress,
    SoundAddress,
    TcpAddress,
    UsbAddress,
    VideoAddress,
    parse_address,
    parse_line_address,
    scheme_of,
)
from hardware.errors import BadAddress

UNDERSTOOD = [
    ("serial:/dev/pts/3?baud=9600", SerialAddress("/dev/pts/3", 9600)),
    ("serial:/dev/serial/by-id/usb-x", SerialAddress("/dev/serial/by-id/usb-x", 115200)),
    ("serial:/dev/ttyS0?baud=19200&parity=even&stop=2", SerialAddress("/dev/ttyS0", 19200, "even", 2)),
    ("tcp:127.0.0.1:9100", TcpAddress("127.0.0.1", 9100)),
    ("tcp:[::1]:9100", TcpAddress("::1", 9100)),
    ("memory:bench", MemoryAddress("bench")),
    ("usb:0416:5011", UsbAddress(0x0416, 0x5011)),
    ("usb:04b8:0e15:583246:59", UsbAddress(0x04B8, 0x0E15, "583246:59")),
    ("pcsc:ACS ACR39U ICC Reader 00 00", PcscAddress("ACS ACR39U ICC Reader 00 00")),
    ("video:/dev/v4l/by-id/usb-cam-video-index0", VideoAddress("/dev/v4l/by-id/usb-cam-video-index0")),
    ("input:/dev/input/by-id/usb-scanner-event-kbd", InputAddress("/dev/input/by-id/usb-scanner-event-kbd")),
    ("ipp://192.0.2.8/printers/a4", IppAddress("192.0.2.8", 631, "/printers/a4")),
    ("ipps://[2001:db8::1]:8631/ipp/print", IppAddress("2001:db8::1", 8631, "/ipp/print", encrypted=True)),
    ("nut:cabinet@127.0.0.1", NutAddress("cabinet", "127.0.0.1", 3493)),
    ("nut:cabinet@ups.example:13493", NutAddress("cabinet", "ups.example", 13493)),
    ("sound:default", SoundAddress("default")),
]
REFUSED = [
    "",
    "usb:1",
    "usb:0416:50z1",
    "usb:0416:5011:",
    "usb:+416:5011",
    "usb:0x16:5011",
    "serial:/dev/tty\x00",
    "tcp:host\n:9100",
    "lpt:1",
    "serial:ttyS0",
    "serial:/dev/x?baud=7",
    "serial:/dev/x?baud=",
    "serial:/dev/x?speed=9600",
    "serial:/dev/x?baud=fast",
    "serial:/dev/x?parity=mark",
    "serial:/dev/x?stop=3",
    "tcp:host",
    "tcp::9100",
    "tcp:host:0",
    "tcp:host:99999",
    "tcp:host:9１00",
    "memory:",
    "pcsc:",
    "pcsc:*",
    "video:webcam",
    "input:keyboard",
    "ipp://192.0.2.8",
    "ipp://user:secret@192.0.2.8/ipp/print",
    "ipp://192.0.2.8:port/ipp",
    "nut:@host",
    "nut:cabinet",
    "sound:",
]


@pytest.mark.parametrize(("text", "address"), UNDERSTOOD)
def test_addresses_are_understood_and_written_back(text, address):
    assert parse_address(text) == address
    assert parse_address(str(address)) == address
    assert scheme_of(address) == text.partition(":")[0]


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_address_is_refused_and_quoted(text):
    with pytest.raises(BadAddress) as caught:
        parse_address(text)
    assert repr(text) in str(caught.value)


def test_a_line_is_wanted_where_bytes_are_spoken():
    assert parse_line_address("tcp:127.0.0.1:9100") == TcpAddress("127.0.0.1", 9100)
    with pytest.raises(BadAddress, match="serial"):
        parse_line_address("video:/dev/video0")


@given(
    st.text(max_size=60)
    | st.sampled_from(UNDERSTOOD)
    .map(lambda pair: pair[0])
    .flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut] + "/" + text[cut:]))
)
def test_no_text_breaks_the_parser(text):
    try:
        address = parse_address(text)
    except BadAddress:
        return
    assert parse_address(str(address)) == address
