"""Printers on USB: endpoints found by their descriptors, the kernel's driver put aside, and every way to lose one."""

import errno
import os
import time

import pytest
import usb.core
from hypothesis import given
from hypothesis import strategies as st

from hardware import usb_line
from hardware.addresses import UsbAddress, UsbLpAddress, parse_address
from hardware.errors import BadAddress, LineLost, LineStalled
from hardware.print_jobs import JobState
from hardware.simulators.line import LineFaults, PtyLine
from hardware.simulators.usb_bus import UsbBus, UsbPrinterLine
from hardware.ticket_printer.document import PrintDocument, QrCode, Text
from hardware.usb_line import UsbLine, find_usb_printers, open_printer_line
from hardware.vocabulary import Detail, Health, Outcome

SLIP = PrintDocument((Text("样本市政务服务大厅", 2, 2), QrCode("https://hall.example/t/1")))
FAULTS = {"no access": errno.EACCES, "cable": errno.EIO, "gone": errno.ENODEV, "stalled": errno.EPIPE}


@pytest.fixture
def bus():
    bus = UsbBus()
    usb_line.use_backend(bus)
    yield bus
    usb_line.use_backend(None)


@pytest.fixture
def line(bus):
    return UsbPrinterLine(bus)


def test_a_slip_is_printed_over_the_bulk_endpoints_and_the_kernel_gets_its_printer_back(bench, bus, line, soon):
    simulator = bench.printer_simulator(line)
    printer = bench.printer(line.address)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert "样本市政务服务大厅" in simulator.slips[0].text
    assert not bus.kernel_driver_attached(line)
    printer.close()
    assert bus.kernel_driver_attached(line)


def test_printers_on_the_bus_are_listed_with_serial_number_and_what_they_say_of_themselves(bench, bus, line, tmp_path):
    bench.printer_simulator(line)
    (tmp_path / "lp0").touch()
    first, second = find_usb_printers(tmp_path)
    assert str(first.address) == line.address == "usb:04b8:0e15:J7KF012345"
    assert first.description == ""  # the kernel's driver holds the interface: it is not taken away for a question
    assert second.address == UsbLpAddress(str(tmp_path / "lp0"))
    held = open_printer_line(line.address)()
    bus.enumerate_devices()[0].claimed_by = None
    assert next(iter(find_usb_printers(tmp_path))).description.startswith("MFG:EPSON;")
    held.close()


def test_of_two_alike_the_one_with_the_serial_number_is_opened(bench, bus, soon):
    lines = [UsbPrinterLine(bus, serial=serial) for serial in ("AAA", "BBB")]
    for end in lines:
        end.start(lambda data, end=end: end.send(end.address.encode()))
    opened = open_printer_line("usb:04b8:0e15:BBB")()
    opened.write(b"?", soon())
    assert opened.read_available(soon()) == b"usb:04b8:0e15:BBB"
    opened.close()
    for end in lines:
        end.close()


def test_what_another_program_holds_is_refused_and_what_is_not_there_is_lost(bench, bus, line):
    bench.printer_simulator(line)
    first = UsbLine(parse_address(line.address))
    with pytest.raises(LineLost, match="EBUSY"):
        UsbLine(parse_address(line.address))
    first.close()
    first.close()
    with pytest.raises(LineLost, match="not on the bus"):
        UsbLine(UsbAddress(0x1234, 0x5678))
    with pytest.raises(LineLost, match="closed"):
        first.read_available(0)


def test_pulled_out_in_the_middle_is_unknown_and_after_replugging_the_next_slip_prints(
    bench, bus, line, soon, wait_until
):
    simulator = bench.printer_simulator(line)
    printer = bench.printer(line.address)
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.line.set_faults(LineFaults(unplug_after_taken=60))
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.LINE_LOST)
    wait_until(lambda: printer.status.health is Health.OFFLINE)
    simulator.clear_faults()
    simulator.line.plug()
    assert bus.kernel_driver_attached(line), "a device that comes back is taken by the kernel again"
    wait_until(lambda: printer.status.health is Health.OK)
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE


def test_a_printer_that_takes_nothing_more_is_stalled_with_the_count_of_what_it_took(bench, bus, line, soon):
    bench.printer_simulator(line)
    line.set_faults(LineFaults(busy=True))
    opened = UsbLine(parse_address(line.address))
    with pytest.raises(LineStalled) as stalled:
        opened.write(bytes(1_000_000), soon(0.3))
    assert 0 < stalled.value.written < 1_000_000
    opened.close()


def broken(number):
    def call(*args):
        raise usb.core.USBError(os.strerror(number), None, number)

    return call


@pytest.mark.parametrize("number", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("call", ["bulk_read", "bulk_write"])
def test_every_error_of_an_open_printer_is_one_lost_line(bus, line, monkeypatch, number, call):
    line.start(lambda _: None)
    opened = UsbLine(parse_address(line.address))
    monkeypatch.setattr(bus, call, broken(number))
    use = {"bulk_read": opened.read_available, "bulk_write": lambda deadline: opened.write(b"x", deadline)}
    with pytest.raises(LineLost):
        use[call](time.monotonic() + 5)
    monkeypatch.undo()
    opened.close()
    UsbLine(parse_address(line.address)).close()
    line.close()


@pytest.mark.parametrize("number", FAULTS.values(), ids=FAULTS)
def test_every_error_of_opening_is_one_lost_line_and_the_next_try_may_succeed(bus, line, monkeypatch, number):
    line.start(lambda _: None)
    monkeypatch.setattr(bus, "claim_interface", broken(number))
    with pytest.raises(LineLost):
        UsbLine(parse_address(line.address))
    monkeypatch.undo()
    UsbLine(parse_address(line.address)).close()
    line.close()


def test_a_machine_without_libusb_says_so_and_lists_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("usb.backend.libusb1.get_backend", lambda: None)
    monkeypatch.setattr("usb.core.find", lambda **_: (_ for _ in ()).throw(usb.core.NoBackendError("none")))
    with pytest.raises(LineLost):
        UsbLine(UsbAddress(0x04B8, 0x0E15))
    assert list(find_usb_printers(tmp_path)) == []


def test_the_kernels_own_printer_node_is_a_line_too(bench, soon, tmp_path):
    simulator = bench.printer_simulator(PtyLine(tmp_path / "lp0"))
    printer = bench.printer(f"usblp:{tmp_path / 'lp0'}")
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert len(simulator.slips) == 1
    assert bench.printer(f"usblp:{tmp_path / 'lp9'}").print(SLIP, soon()).result(20).detail is Detail.LINE_LOST


def test_an_empty_packet_from_the_kernels_node_is_nothing_said_not_a_lost_line(tmp_path, soon):
    (tmp_path / "lp0").write_bytes(b"")
    opened = open_printer_line(f"usblp:{tmp_path / 'lp0'}")()
    assert opened.read_available(soon()) == b""
    opened.close()


@given(st.text(max_size=30))
def test_any_usb_address_is_understood_or_named_wrong(text):
    for scheme in ("usb", "usblp"):
        try:
            address = parse_address(f"{scheme}:{text}")
        except BadAddress:
            continue
        assert parse_address(str(address)) == address
