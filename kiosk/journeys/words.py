"""Fixed words in the languages of the terminal: gettext over the .po files, read once at start-up."""

from __future__ import annotations

import gettext
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = {"zh": "zh_CN", "en": "en"}
"""Language of a view → folder of its translations."""
DOMAIN = "estation"


class _Params(dict[str, Any]):
    """Parameters of a sentence; one that nobody gave reads as a dash instead of breaking the sentence."""

    def __missing__(self, _name: str) -> str:
        return "—"


class Words:
    """The fixed words of one language. Message ids are English sentences; `{name}` stands for a parameter."""

    def __init__(self, language: str, translations: gettext.NullTranslations) -> None:
        self.language = language
        self._translations = translations

    def tr(self, message: str, /, **params: object) -> str:
        """The sentence in this language; the message id itself where the translation lacks it."""
        return self._translations.gettext(message).format_map(_Params(params))

    def ntr(self, singular: str, plural: str, n: int, /, **params: object) -> str:
        """The sentence in the form for `n` things; `n` is a parameter of it, too."""
        return self._translations.ngettext(singular, plural, n).format_map(_Params(params, n=n))


def mark(message: str) -> str:
    """Name a message for extraction where it is only looked up later."""
    return message


def load_words(directory: Path) -> dict[str, Words]:
    """All languages under `directory` (`<locale>/LC_MESSAGES/estation.po`), by the language of a view.

    Raises OSError where a file is missing and babel's PoFileError where it is broken: a terminal does not
    start with half its words.
    """
    return {language: Words(language, _read(directory, locale)) for language, locale in LOCALES.items()}


def _read(directory: Path, locale: str) -> gettext.NullTranslations:
    with (directory / locale / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale=locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
