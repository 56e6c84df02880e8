"""Fixtures: a broker of either make, and the real one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.wire.seats import MemorySite, MosquittoSite, Site
from wire.access import Account, Administrator, Device, Reader, Server, account_for

DEVICE = Device("t1", ("h1",))
OTHER_DEVICE = Device("t2", ("h1", "h2"))
SERVER = Server("s1", ("h1",))
READER = Reader("led-1", "h1")


@pytest.fixture(scope="session")
def accounts() -> dict[str, Account]:
    """An account for each principal, by its short name."""
    principals = {"t1": DEVICE, "t2": OTHER_DEVICE, "s1": SERVER, "led-1": READER, "administrator": Administrator()}
    return {name: account_for(principal) for name, principal in principals.items()}


@pytest.fixture(params=["mosquitto", "memory"])
async def site(request: pytest.FixtureRequest, tmp_path: Path, accounts: dict[str, Account]) -> AsyncIterator[Site]:
    """A running broker of either make."""
    everybody = list(accounts.values())
    made: Site = MemorySite(everybody) if request.param == "memory" else MosquittoSite(tmp_path, everybody)
    yield made
    await made.close()


@pytest.fixture
async def mosquitto(tmp_path: Path, accounts: dict[str, Account]) -> AsyncIterator[MosquittoSite]:
    """The real broker."""
    made = MosquittoSite(tmp_path, list(accounts.values()))
    yield made
    await made.close()
