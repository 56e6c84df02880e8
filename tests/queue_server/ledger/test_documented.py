"""`docs/ledger.md` names every table with its columns, and nothing that is not there."""

import re
from pathlib import Path

from queue_server.ledger.tables import metadata

DOCUMENT = Path(__file__).parents[3] / "docs" / "ledger.md"


def test_the_document_lists_exactly_the_tables_and_columns_that_there_are() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n## Tables\n")[2]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    told = {table: re.findall(r"`(\w+)`", columns) for table, columns in rows}
    assert told == {table.name: [column.name for column in table.columns] for table in metadata.sorted_tables}
