"""Staff accounts: what opens them, what locks them, what is written down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from queue_server.alerts import AlertBook
from queue_server.ledger import Database
from queue_server.ledger.registers import Registers
from queue_server.staff import FREE_FAILURES, LoginTaken, SignInRefused, Staff, StaffRegister, WeakPassword, pause_s
from tests.queue_server.rig import Clock, fresh_database

HALL = "demo-hall"
PASSWORD = "a long enough one"
FAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Desk:
    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.registers = Registers(database)
        self.alerts = AlertBook(HALL, self.registers, now=self.clock)
        self.staff = self.again()

    def again(self) -> StaffRegister:
        """The register as another process would read it."""
        return StaffRegister(HALL, self.registers, self.alerts, now=self.clock, hasher=FAST)

    def acts(self) -> list[str]:
        return [note.act for note in reversed(self.registers.audit(HALL))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with fresh_database(tmp_path / "x.db") as database:
        yield Desk(database)


def test_a_new_register_lets_nobody_in(desk: Desk) -> None:
    assert desk.staff.all() == ()
    assert desk.staff.verify("admin", "admin") == SignInRefused("wrong_credentials")


def test_the_right_password_gives_the_person_with_their_roles(desk: Desk) -> None:
    added = desk.staff.add(" Li ", "李明", PASSWORD, ["clerk", "manager"])
    signed_in = desk.again().verify("LI", PASSWORD, source="counter 3")
    assert signed_in == added
    assert isinstance(signed_in, Staff)
    assert signed_in.may("manager", "technician")
    assert not signed_in.may("auditor")
    assert desk.staff.find(added.id) == added
    (note,) = desk.registers.audit(HALL)
    assert (note.act, note.subject, note.by) == ("signed_in", "counter 3", f'{{"id":"{added.id}","kind":"staff"}}')


def test_a_refusal_does_not_say_whether_the_login_exists(desk: Desk) -> None:
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    assert desk.staff.verify("li", "wrong one here") == desk.staff.verify("wu", "wrong one here")


@pytest.mark.parametrize("password", ["short", "administrator"])
def test_a_weak_password_is_not_taken(desk: Desk, password: str) -> None:
    with pytest.raises(WeakPassword):
        desk.staff.add("administrator", "A", password, ["manager"])
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    with pytest.raises(WeakPassword):
        desk.staff.set_password("li", "short")


def test_a_login_is_given_once(desk: Desk) -> None:
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    with pytest.raises(LoginTaken):
        desk.again().add("LI", "李红", PASSWORD, ["clerk"])


def test_wrong_passwords_lock_the_account_with_growing_pauses_also_for_the_right_one_and_over_a_restart(
    desk: Desk,
) -> None:
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    for _ in range(FREE_FAILURES):
        assert desk.staff.verify("li", "wrong one here") == SignInRefused("wrong_credentials")
    assert desk.staff.verify("li", "wrong one here") == SignInRefused("locked", 30.0)
    assert [alert.code for alert in desk.alerts.open()] == ["sign_in_locked"]
    desk.clock.forward(seconds=10)
    assert desk.again().verify("li", PASSWORD) == SignInRefused("locked", 20.0)
    desk.clock.forward(seconds=20)
    assert desk.again().verify("li", "wrong one here") == SignInRefused("locked", 60.0)
    desk.clock.forward(seconds=60)
    signed_in = desk.again().verify("li", PASSWORD)
    assert isinstance(signed_in, Staff)
    assert desk.alerts.open() == ()
    assert desk.again().verify("li", "wrong one here") == SignInRefused("wrong_credentials")


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_s(failures) for failures in range(40)]
    assert pauses[: FREE_FAILURES + 1] == [0.0] * (FREE_FAILURES + 1)
    assert pauses[FREE_FAILURES + 1 : FREE_FAILURES + 4] == [30.0, 60.0, 120.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600.0


def test_a_new_password_lifts_the_lock_and_ends_the_old_one(desk: Desk) -> None:
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    for _ in range(FREE_FAILURES + 1):
        desk.staff.verify("li", "wrong one here")
    desk.staff.set_password("li", "another long one")
    assert isinstance(desk.staff.verify("li", "another long one"), Staff)
    assert desk.staff.verify("li", PASSWORD) == SignInRefused("wrong_credentials")


def test_a_disabled_person_is_nobody(desk: Desk) -> None:
    person = desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    desk.staff.disable("li")
    assert desk.staff.verify("li", PASSWORD) == SignInRefused("wrong_credentials")
    assert desk.staff.find(person.id) is None
    assert desk.again().all() == ()


def test_roles_are_those_of_the_house_and_at_least_one(desk: Desk) -> None:
    for roles in ([], ["king"]):
        with pytest.raises(ValueError, match="roles"):
            desk.staff.add("li", "李明", PASSWORD, roles)  # type: ignore[arg-type]  # that is the point
    person = desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    desk.staff.set_roles("li", ["technician"])
    found = desk.again().find(person.id)
    assert found is not None
    assert found.roles == {"technician"}


def test_no_password_stands_in_the_database_or_the_audit(desk: Desk, tmp_path: Path) -> None:
    desk.staff.add("li", "李明", PASSWORD, ["clerk"])
    desk.staff.verify("li", PASSWORD + "!")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert PASSWORD.encode() not in stored
    assert desk.registers.staff("demo-hall")[0].password_hash.startswith("$argon2id$")
    assert desk.acts() == ["sign_in_failed"]
