"""A PostgreSQL cluster for the whole run of the tests, and an empty database of today's schema for each that asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from provisioning.postgres import PrivatePostgres
from queue_server.ledger import PostgresDatabase

_TEMPLATE = "estation_template"
_numbers = count(1)


@dataclass(frozen=True)
class PostgresPlace:
    """A database of a test's own."""

    cluster: PrivatePostgres
    name: str

    @property
    def url(self) -> str:
        return self.cluster.url(self.name)

    @property
    def password(self) -> str:
        return self.cluster.password

    def open(self) -> PostgresDatabase:
        return PostgresDatabase(self.url, password=self.password)


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivatePostgres]:
    with PrivatePostgres() as running:
        # migrating costs more than the rest of a test
        PostgresDatabase(running.create(_TEMPLATE), password=running.password).close()
        yield running


@pytest.fixture
def postgres(cluster: PrivatePostgres) -> Iterator[PostgresPlace]:
    place = PostgresPlace(cluster, f"test_{next(_numbers)}")
    cluster.create(place.name, template=_TEMPLATE)
    yield place
    cluster.drop(place.name)
