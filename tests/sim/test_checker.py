"""The checker of histories finds every rule that is broken on purpose, and makes what it found short."""

import os

import pytest

from tests.sim.batch import report, run_seeds
from tests.sim.mutations import MUTATIONS, broken
from tests.sim.plan import Visit, plan_of
from tests.sim.shrinking import shrunk
from tests.sim.world import run

PROCESSES = os.cpu_count() or 1


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_rule_is_found_within_a_bounded_number_of_seeds(name: str) -> None:
    mutation = MUTATIONS[name]
    with broken(mutation):
        # the processes are forked, and so have the rule broken too
        found = next((r for r in run_seeds(range(mutation.within), PROCESSES, PROCESSES) if r.failed), None)
    assert found is not None
    assert found.violation is not None
    assert found.violation.invariant in mutation.breaks, report(found)


def test_a_failing_seed_shrinks_to_a_short_history_and_names_the_command_that_repeats_it() -> None:
    mutation = MUTATIONS["a number is given again"]
    with broken(mutation):
        failed = next(result for result in map(run, map(plan_of, range(mutation.within))) if result.failed)
        short = shrunk(failed, tries=150)
        again = run(short.plan)
    assert len(failed.plan.items) > 12
    assert len(short.plan.items) <= 6, "two visits, and the clicks that end the first one"
    assert sum(isinstance(item, Visit) for item in short.plan.items) == 2
    assert again.violation == short.violation
    assert short.violation is not None
    assert short.violation.invariant == "A3"
    text = report(short)
    assert f"./dev sim --seed {short.plan.seed}" in text
    assert short.violation.text in text
    assert len(text.splitlines()) < 40
