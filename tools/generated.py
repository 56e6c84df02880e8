"""Documents that are generated: written anew, or with `--check` held against what stands in the repository."""

import sys
from pathlib import Path


def keep(target: Path, text: str, module: str) -> int:
    """Write `text` to `target`, or with `--check` on the command line only compare; the exit status."""
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target.name}")
        return 0
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{target.name} is stale: run python -m {module}")
    return 1
