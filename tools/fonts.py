"""Makes the bold weight of the screens from the npm package @embedpdf/fonts-sc: subset, renamed, level lines.

python tools/fonts.py NotoSansHans-Bold.otf assets/fonts/EstationSans-Bold.otf
"""

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Estation Sans"
LINE_BOX = (1160, -288, 0)
PUNCTUATION = "·–—‘’“”…※←→↑↓×≥≤°￥「」《》、。!,:;?()%"


def gbk() -> str:
    """All characters of GBK: every name of a street, a person and an office in daily use."""
    text = []
    for row in range(0x81, 0xFF):
        for cell in range(0x40, 0xFF):
            text.append(bytes((row, cell)).decode("gbk", errors="ignore"))
    return "".join(text)


def make(source: Path, target: Path) -> None:
    font = TTFont(source)
    options = subset.Options()
    options.layout_features = ["kern"]
    options.name_IDs = [0, 7, 13, 14]
    options.notdef_outline = True
    options.hinting = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(map(chr, range(0x20, 0x7F))) + PUNCTUATION + gbk())
    subsetter.subset(font)
    # The package's licence reserves the name "Noto Sans" for unmodified fonts.
    names = {1: FAMILY, 2: "Bold", 3: f"{FAMILY} Bold 1.0", 4: f"{FAMILY} Bold", 6: "EstationSans-Bold"}
    for name_id, name in names.items():
        font["name"].setName(name, name_id, 3, 1, 0x409)
    top = font["CFF "].cff.topDictIndex[0]
    font["CFF "].cff.fontNames = [names[6]]
    top.FamilyName, top.FullName = FAMILY, names[4]
    # The same line box as the regular weight, so that mixed weights stand on one line.
    for table, fields in {
        "hhea": ("ascent", "descent", "lineGap"),
        "OS/2": ("sTypoAscender", "sTypoDescender", "sTypoLineGap"),
    }.items():
        for field, value in zip(fields, LINE_BOX, strict=True):
            setattr(font[table], field, value)
    font["OS/2"].usWinAscent, font["OS/2"].usWinDescent = LINE_BOX[0], -LINE_BOX[1]
    font.save(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    make(arguments.source, arguments.target)
    print(arguments.target, arguments.target.stat().st_size)
