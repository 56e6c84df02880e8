"""Histories of a hall under faults keep every invariant: fixed seeds, and others in each run."""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import SystemRandom

import pytest

from tests.sim.batch import report, run_seeds
from tests.sim.plan import plan_of
from tests.sim.shrinking import shrunk
from tests.sim.world import run

ROOT = Path(__file__).parents[2]
FIXED = 60
RANDOM = 60
HASHES = """
from hashlib import sha256
from tests.sim.plan import plan_of
from tests.sim.world import run
print(sha256(repr([run(plan_of(seed)).log for seed in (3, 8, 17)]).encode()).hexdigest())
"""


@pytest.mark.parametrize("which", ["fixed", "random"])
def test_whatever_fails_and_whoever_acts_the_invariants_hold(which: str) -> None:
    first = 0 if which == "fixed" else SystemRandom().randrange(1, 1_000_000_000)
    count = FIXED if which == "fixed" else RANDOM
    tickets = 0
    for result in run_seeds(range(first, first + count), os.cpu_count() or 1):
        if result.failed:
            pytest.fail(report(shrunk(result, tries=100)), pytrace=False)
        tickets += result.tickets
    assert tickets > count


def test_a_seed_makes_the_same_history_in_every_process() -> None:
    here = sha256(repr([run(plan_of(seed)).log for seed in (3, 8, 17)]).encode()).hexdigest()
    for hash_seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", HASHES],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == here
