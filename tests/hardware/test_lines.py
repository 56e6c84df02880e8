"""Lines of every kind: exclusive opening, deadlines, and the one error for a line that vanished."""

import contextlib
import os
import socket
import time

import pytest

from hardware.addresses import MemoryAddress, SerialAddress, TcpAddress, parse_address
from hardware.errors import LineLost, LineStalled
from hardware.lines import open_line
from hardware.memory_line import MemoryPeer
from hardware.simulators.line import PtyLine, TcpServerLine


@pytest.fixture(params=["pty", "tcp", "memory"])
def far_end(request, tmp_path):
    """A far end that sends back what it gets."""
    if request.param == "memory":
        peer = MemoryPeer("far-end", lambda data: peer.send(data))  # noqa: PLW0108 - it knows itself only when called
        yield peer
        peer.unplug()
        return
    line = PtyLine(tmp_path / "line") if request.param == "pty" else TcpServerLine()
    line.start(line.send)
    yield line
    line.close()


def opened(far_end):
    return open_line(parse_address(far_end.address))


def test_a_host_that_no_name_can_be_is_a_line_that_is_not_there():
    with pytest.raises(LineLost):
        open_line(TcpAddress("a..b", 9100))


def test_bytes_go_both_ways(far_end, soon):
    line = opened(far_end)
    line.write(b"\x00\x11\x13\r\n\xff", soon())
    got = b""
    while len(got) < 6:
        got += line.read_available(soon())
    assert got == b"\x00\x11\x13\r\n\xff"
    line.close()
    line.close()


def test_reading_nothing_ends_at_the_deadline(far_end):
    line = opened(far_end)
    assert line.read_available(time.monotonic() + 0.02) == b""
    line.close()


def test_a_serial_line_is_held_by_one_program_only(tmp_path):
    far = PtyLine(tmp_path / "line")
    far.start(far.send)
    line = opened(far)
    with pytest.raises(LineLost):
        opened(far)
    line.close()
    opened(far).close()
    far.close()


def test_a_vanished_line_is_one_error_in_reading_and_writing(far_end, soon):
    line = opened(far_end)
    line.write(b"x", soon())
    line.read_available(soon())
    far_end.unplug()
    with pytest.raises(LineLost):
        line.read_available(soon())
    # A TCP peer that is gone is noticed by the second write at the latest, since the first one may still be taken.
    with contextlib.suppress(LineLost):
        line.write(b"x", soon())
    with pytest.raises(LineLost):
        line.write(b"x", soon())
    line.close()
    with pytest.raises(LineLost):
        line.read_available(soon())
    with pytest.raises(LineLost):
        opened(far_end)


def test_a_line_that_takes_nothing_tells_how_much_it_took(tmp_path):
    controller, device = os.openpty()
    line = open_line(SerialAddress(os.ttyname(device)))
    with pytest.raises(LineStalled) as stalled:
        line.write(bytes(1_000_000), time.monotonic() + 0.05)
    assert 0 <= stalled.value.written < 1_000_000
    line.close()
    os.close(controller)
    os.close(device)


def test_a_refused_connection_is_a_lost_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LineLost):
        open_line(TcpAddress("127.0.0.1", port))


def test_a_memory_line_is_held_once_stalls_and_comes_back(soon):
    heard = []
    peer = MemoryPeer("desk", heard.append)
    line = open_line(MemoryAddress("desk"))
    with pytest.raises(LineLost):
        open_line(MemoryAddress("desk"))
    peer.taking = False
    with pytest.raises(LineStalled) as stalled:
        line.write(b"abc", time.monotonic() + 0.02)
    assert stalled.value.written == 0
    peer.taking = True
    line.write(b"abc", soon())
    assert heard == [b"abc"]
    peer.unplug()
    with pytest.raises(LineLost):
        line.read_available(soon())
    peer.plug()
    again = open_line(MemoryAddress("desk"))
    peer.send(b"back")
    assert again.read_available(soon()) == b"back"
    again.close()
    peer.unplug()
