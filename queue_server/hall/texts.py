"""A text of the hall in both languages."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True)
class Text:
    """A text in both languages."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The English text for `en`, the Chinese one for anything else."""
        return self.en if language == "en" else self.zh

    def by_language(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


NO_TEXT = Text("", "")
