"""How many slips are left: counted in millimetres, corrected by the sensors, kept over restarts."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hardware.print_jobs import PrintJobStore
from hardware.ticket_printer import forecast
from hardware.ticket_printer.document import Feed, PrintDocument, Text
from hardware.ticket_printer.profile import PrinterProfile
from hardware.vocabulary import Detail, Health, Outcome, Supply

SLIP = PrintDocument((Text("A036", 4, 4), Feed(40)))


def look(roll, before, now, *, cover_open=False):
    return forecast.after_look(roll, before, now, cover_open=cover_open, length_mm=80_000, near_end_mm=3_000)


@given(st.lists(st.floats(50, 300), max_size=60))
def test_the_forecast_never_rises_by_printing_and_never_falls_below_nought(slips):
    roll = forecast.Roll(3_000)
    for mm in slips:
        after = forecast.after_paper(roll, mm, whole_slip=False)
        assert 0 <= after.slips_left <= roll.slips_left
        roll = after


@given(st.lists(st.tuples(st.sampled_from(Supply), st.booleans()), max_size=30), st.floats(0, 200_000))
def test_any_looks_leave_a_roll_with_paper_between_nothing_and_all(looks, used):
    roll, before = forecast.Roll(80_000, used), Supply.UNKNOWN
    for now, cover_open in looks:
        roll, before = look(roll, before, now, cover_open=cover_open), now
        assert 0 <= roll.left_mm <= 80_000
    assert forecast.roll_of(roll.counters(), 80_000).left_mm == roll.left_mm


def test_the_near_end_sensor_corrects_a_wrong_count_either_way():
    for used in (0.0, 79_999.0):
        assert look(forecast.Roll(80_000, used), Supply.OK, Supply.LOW).left_mm == 3_000


def test_a_sensor_that_flickers_is_no_new_roll_but_an_opened_cover_between_is():
    roll = look(forecast.Roll(80_000, 70_000), Supply.OK, Supply.LOW)
    roll = forecast.after_paper(roll, 100, whole_slip=True)
    assert look(roll, Supply.LOW, Supply.OK).left_mm == 2_900
    opened = look(roll, Supply.LOW, Supply.LOW, cover_open=True)
    assert look(opened, Supply.LOW, Supply.OK).left_mm == 80_000


def test_paper_after_none_is_a_new_roll_and_a_partly_used_one_shows_by_its_sensor():
    out = look(forecast.Roll(80_000, 79_000, near_end_seen=True), Supply.LOW, Supply.OUT)
    assert out.slips_left == 0
    assert look(out, Supply.OUT, Supply.OK).left_mm == 80_000
    assert look(out, Supply.OUT, Supply.LOW).left_mm == 3_000


def test_the_mean_follows_the_slips_that_are_printed_now():
    roll = forecast.Roll(80_000)
    for _ in range(100):
        roll = forecast.after_paper(roll, 200, whole_slip=True)
    assert 195 < roll.mean_slip_mm <= 200


def test_paper_is_counted_as_the_printer_fed_it(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address, profile=PrinterProfile(roll_mm=2_000, near_end_mm=0))
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    used = 2_000 - printer._paper_roll().left_mm
    assert abs(used - simulator.paper_used_mm) < 1


def test_few_slips_left_is_told_without_a_near_end_sensor_and_over_a_restart(bench, tmp_path, soon, wait_until):
    simulator = bench.tcp_printer_simulator()
    profile = PrinterProfile(roll_mm=6_900, near_end_mm=0, near_end_sensor=False)
    store = PrintJobStore(tmp_path / "jobs.sqlite3", lambda: datetime.now(UTC))
    printer = bench.printer(simulator.address, profile=profile, jobs=store)
    wait_until(lambda: printer.status.health is Health.OK)
    assert printer.status.levels["slips"] == 62
    assert printer.print(SLIP, soon()).result(20).outcome is Outcome.DONE
    left = printer.ask_status(soon()).result(20)
    assert (left.health, left.detail, left.supplies["paper"]) == (Health.DEGRADED, Detail.PAPER_LOW, Supply.LOW)
    printer.close()
    store.close()
    store = PrintJobStore(tmp_path / "jobs.sqlite3", lambda: datetime.now(UTC))
    printer = bench.printer(simulator.address, profile=profile, jobs=store)
    wait_until(lambda: printer.status.levels == left.levels)
    assert printer.roll_loaded(soon()).result(20) is Outcome.DONE
    assert printer.status.health is Health.OK
    printer.close()
    store.close()


def test_a_roll_changed_behind_an_open_cover_is_a_new_one(bench, soon):
    simulator = bench.tcp_printer_simulator()
    printer = bench.printer(simulator.address)
    simulator.set_faults(paper_out=True)
    assert printer.ask_status(soon()).result(20).levels["slips"] == 0
    simulator.set_faults(cover_open=True)
    assert printer.ask_status(soon()).result(20).detail is Detail.COVER_OPEN
    simulator.set_faults(paper_out=False)
    assert printer.ask_status(soon()).result(20).detail is Detail.COVER_OPEN
    simulator.set_faults(cover_open=False)
    assert printer.ask_status(soon()).result(20).levels["slips"] > 700
