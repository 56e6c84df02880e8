"""PostgreSQL behind the ledger: durable whatever the cluster's defaults, one order of text, errors with names."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import text

from provisioning.postgres import PrivatePostgres
from queue_server.ledger import (
    Answer,
    AppendBatch,
    Fenced,
    LedgerFull,
    LedgerUnavailable,
    NewEvent,
    OutOfStep,
    PostgresDatabase,
    SchemaUnknown,
    SqlLedger,
)
from queue_server.ledger.tables import metadata
from tests.postgres import PostgresPlace

HALL = "demo-hall"


def event(n: int) -> NewEvent:
    return NewEvent("2026-03-02T01:00:00.000000+00:00", "{}", "{}", "issued", f'{{"n":{n}}}')


def answer(request_id: str) -> Answer:
    return Answer("kiosk-1", request_id, "a" * 64, b"x", "2026-03-02T01:00:00.000000+00:00")


def order(place: PostgresPlace, words: sql.Composed | sql.SQL) -> None:
    with psycopg.connect(place.url, password=place.password, autocommit=True) as connection:
        connection.execute(words)


def test_the_migrations_give_the_tables_that_the_program_uses(postgres: PostgresPlace) -> None:
    with postgres.open() as database, database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_commit_is_on_the_disk_even_where_the_database_says_otherwise(postgres: PostgresPlace) -> None:
    order(postgres, sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(postgres.name)))
    with postgres.open() as database:
        with database.write() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        ledger = SqlLedger(database)
        epoch = ledger.acquire(HALL, "s", 60).epoch
        with database._appender() as connection_of_appends:
            row = connection_of_appends.execute("SHOW synchronous_commit").fetchone()
        assert row == ("on",)
        ledger.append(AppendBatch(HALL, epoch, 0, (event(1),)))


def test_a_database_of_a_newer_program_is_left_alone(postgres: PostgresPlace) -> None:
    order(postgres, sql.SQL("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaUnknown):
        postgres.open()


def test_of_servers_that_start_together_on_an_empty_database_one_migrates_and_all_go_on(
    cluster: PrivatePostgres,
) -> None:
    url = cluster.create("together")
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: PostgresDatabase(url, password=cluster.password), range(4)))
    for database in opened:
        assert SqlLedger(database).head(HALL).seq == 0
        database.close()
    cluster.drop("together")


@pytest.mark.parametrize(
    "url",
    ["postgresql://estation@127.0.0.1:1/none", "postgresql://estation@/none?host=/nowhere", "postgresql://:::", "none"],
)
def test_a_database_that_is_not_there_is_named_without_its_password(url: str) -> None:
    with pytest.raises(LedgerUnavailable) as raised:
        PostgresDatabase(url, password="not-to-be-shown")
    assert "not-to-be-shown" not in str(raised.value)


def test_the_wrong_password_opens_nothing(postgres: PostgresPlace) -> None:
    with pytest.raises(LedgerUnavailable):
        PostgresDatabase(postgres.url, password="wrong")
    with pytest.raises(LedgerUnavailable):
        PostgresDatabase(postgres.url)


def test_ids_are_compared_by_their_characters_whatever_the_language_of_the_database(postgres: PostgresPlace) -> None:
    with postgres.open() as database:
        ledger = SqlLedger(database)
        epoch = ledger.acquire(HALL, "s", 60).epoch
        ids = ("boot-1", "boot-10", "boot-2", "boots-1", "Boot-1", "boo-1")
        ledger.append(AppendBatch(HALL, epoch, 0, (), tuple(answer(name) for name in ids)))
        assert ledger.answered("kiosk-1", "boot") == {"boot-1", "boot-10", "boot-2"}
        with database.read() as connection:
            collations = connection.execute(
                text(
                    "SELECT DISTINCT collation_name FROM information_schema.columns "
                    "WHERE table_schema = 'public' AND data_type = 'text' AND table_name <> 'alembic_version'"
                )
            ).scalars()
            assert set(collations) == {"C"}


def test_of_two_writers_at_the_same_place_one_wins_and_the_chain_has_no_gap(postgres: PostgresPlace) -> None:
    with postgres.open() as one, postgres.open() as other:
        epoch = SqlLedger(one).acquire(HALL, "s", 60).epoch
        wins = {"one": 0, "other": 0}
        start = threading.Barrier(2)

        def write(name: str, database: PostgresDatabase) -> None:
            ledger = SqlLedger(database)
            start.wait()
            for seq in range(40):
                try:
                    ledger.append(AppendBatch(HALL, epoch, seq, (event(seq),), (answer(f"boot-{seq}"),)))
                    wins[name] += 1
                except OutOfStep:
                    pass
                while ledger.head(HALL).seq <= seq:
                    pass

        threads = [threading.Thread(target=write, args=pair) for pair in (("one", one), ("other", other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(wins.values()) == 40
        assert [row.seq for row in SqlLedger(one).events(HALL)] == list(range(1, 41))


def test_a_takeover_waits_for_the_append_under_way_and_fences_the_next(postgres: PostgresPlace) -> None:
    """The old leader's append has looked at the epoch and is not committed yet: the new leader must see it."""
    with postgres.open() as one, postgres.open() as other:
        old = SqlLedger(one).acquire(HALL, "server-1", 0.0)
        with psycopg.connect(postgres.url, password=postgres.password) as slow:
            slow.execute("SELECT epoch FROM leases WHERE hall = %s FOR SHARE", (HALL,))
            taken: list[int] = []
            thread = threading.Thread(target=lambda: taken.append(SqlLedger(other).acquire(HALL, "server-2", 60).epoch))
            thread.start()
            with psycopg.connect(postgres.url, password=postgres.password, autocommit=True) as look:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
                while look.execute(waiting, (postgres.name,)).fetchone() == (0,):
                    pass
            assert taken == []
            slow.commit()
        thread.join()
        assert taken == [old.epoch + 1]
        with pytest.raises(Fenced):
            SqlLedger(one).append(AppendBatch(HALL, old.epoch, 0, (event(1),)))
        assert SqlLedger(one).head(HALL).seq == 0


