"""What differs between printers: the table of models, the probe, kept logos, the mouth, and fences without an id."""

import dataclasses
import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture
from PIL import ImageDraw
from pydantic import ValidationError
from typer.testing import CliRunner

from hardware.__main__ import app
from hardware.device import Supervision
from hardware.memory_line import MemoryPeer
from hardware.print_jobs import JobState
from hardware.profile import read as bindings
from hardware.simulators.line import LineFaults
from hardware.simulators.ticket_printer import PrinterModel
from hardware.ticket_printer.codec import automatic_status, status_of
from hardware.ticket_printer.conversation import PrinterTiming
from hardware.ticket_printer.document import Image, Logo, PrintDocument, Text
from hardware.ticket_printer.driver import PrinterOptions
from hardware.ticket_printer.information import (
    FullStatus,
    KeptPictures,
    ask_information,
    full_status,
    information,
    kept_pictures,
    print_kept_picture,
    store_picture,
)
from hardware.ticket_printer.profile import (
    Cutter,
    Fence,
    Identity,
    Presenter,
    PrinterProfile,
    known_models,
    model_profile,
    profile_for,
    settled,
)
from hardware.vocabulary import Detail, Health, Outcome, Supply

SLIP = PrintDocument((Text("样本市政务服务大厅", 2, 2), Text("A036")))
QUICK = PrinterTiming(answer_s=0.4, misses=2, look_interval_s=0.03, not_taken_s=0.3)


def logo():
    picture = Picture.new("1", (64, 32), 1)
    ImageDraw.Draw(picture).rectangle((8, 8, 55, 23), 0)
    return Logo("K1", Image.from_picture(picture))


def test_every_model_of_the_table_is_whole_and_found_by_the_name_it_gives_itself():
    assert {"generic-80mm", "epson-tm-t88", "custom-vkp80"} <= set(known_models())
    assert profile_for(Identity("EPSON", "TM-T88VI")).width_dots == 512
    assert profile_for(Identity("EPSON", "TM-T20III")).cutter is Cutter.PARTIAL
    assert profile_for(Identity("CUSTOM SPA", "VKP80II")).presenter is Presenter.FULL_STATUS
    assert profile_for(Identity("", "")) is None
    assert profile_for(Identity("ACME", "T-1000")) is None


def test_a_fence_that_was_seen_to_work_goes_before_the_table():
    epson = Identity("EPSON", "TM-T20III")
    assert settled(epson, frozenset(Fence)).profile.fence is Fence.PROCESS_ID
    assert settled(epson, frozenset({Fence.PAPER_SENSOR})).profile.fence is Fence.PAPER_SENSOR
    unknown = settled(Identity(), frozenset({Fence.PAPER_SENSOR}))
    assert (unknown.known, unknown.profile.fence) == (False, Fence.PAPER_SENSOR)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"model": "typewriter"}, "generic-80mm"),
        ({"width_dots": 577}, "multiple of 8"),
        ({"roll_mm": 10}, "roll"),
        ({"fence": "hope"}, "process_id"),
        ({"colour": True}, "Extra inputs"),
    ],
)
def test_options_that_fit_no_printer_are_refused_with_what_is_wrong(options, wrong):
    with pytest.raises(ValidationError, match=wrong):
        PrinterOptions.model_validate(options)


def test_options_of_a_profile_go_before_the_models_row():
    profile = PrinterOptions(model="custom-vkp80", roll_mm=150_000, cutter=Cutter.PARTIAL).profile()
    assert (profile.presenter, profile.roll_mm, profile.cutter) == (Presenter.FULL_STATUS, 150_000, Cutter.PARTIAL)
    with pytest.raises(ValueError, match="no 'name'"):
        model_profile("generic-58mm").changed({"name": "other"})


def test_names_are_asked_for_and_read_as_published():
    assert ask_information(67) == bytes.fromhex("1D 49 43")
    assert information(b"\x12\x5fTM-T88V\x00") == "TM-T88V"
    assert information(b"\x5fTM-T8") is None


