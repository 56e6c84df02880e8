"""The devices of a profile: bound by role, driver and stable address; whatever is wrong is named with its place."""

import pytest

from hardware.addresses import SerialAddress
from hardware.cabinet import Cabinet
from hardware.drivers import driver, driver_ids
from hardware.id_card.reader import IdCardReader
from hardware.presence_sensor.sensor import PresenceSensor, PresenceSensorCapabilities, SensorOptions
from hardware.profile import BadProfile, bind, load
from hardware.roles import Role
from hardware.simulators.catalogue import simulated_drivers
from hardware.vocabulary import Detail, DeviceStatus, Health

GOOD = """
terminal = "t1"

[devices.presence_sensor]
driver = "maxsonar"
address = "serial:/dev/serial/by-id/usb-MaxBotix?baud=57600"
near_mm = 700

[devices.id_card_reader]
driver = "sam-v"
address = "serial:/dev/serial/by-id/usb-x"
"""


def written(folder, text):
    path = folder / "profile.toml"
    path.write_text(text, "utf-8")
    return path


def test_roles_are_bound_to_drivers_addresses_and_options(tmp_path):
    reader, sensor = load(written(tmp_path, GOOD))
    assert (reader.role, reader.driver.id) == (Role.ID_CARD_READER, "sam-v")
    assert reader.address == SerialAddress("/dev/serial/by-id/usb-x")
    assert sensor.options == SensorOptions(near_mm=700)


def test_a_profile_without_devices_has_none(tmp_path):
    assert load(written(tmp_path, 'terminal = "t1"')) == ()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("presence_sensor", "presence", "devices.presence"),
        ('"maxsonar"', '"sonar"', "devices.presence_sensor.driver: 'sonar' is none of"),
        ('"maxsonar"', '"sam-v"', "sam-v fills id_card_reader"),
        ('driver = "maxsonar"', "", "want driver and address"),
        ("serial:/dev/serial/by-id/usb-MaxBotix?baud=57600", "video:/dev/video0", "maxsonar is found at"),
        ("baud=57600", "baud=7", "devices.presence_sensor.address"),
        ("near_mm = 700", "near_mm = 7", "devices.presence_sensor.near_mm"),
        ("near_mm = 700", "nearly = 700", "devices.presence_sensor.nearly"),
        ("[devices.presence_sensor]", "[devices]\npresence_sensor = 3\n[devices.id_card_reader_]", "want a table"),
        ("[devices.presence_sensor]", "[devices.presence_sensor", "not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, old, new, named):
    assert old in GOOD
    with pytest.raises(BadProfile) as caught:
        load(written(tmp_path, GOOD.replace(old, new)))
    assert named in str(caught.value)
    assert "profile.toml" in str(caught.value)


def test_a_profile_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadProfile, match=r"none.toml"):
        load(tmp_path / "none.toml")


def test_a_profile_that_is_no_text_is_named(tmp_path):
    (tmp_path / "profile.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadProfile, match="UTF-8"):
        load(tmp_path / "profile.toml")


def test_a_profile_nested_without_end_is_named(tmp_path):
    with pytest.raises(BadProfile, match="nested too deep"):
        load(written(tmp_path, "x = " + "[" * 3000))


def test_a_device_that_can_never_work_names_its_role_and_leaves_no_thread(tmp_path):
    bindings = [
        bind(Role.PRESENCE_SENSOR, "maxsonar", "serial:/dev/nowhere"),
        bind(Role.TICKET_PRINTER, "escpos", "serial:/dev/nowhere", font=str(tmp_path / "none.otf")),
    ]
    with pytest.raises(BadProfile, match=r"devices\.ticket_printer"):
        Cabinet(bindings, lambda _: None)


def test_a_cabinet_gives_a_device_by_role_and_kind_only():
    cabinet = Cabinet([bind(Role.PRESENCE_SENSOR, "maxsonar", "serial:/dev/nowhere")], lambda _: None)
    assert isinstance(cabinet.get(Role.PRESENCE_SENSOR, PresenceSensor), PresenceSensor)
    assert cabinet.get(Role.PRESENCE_SENSOR, IdCardReader) is None
    assert cabinet.get(Role.ID_CARD_READER, IdCardReader) is None
    cabinet.close()


@pytest.mark.parametrize("driver_id", driver_ids())
def test_every_driver_is_declared_in_full(driver_id):
    declared = driver(driver_id)
    assert declared.id == driver_id
    assert declared.title
    assert declared.roles
    assert declared.schemes
    assert declared.options() is not None  # every option has a default


def test_every_driver_has_a_simulator():
    assert set(simulated_drivers()) == set(driver_ids())


def test_capabilities_and_statuses_cannot_be_changed():
    with pytest.raises(AttributeError):
        PresenceSensorCapabilities().farthest_mm = 1
    with pytest.raises(TypeError):
        DeviceStatus(Health.OK).supplies["paper"] = "ok"
    with pytest.raises(AttributeError):
        DeviceStatus(Health.UNKNOWN, Detail.NO_ANSWER).health = Health.OK


def test_unknown_is_never_usable():
    assert [health for health in Health if DeviceStatus(health).usable] == [Health.OK, Health.DEGRADED]


def test_every_place_in_the_cabinet_can_be_filled_by_some_driver():
    fillable = {role for driver_id in driver_ids() for role in driver(driver_id).roles}
    assert fillable == set(Role)
