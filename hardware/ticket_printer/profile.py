"""What is particular about one model of ticket printer: a table of known models, and what a probe has found.

The table is `models.toml` beside this file; its source stands in it. A model that it does not know is the generic one,
with the fence that the probe found to work.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

_TABLE: Final = Path(__file__).with_name("models.toml")


class Fence(StrEnum):
    """How the printer proves that everything before a mark has been printed."""

    PROCESS_ID = "process_id"  # GS ( H function 48 gives back an id of our own: the best proof
    PAPER_SENSOR = "paper_sensor"  # GS r 1, queued like print data: clones that lack GS ( H


class ChineseFont(StrEnum):
    """Which characters the printer's own font holds; the others are drawn by us."""

    GBK = "gbk"
    GB2312 = "gb2312"
    NONE = "none"


class Cutter(StrEnum):
    """How a slip ends."""

    FULL = "full"
    PARTIAL = "partial"  # a bridge is left that the citizen tears
    NONE = "none"  # a tear bar


class Presenter(StrEnum):
    """How the printer tells that a slip hangs in its mouth, or has been taken."""

    NONE = "none"
    FULL_STATUS = "full_status"  # DLE EOT 20 of kiosk printers made by Custom


@dataclass(frozen=True, slots=True)
class PrinterProfile:
    """Measures in dots, and in millimetres where they say so. The default fits common 80 mm printers."""

    name: str = "generic-80mm"
    width_dots: int = 576
    dots_per_mm: float = 8.0
    cell_dots: int = 12
    """Width of an ASCII character; a Chinese one is twice as wide. Both are 24 high."""
    chinese: ChineseFont = ChineseFont.GBK
    native_qr: bool = True
    stored_logos: bool = False
    """Whether pictures can be kept in the printer (`GS ( L`)."""
    fence: Fence = Fence.PROCESS_ID
    automatic_status: bool = False
    """Whether the printer tells changes by itself (`GS a`)."""
    cutter: Cutter = Cutter.FULL
    presenter: Presenter = Presenter.NONE
    near_end_sensor: bool = True
    near_end_mm: int = 3000
    """Paper left when the near-end sensor first shows; adjustable on most printers."""
    roll_mm: int = 80_000
    slice_rows: int = 128
    """Rows of one raster command, at most 255: longer ones overflow small buffers."""
    feed_before_cut_lines: int = 4
    """From the print head to the knife."""

    def __post_init__(self) -> None:
        if self.width_dots % 8 or not 200 <= self.width_dots <= 2000:
            raise ValueError(f"width {self.width_dots}: want a multiple of 8 from 200 to 2000 dots")
        if not 1 <= self.slice_rows <= 255:
            raise ValueError(f"slice of {self.slice_rows} rows: want 1 to 255")
        if not 4 <= self.dots_per_mm <= 24:
            raise ValueError(f"{self.dots_per_mm} dots per mm: want 4 to 24")
        if not 1000 <= self.roll_mm <= 1_000_000 or not 0 <= self.near_end_mm < self.roll_mm:
            raise ValueError("want a roll of 1 to 1000 m that is longer than what is left at its near end")

    @property
    def columns(self) -> int:
        """ASCII characters in a line of size 1."""
        return self.width_dots // self.cell_dots

    def changed(self, options: Mapping[str, Any]) -> "PrinterProfile":
        """The same with options of a technician's profile put in. Raises `ValueError` for one that does not fit."""
        kinds = {one.name: one.type for one in fields(self)}
        changes: dict[str, Any] = {}
        for name, value in options.items():
            if name == "name" or name not in kinds:
                raise ValueError(f"a printer profile has no {name!r}")
            changes[name] = _typed(name, value, type(getattr(self, name)))
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a printer says of itself (`GS I`); empty where it does not."""

    maker: str = ""
    model: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found: the profile to use, whether the model is a known one, and the fences that worked."""

    identity: Identity
    profile: PrinterProfile
    known: bool
    fences: frozenset[Fence] = field(default_factory=frozenset)


@cache
def known_models() -> Mapping[str, PrinterProfile]:
    """The table, by the profile's name."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return MappingProxyType(
        {
            name: replace(PrinterProfile(), name=name).changed({k: v for k, v in row.items() if k != "answers"})
            for name, row in table["model"].items()
        }
    )


def model_profile(name: str) -> PrinterProfile:
    """A model of the table by its name. Raises `ValueError` with the names that there are."""
    found = known_models().get(name)
    if found is None:
        raise ValueError(f"model {name!r} is none of {', '.join(known_models())}")
    return found


def profile_for(identity: Identity) -> PrinterProfile | None:
    """The known model of which one of the names is what the printer says of itself."""
    said = f"{identity.maker} {identity.model}".lower()
    for name, answers in _answers().items():
        if any(answer.lower() in said for answer in answers):
            return known_models()[name]
    return None


def settled(identity: Identity, fences: frozenset[Fence]) -> Probed:
    """The profile for what a probe found: a fence that was seen to work goes before what the table says."""
    known = profile_for(identity)
    profile = known or PrinterProfile()
    if fences and profile.fence not in fences:
        profile = replace(profile, fence=Fence.PROCESS_ID if Fence.PROCESS_ID in fences else Fence.PAPER_SENSOR)
    return Probed(identity, profile, known is not None, fences)


@cache
def _answers() -> Mapping[str, tuple[str, ...]]:
    """By profile name, what a printer of the model is known to call itself, longest names first."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))["model"]
    named = [(name, tuple(row.get("answers", ()))) for name, row in table.items()]
    return dict(sorted(named, key=lambda row: -max((len(answer) for answer in row[1]), default=0)))


def _typed(name: str, value: Any, kind: type) -> Any:
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name}: want true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{name}: {value!r} does not fit")
    return kind(value)