def test_kept_pictures_are_stored_listed_and_printed_as_published():
    assert print_kept_picture("G1") == bytes.fromhex("1D 28 4C 06 00 30 45 47 31 01 01")
    assert store_picture("G1", 8, 1, b"\x80") == bytes.fromhex("1D 28 4C 0C 00 30 43 30 47 31 01 08 00 01 00 31 80")
    assert store_picture("G1", 2400, 300, bytes(90000)).startswith(bytes.fromhex("1D 38 4C 9B 5F 01 00 30 43 30"))
    assert kept_pictures(b"\x37\x72\x40G1K1\x00") == KeptPictures(frozenset({"G1", "K1"}), more=False)
    assert kept_pictures(b"\x37\x72\x41G1\x00") == KeptPictures(frozenset({"G1"}), more=True)
    for wrong in ("", "G", "G12", "\x01a", "é1"):
        with pytest.raises(ValueError, match="printable"):
            store_picture(wrong, 8, 1, b"\0")


def test_the_mouths_status_is_read_as_published():
    """Custom KPM150 manual, DLE EOT 20: paper, user, recoverable, unrecoverable."""
    assert full_status(bytes.fromhex("10 0F 20 00 00 00")) == FullStatus(True, False, False, Detail.NONE)
    assert full_status(bytes.fromhex("10 0F 05 02 00 00")).detail is Detail.COVER_OPEN
    assert full_status(bytes.fromhex("10 0F 05 00 00 00")) == FullStatus(False, True, True, Detail.PAPER_OUT)
    assert full_status(bytes.fromhex("10 0F 00 00 40 00")).detail is Detail.PAPER_JAM
    assert full_status(bytes.fromhex("10 0F 00 00 00 01")).detail is Detail.CUTTER_ERROR
    assert full_status(bytes.fromhex("10 0F 00 00 00")) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_no_more_than_an_answer_that_is_not_there(data):
    for read in (information, kept_pictures, full_status):
        read(data)
    assert full_status(data + bytes.fromhex("10 0F 20 00 00 00")).slip_in_mouth
    assert information(data.replace(b"\x5f", b"") + b"\x5fX\x00") == "X"


@given(st.tuples(*[st.integers(0, 255)] * 4).map(bytes))
def test_automatic_status_means_what_the_same_answers_to_questions_mean(frame):
    status = automatic_status(frame)
    assert (status.detail is Detail.COVER_OPEN) <= bool(frame[0] & 0x20)
    assert (status.supplies["paper"] is Supply.OUT) == bool(frame[2] & 0x0C)
    if frame[0] & 0x08 or frame[1] & 0x6C:
        assert status.health is Health.FAULT


def test_the_captured_automatic_status_of_an_idle_printer_is_ok():
    """`14 00 00 0F` was captured from a printer; byte 4 varies."""
    assert automatic_status(bytes.fromhex("14 00 00 0F")) == status_of({1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12})


@pytest.mark.parametrize("knows_process_id", [True, False])
def test_a_probe_finds_the_model_and_the_fences_that_work(bench, soon, knows_process_id):
    model = PrinterModel("EPSON", "TM-T88VI", "20.10", knows_process_id=knows_process_id)
    simulator = bench.tcp_printer_simulator(model=model)
    probed = bench.printer(simulator.address).identify(soon()).result(20)
    assert (probed.identity.model, probed.known, probed.profile.width_dots) == ("TM-T88VI", True, 512)
    assert probed.profile.fence is (Fence.PROCESS_ID if knows_process_id else Fence.PAPER_SENSOR)


def test_the_command_line_prints_what_a_profile_needs_for_the_printer_at_an_address(bench):
    model = PrinterModel("EPSON", "TM-T88VI", "20.10", knows_process_id=False)
    simulator = bench.tcp_printer_simulator(model=model)
    asked = CliRunner().invoke(app, ["printer-model", simulator.address])
    assert asked.exit_code == 0
    (binding,) = bindings(tomllib.loads(asked.output)["devices"], bench.folder)
    assert (binding.options.profile().name, binding.options.profile().fence) == ("epson-tm-t88", Fence.PAPER_SENSOR)
    simulator.set_faults(cover_open=True)
    assert CliRunner().invoke(app, ["printer-model", simulator.address]).exit_code == 1
    assert CliRunner().invoke(app, ["printer-model", "parallel:1"]).exit_code == 64


def test_a_probe_of_a_silent_or_faulty_printer_finds_nothing_and_guesses_nothing(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address)
    simulator.set_faults(paper_out=True)
    assert printer.identify(soon()).result(20) is None
    simulator.clear_faults()
    simulator.line.set_faults(LineFaults(silent=True))
    assert printer.identify(soon()).result(20) is None


