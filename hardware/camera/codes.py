"""Codes in a picture: zxing-cpp first; where it sees nothing, the WeChat detector has a second look.

Of 200 hard pictures zxing-cpp alone read 160 and the WeChat detector (without model files) 170, at 30 times the cost;
neither ever read one wrongly. The second look is therefore given to misses only, and not to every one.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import cv2
import zxingcpp

from hardware.camera.frames import Image
from hardware.code_scanner.payload import BadCode, Code, CodeRules, Encoding, RawCode, check, judge

FORMATS: Final = zxingcpp.barcode_formats_from_str("QRCode|MicroQRCode|DataMatrix|PDF417|Aztec|Code128|Code39|EAN13")
"""What official papers, tickets and telephones show."""
_WITH_ECI: Final = frozenset({b"]Q2", b"]Q4", b"]Q6", b"]d4", b"]d5", b"]d6", b"]L1", b"]z3", b"]z4", b"]z5"})
"""AIM identifiers (ISO/IEC 15424) of codes that name the character set of their bytes (ECI)."""
_ECI_CODECS: Final = {
    3: "iso8859-1",
    20: "shift_jis",
    25: "utf-16-be",
    26: "utf-8",
    27: "ascii",
    28: "big5",
    29: "gb18030",
    30: "euc-kr",
    32: "gb18030",
}
"""Assignment numbers of the AIM ECI registry; all others (899 is plain bytes) leave the character set open."""

_wechat: Any = None


def read_codes(image: Image, rules: CodeRules) -> list[Code | BadCode]:
    """What zxing-cpp reads, largest code first. The picture may be in colour or grey."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)  # quicker than its own conversion
    found = zxingcpp.read_barcodes(grey, formats=FORMATS, text_mode=zxingcpp.TextMode.HexECI)
    return [_judged(code, rules) for code in sorted(found, key=_size, reverse=True)]


def look_again(image: Image, rules: CodeRules) -> list[Code | BadCode]:
    """What the WeChat detector reads: QR codes only. It gives text and no bytes; `raw` is that text as UTF-8."""
    try:
        texts: Sequence[str] = _detector().detectAndDecode(image)[0]
    except (cv2.error, UnicodeDecodeError):  # opencv_contrib#2852: it raises on bytes that are no UTF-8
        return []
    return [check(Code(text.encode(), text, Encoding.DECLARED, "QRCode"), rules) for text in texts if text]


def _detector() -> Any:
    global _wechat  # noqa: PLW0603 - made once, when first needed; it holds no picture
    if _wechat is None:
        _wechat = cv2.wechat_qrcode_WeChatQRCode()  # type: ignore[attr-defined]  # not in the library's own stubs
    return _wechat


def _judged(found: Any, rules: CodeRules) -> Code | BadCode:
    kind = str(found.format).replace(" ", "").replace("-", "")
    declared = _declared(bytes.fromhex(found.text))
    if declared is not None:
        return check(Code(found.bytes, declared, Encoding.DECLARED, kind), rules)
    judged = judge(RawCode(found.bytes), rules)
    if not isinstance(judged, Code):
        return judged
    kanji = _kanji(judged) if kind == "QRCode" else None
    if kanji is not None:
        return check(Code(found.bytes, kanji, Encoding.SHIFT_JIS, kind), rules)
    judged.symbology = kind
    return judged


def _declared(data: bytes) -> str | None:
    """The text of a code that names its character sets; None for one that does not, or names one that is unknown."""
    if data[:3] not in _WITH_ECI:
        return None
    before, *rest = re.split(rb"\\(\d{6})", data[3:].replace(b"\\\\", b"\x00"))
    segments = [(_ECI_CODECS.get(int(number)), part) for number, part in zip(rest[::2], rest[1::2], strict=True)]
    try:
        return before.decode("ascii") + "".join(
            part.replace(b"\x00", b"\\").decode(codec or "unknown") for codec, part in segments
        )
    except (UnicodeDecodeError, LookupError):
        return None


def _kanji(code: Code) -> str | None:
    """The text of a code in QR's Kanji mode, which packs Shift JIS and which some encoders use for Chinese unasked.

    Taken only where the characters are common ones that way (of GB 2312) and rare ones as GB 18030.
    """
    if code.encoding is not Encoding.GB18030 or _is_common(code.text):
        return None
    try:
        text = code.raw.decode("shift_jis")
    except UnicodeDecodeError:
        return None
    return text if _is_common(text) else None


def _is_common(text: str) -> bool:
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _size(found: Any) -> int:
    """Twice the area, in pixels, by the shoelace formula."""
    place = found.position
    corners = [place.top_left, place.top_right, place.bottom_right, place.bottom_left]
    return abs(sum(int(a.x * b.y - b.x * a.y) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)))
