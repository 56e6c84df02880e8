"""Sample frames of window LED displays. There is no standard: each maker has bytes of his own, and these are two that
were published. A display of another make gets its own tables in the profile. Pure.

`xunpeng`: 9600 8N1, a number (low byte first) and its colour (00 green, 01 yellow, 02 red), answered; makers' page
m.zhiliandun.com/index.php/proview-133-10.html. Its text and its example differ in how the answer looks; both are
understood. `packet4`: 9600 8N1, id, number (high byte first), sum; never answered; musicexecdevelopment.com/8238227.
"""

from enum import StrEnum
from typing import Final

from hardware.frame_table import FrameTable


class Sample(StrEnum):
    """One of the published samples."""

    XUNPENG = "xunpeng"
    PACKET4 = "packet4"


WRITE: Final = {
    Sample.XUNPENG: FrameTable(("3A", "colour", "number:le16", "info", "sum8", "0A")),
    Sample.PACKET4: FrameTable(("address", "number:be16", "sum8")),
}
ANSWERS: Final = {
    Sample.XUNPENG: (
        FrameTable(("2A", "colour", "number:le16", "info", "sum8", "0A")),
        FrameTable(("3A", "info", "sum8", "0A")),
    ),
    Sample.PACKET4: (),
}