def test_a_printer_without_names_is_a_generic_one(bench, soon):
    simulator = bench.tcp_printer_simulator(model=PrinterModel("", "", ""))
    probed = bench.printer(simulator.address).identify(soon()).result(20)
    assert (probed.known, probed.profile, probed.fences) == (False, PrinterProfile(), frozenset(Fence))


def test_a_logo_is_drawn_from_the_printers_own_memory_once_it_is_kept_and_sent_before(bench, soon):
    simulator = bench.tcp_printer_simulator()
    profile = dataclasses.replace(model_profile("epson-tm-t20"), near_end_mm=1000)
    printer = bench.printer(simulator.address, profile=profile)
    document = PrintDocument((logo(),))
    taken = []
    simulator.line.call(lambda: None)
    before = simulator.line._taken
    assert printer.print(document, soon()).result(20).outcome is Outcome.DONE
    taken.append(simulator.line._taken - before)
    assert printer.store_logo(logo(), soon()).result(20) is Outcome.DONE
    before = simulator.line._taken
    assert printer.print(document, soon()).result(20).outcome is Outcome.DONE
    taken.append(simulator.line._taken - before)
    first, second = (Picture.open(slip.path) for slip in simulator.slips)
    ink = [(x, y) for x in range(64) for y in range(32) if 8 <= x <= 55 and 8 <= y <= 23]
    assert len(ink) == 768
    for slip in (first, second):
        assert slip.convert("L").point(lambda g: 255 - g).histogram()[255] == 768, "the logo, dot by dot"
    assert taken[1] < taken[0] - 200, "the picture itself was not sent again"
    printer.close()
    again = bench.printer(simulator.address, profile=profile)
    assert again.ask_status(soon()).result(20).health is Health.OK
    before = simulator.line._taken
    assert again.print(document, soon()).result(20).outcome is Outcome.DONE
    assert simulator.line._taken - before < taken[0] - 200, "a new start asks the printer what it keeps"


def test_a_printer_that_keeps_no_pictures_says_so_and_the_logo_is_sent(bench, soon):
    simulator = bench.tcp_printer_simulator(model=PrinterModel(keeps_pictures=False))
    kept = PrinterProfile(stored_logos=True)
    printer = bench.printer(simulator.address, profile=kept)
    assert printer.store_logo(logo(), soon()).result(20) is Outcome.UNKNOWN
    assert printer.print(PrintDocument((logo(),)), soon()).result(20).outcome is Outcome.DONE
    assert bench.printer("memory:nobody").store_logo(logo(), soon()).result(20) is Outcome.DEVICE_FAULT


@pytest.fixture
def kiosk(bench):
    """A printer with a mouth, and its driver."""
    simulator = bench.tcp_printer_simulator(model=PrinterModel(has_mouth=True, knows_process_id=False))
    return simulator, bench.printer(simulator.address, profile=model_profile("custom-vkp80"), timing=QUICK)


def test_a_slip_that_is_taken_from_the_mouth_is_told_and_one_that_hangs_there_too_long_too(kiosk, soon, wait_until):
    simulator, printer = kiosk
    assert printer.capabilities.tells_taken
    states = []
    assert printer.print(SLIP, soon(), on_state=states.append).result(20).outcome is Outcome.DONE
    wait_until(lambda: printer.status.detail is Detail.SLIP_NOT_TAKEN)
    assert printer.status.health is Health.DEGRADED
    assert states[-1] is JobState.PRINTED
    simulator.take_slip()
    wait_until(lambda: states[-1] is JobState.TAKEN)
    wait_until(lambda: printer.status.health is Health.OK)


def test_a_slip_pushed_out_by_the_next_one_is_never_called_taken(kiosk, soon):
    _, printer = kiosk
    first = []
    assert printer.print(SLIP, soon(), on_state=first.append).result(20).outcome is Outcome.DONE
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert first[-1] is JobState.PRINTED


def test_a_printer_without_a_mouth_tells_nothing_of_taking(bench, soon):
    assert not bench.printer(bench.tcp_printer_simulator().address).capabilities.tells_taken


