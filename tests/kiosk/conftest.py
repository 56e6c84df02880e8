"""Fixtures of the terminal's tests."""

import json
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="session")
def sample_bundle() -> bytes:
    """The sample hall as a bundle."""
    sample = json.loads((ASSETS / "halls" / "sample.json").read_text("utf-8"))
    return json.dumps({"hall": "sample", **sample}).encode()
