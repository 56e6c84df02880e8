import pytest

from tests.queue_server.hall.scene import Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()
