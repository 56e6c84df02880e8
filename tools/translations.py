"""Keeps the translations in step with the code: extracts every message and merges it into the .po files.

python -m tools.translations
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
DIRECTORY = ROOT / "assets" / "translations"
SOURCES = ("screens", "kiosk")
KEYWORDS = {"tr": None, "mark": None, "ntr": (1, 2)}
LOCALES = ("zh_CN", "en")


def po_path(locale: str) -> Path:
    return DIRECTORY / locale / "LC_MESSAGES" / "estation.po"


def extracted() -> Catalog:
    """Every message of the sources, with the files in which it stands."""
    catalogue = Catalog(project="estation", charset="utf-8")
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for _line, message, _comments, _context in extract_from_file("python", path, KEYWORDS):
                catalogue.add(message, locations=[(str(path.relative_to(ROOT)), 0)])
    return catalogue


def read(locale: str) -> Catalog:
    """The translations as they stand in the repository."""
    with po_path(locale).open("rb") as file:
        return read_po(file, locale=locale, domain="estation")


def merge(locale: str, template: Catalog) -> None:
    """Add new messages, drop those that no code names any more; an English one is its own translation.

    The files carry no header: language and plural forms follow from the locale, and nothing changes with the date.
    """
    catalogue = read(locale) if po_path(locale).exists() else Catalog(locale=locale, domain="estation")
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in catalogue:
        if message.id and locale == "en" and not any(message.string or ()):
            message.string = message.id
    text = BytesIO()
    write_po(text, catalogue, width=120, omit_header=True, sort_output=True, include_lineno=False)
    po_path(locale).parent.mkdir(parents=True, exist_ok=True)
    po_path(locale).write_bytes(text.getvalue())


if __name__ == "__main__":
    found = extracted()
    for name in LOCALES:
        merge(name, found)
        missing = [message.id for message in read(name) if message.id and not any(message.string or ())]
        print(f"{po_path(name).relative_to(ROOT)}: {len(found)} messages, {len(missing)} without translation")