def test_a_cluster_that_was_killed_is_unavailable_and_lost_nothing_when_it_is_back() -> None:
    with PrivatePostgres() as cluster:
        url = cluster.create("hall")
        with PostgresDatabase(url, password=cluster.password) as database:
            ledger = SqlLedger(database)
            epoch = ledger.acquire(HALL, "s", 60).epoch
            for seq in range(20):
                ledger.append(AppendBatch(HALL, epoch, seq, (event(seq),), (answer(f"boot-{seq}"),)))
            cluster.kill()
            with pytest.raises(LedgerUnavailable):
                ledger.append(AppendBatch(HALL, epoch, 20, (event(20),)))
            with pytest.raises(LedgerUnavailable):
                ledger.head(HALL)
            with pytest.raises(LedgerUnavailable):
                ledger.answers([("kiosk-1", "boot-3")])
            cluster.start()
            assert ledger.head(HALL).seq == 20
            assert ledger.answered("kiosk-1", "boot") == {f"boot-{seq}" for seq in range(20)}
            assert ledger.append(AppendBatch(HALL, epoch, 20, (event(20),))).head.seq == 21


def test_a_disk_without_room_is_told_apart_from_a_broken_database(postgres: PostgresPlace) -> None:
    """The cluster says so with a code of its own, here by the hand of a trigger."""
    order(
        postgres,
        sql.SQL(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION full_disk()"
        ),
    )
    with postgres.open() as database:
        ledger = SqlLedger(database)
        epoch = ledger.acquire(HALL, "s", 60).epoch
        with pytest.raises(LedgerFull):
            ledger.append(AppendBatch(HALL, epoch, 0, (event(1),)))
        order(postgres, sql.SQL("DROP TRIGGER full_disk ON events"))
        assert ledger.append(AppendBatch(HALL, epoch, 0, (event(1),))).head.seq == 1
