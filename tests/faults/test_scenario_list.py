"""The list of public scenarios says what is covered, and no more than that."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
_ID = re.compile(r"(?<=_)([qf]\d{1,2})(?=_)")


def test_every_scenario_of_the_list_has_a_test_and_every_id_in_a_test_stands_in_the_list() -> None:
    listed = set(re.findall(r"^\| ([QF]\d+) \|", (ROOT / "docs" / "scenarios.md").read_text(), re.MULTILINE))
    found = {
        scenario.upper()
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in _TEST.findall(path.read_text(encoding="utf-8"))
        for scenario in _ID.findall(name)
    }
    assert listed == found