def test_a_clones_no_paper_answer_to_the_fence_is_no_proof(bench, soon):
    clone = PrinterModel(knows_process_id=False, ordered_without_paper=True)
    simulator = bench.tcp_printer_simulator(model=clone)
    printer = bench.printer(simulator.address, profile=PrinterProfile(fence=Fence.PAPER_SENSOR))
    simulator.set_faults(paper_out_after=1)
    result = printer.print(SLIP, soon()).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.PAPER_OUT)


class LateClone:
    """A clone whose first fence is answered late, while the second slip is stuck: `GS r` has no id of its own."""

    def __init__(self, peer_name):
        self.peer = MemoryPeer(peer_name, self.take)
        self._since = b""
        self._fences = 0

    def take(self, data):
        self._since += data
        while (found := re.search(rb"\x10\x04[\x01-\x04]|\x1d\x72\x01", self._since)) is not None:
            before, self._since = self._since[: found.start()], self._since[found.end() :]
            if found[0].startswith(b"\x10"):
                self.peer.send(b"\x12")
                continue
            self._fences += 1
            if self._fences == 2:
                self.peer.send(b"\x00")  # at last, the first slip's
                if b"\x1b\x40" not in before:
                    self.peer.send(b"\x00")  # and this one's own, where no slip is stuck before it


def test_an_old_fences_late_answer_is_not_taken_for_the_next_slips(bench, soon):
    clone = LateClone("late-clone")
    printer = bench.printer(clone.peer.address, profile=PrinterProfile(fence=Fence.PAPER_SENSOR))
    assert printer.print(SLIP, soon(0.6)).result(20).state is JobState.UNKNOWN
    assert printer.print(SLIP, soon(1.2)).result(20).state is JobState.UNKNOWN
    clone.peer.unplug()


def test_after_a_jam_a_person_clears_the_printer_and_it_prints_again(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address)
    simulator.set_faults(cutter_error=True)
    assert printer.print(SLIP, soon()).result(20).detail is Detail.CUTTER_ERROR
    assert printer.print(SLIP, soon()).result(20).state is JobState.FAILED
    assert printer.recover(soon()).result(20).health is Health.OK
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE


def test_changes_told_by_the_printer_itself_name_the_cause_while_a_fence_is_awaited(bench, soon):
    simulator = bench.tcp_printer_simulator()
    simulator.set_faults(silent_questions=frozenset({2, 3, 4}))
    printer = bench.printer(simulator.address, profile=PrinterProfile(automatic_status=True))
    simulator.set_faults(silent_questions=frozenset())
    assert printer.ask_status(soon()).result(20).health is Health.OK
    simulator.set_faults(paper_out_after=1, silent_questions=frozenset({1, 2, 3, 4}))

    def stay_silent(state):
        if state is JobState.PREFLIGHT:
            simulator.set_faults(silent_questions=frozenset())
        if state is JobState.SENDING:
            simulator.set_faults(paper_out_after=1, silent_questions=frozenset({1, 2, 3, 4}))

    result = printer.print(SLIP, soon(1.5), on_state=stay_silent).result(20)
    assert (result.state, result.detail) == (JobState.UNKNOWN, Detail.PAPER_OUT)


def test_a_model_without_a_knife_gets_no_cut(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address, profile=PrinterProfile(cutter=Cutter.NONE))
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert simulator.slips == []
    assert simulator.uncut


def test_a_printer_that_tells_changes_itself_is_heard_at_once_without_being_asked(bench, wait_until):
    simulator = bench.tcp_printer_simulator()
    profile = PrinterProfile(automatic_status=True)
    rarely = Supervision(probe_interval_s=600)
    printer = bench.printer(simulator.address, profile=profile, supervision=rarely)
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.set_faults(cover_open=True)
    wait_until(lambda: printer.status.detail is Detail.COVER_OPEN)
    assert printer.status.health is Health.FAULT


def test_a_listening_driver_opens_an_idle_connection_again_that_the_printer_dropped(bench, soon, wait_until):
    simulator = bench.tcp_printer_simulator()
    rarely = Supervision(probe_interval_s=600)
    told = []
    printer = bench.printer(
        simulator.address, profile=PrinterProfile(automatic_status=True), supervision=rarely, on_event=told.append
    )
    wait_until(lambda: printer.status.health is Health.OK)
    simulator.line.drop_connection()
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    assert {event.status.health for event in told} <= {Health.UNKNOWN, Health.OK}
