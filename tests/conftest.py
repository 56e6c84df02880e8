"""What holds for all tests: payloads that links publish are checked against the contract, logging is as it was."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # how long an example takes says nothing on a busy machine
settings.load_profile("any machine")

pytest_plugins = ("tests.wire.conformance", "tests.postgres")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A program that is run inside a test sets up the logging of the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
