"""Renders the icons of the screens, white on transparent for tinting: Material Symbols and our own drawings.

npm install --prefix DIR @material-symbols/svg-400@0.48.2
uv run --with resvg-py==0.5.0 python tools/icons.py DIR/node_modules/@material-symbols/svg-400/rounded
"""

import argparse
import re
from pathlib import Path

import resvg_py

ICONS = Path(__file__).parent.parent / "assets" / "icons"
EDGE = 256
"""Pixels; a power of two, so that the texture can carry mipmaps everywhere."""

ACTIONS = {
    "back": "arrow_back",
    "home": "home",
    "help": "support_agent",
    "help_coming": "directions_run",
    "voice": "volume_up",
    "voice_off": "volume_off",
    "large_type": "text_increase",
    "contrast": "contrast",
    "language": "translate",
    "search": "search",
    "erase": "backspace",
    "print": "print",
    "slip": "receipt_long",
    "ticket": "confirmation_number",
    "card": "id_card",
    "tap_card": "contactless",
    "done": "check_circle",
    "danger": "error",
    "info": "info",
    "clock": "schedule",
    "waiting": "hourglass_top",
    "network_away": "cloud_off",
    "people": "groups",
    "person": "person",
    "phone": "mobile",
    "place": "location_on",
    "next": "chevron_right",
    "previous": "chevron_left",
    "close": "close",
    "lock": "lock",
    "maintenance": "engineering",
    "all": "apps",
}

SERVICES = """
accessible account_balance agriculture apartment article assignment badge balance business_center calculate
call child_care construction credit_card description directions_bus directions_car domain eco electric_bolt
elderly engineering factory family_restroom fact_check favorite flight folder forest gavel groups handshake
health_and_safety home home_work how_to_reg id_card key landscape local_fire_department local_hospital
local_police local_shipping location_city luggage map medical_services payments person pets policy public
real_estate_agent receipt_long request_quote restaurant savings school security store storefront
theater_comedy vaccines verified volunteer_activism water_drop work workspace_premium
"""
FALLBACK = "description"


def white(svg: str) -> str:
    """The drawing in white, whatever it was drawn in."""
    svg = re.sub(r'fill="(?!none)[^"]*"', "", svg)
    return svg.replace("<svg", '<svg fill="#ffffff"', 1)


def render(svg: str, target: Path, width: int, height: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height)))


def main(source: Path) -> None:
    def draw(symbol: str, target: Path) -> None:
        filled = source / f"{symbol}-fill.svg"
        path = filled if filled.exists() else source / f"{symbol}.svg"
        render(white(path.read_text()), target, EDGE, EDGE)

    for name, symbol in ACTIONS.items():
        draw(symbol, ICONS / "actions" / f"{name}.png")
    for symbol in SERVICES.split():
        draw(symbol, ICONS / "services" / f"{symbol}.png")
    draw(FALLBACK, ICONS / "services" / "fallback.png")
    for drawing in sorted((ICONS / "machine").glob("*.svg")):
        render(drawing.read_text(), drawing.with_suffix(".png"), 512, 512)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="folder of Material Symbols' SVG files")
    main(parser.parse_args().source)
