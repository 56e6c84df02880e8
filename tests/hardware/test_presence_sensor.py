"""The presence sensor: its codec on the data sheet's bytes and on noise, its driver against the simulated sensor."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.device import Supervision
from hardware.events import PresenceChanged, StatusChanged
from hardware.presence_sensor.codec import ReadingDecoder
from hardware.presence_sensor.sensor import PresenceSensor, SensorOptions
from hardware.roles import Role
from hardware.simulators.line import PtyLine
from hardware.simulators.presence_sensor import PresenceSensorSimulator
from hardware.vocabulary import Detail, Health, Verdict
from hardware.worker import BackOff

ROLE = Role.PRESENCE_SENSOR


def test_the_data_sheets_example_is_480_millimetres():
    """MaxBotix PD12141 (HRUSB-MaxSonar-EZ), page 3, "Serial Output Format"."""
    assert ReadingDecoder().feed(b"R0480 \r") == [480]


def test_a_reading_without_the_space_is_understood():
    """MaxBotix PD11500 (HRXL-MaxSonar-WR), serial output."""
    assert ReadingDecoder().feed(b"R1234\rR0300\r") == [1234, 300]


@given(st.lists(st.integers(300, 5000), max_size=5), st.data())
def test_readings_survive_any_cutting(distances, data):
    stream = b"".join(b"R%04d \r" % distance for distance in distances)
    decoder, got = ReadingDecoder(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        got += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert got == distances


@given(st.binary(max_size=300))
def test_noise_never_raises_and_costs_one_reading_at_most(noise):
    decoder = ReadingDecoder()
    decoder.feed(noise)
    decoder.feed(b"R1000 \r")
    assert decoder.feed(b"R1001 \r") == [1001]


@pytest.fixture
def simulator(tmp_path):
    simulator = PresenceSensorSimulator(PtyLine(tmp_path / "sensor")).start()
    yield simulator
    simulator.close()


@pytest.fixture
def opened(simulator):
    sensors = []

    def open_sensor(**options):
        heard = []
        sensor = PresenceSensor(
            simulator.address,
            options=SensorOptions(hold_s=0.3, **options),
            on_event=heard.append,
            supervision=Supervision(BackOff(0.02, 0.05), probe_interval_s=0.5),
        )
        sensors.append(sensor)
        return sensor, heard

    yield open_sensor
    for sensor in sensors:
        sensor.close()


def presences(heard):
    return [event.present for event in heard if isinstance(event, PresenceChanged)]


def test_coming_and_leaving_are_told_once_each(simulator, opened, wait_until):
    sensor, heard = opened()
    wait_until(lambda: presences(heard) == [False])
    simulator.stand_at(600)
    wait_until(lambda: presences(heard) == [False, True])
    assert sensor.present is True
    simulator.leave()
    wait_until(lambda: presences(heard) == [False, True, False])


def test_somebody_who_steps_back_a_little_has_not_left(simulator, opened, wait_until):
    sensor, _ = opened(near_mm=1000, far_mm=1400)
    simulator.stand_at(900)
    wait_until(lambda: sensor.present is True)
    simulator.stand_at(1300)
    until = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > until)  # three times what would do beyond 1400 mm
    assert sensor.present is True
    simulator.stand_at(1500)
    wait_until(lambda: sensor.present is False)


@pytest.mark.parametrize("faults", [{"letters_for_digits": True}, {"no_end": True}], ids=str)
def test_a_sensor_that_says_nothing_sensible_is_unknown_and_nobody_is_guessed(simulator, opened, wait_until, faults):
    sensor, heard = opened()
    wait_until(lambda: sensor.status.health is Health.OK)
    simulator.set_faults(**faults)
    wait_until(lambda: (sensor.status.health, sensor.status.detail) == (Health.UNKNOWN, Detail.NO_ANSWER))
    assert sensor.present is None
    simulator.clear_faults()

    def healths():
        return [event.status.health for event in heard if isinstance(event, StatusChanged)]

    wait_until(lambda: len(healths()) >= 3)
    assert healths() == [Health.OK, Health.UNKNOWN, Health.OK]


def test_the_self_test_wants_somebody_before_the_sensor(simulator, opened, soon):
    sensor, _ = opened()
    report = sensor.self_test(time.monotonic() + 0.5).result(20)
    assert [(step.name, step.verdict) for step in report.steps] == [
        ("reading", Verdict.PASS),
        ("somebody_seen", Verdict.UNKNOWN),
    ]
    assert report.verdict is Verdict.UNKNOWN
    simulator.help_self_test()
    assert sensor.self_test(soon()).result(20).verdict is Verdict.PASS


def test_a_sensor_that_is_not_there_fails_its_self_test(simulator, opened, soon, wait_until):
    sensor, _ = opened()
    simulator.unplug()
    wait_until(lambda: sensor.status.health is Health.OFFLINE)
    (step,) = sensor.self_test(soon()).result(20).steps
    assert (step.verdict, step.detail) == (Verdict.FAIL, Detail.LINE_LOST)
