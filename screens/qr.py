"""The QR code of a ticket's live page, drawn with sharp modules and its quiet zone."""

import qrcode
from kivy.graphics.texture import Texture
from kivy.properties import StringProperty
from kivy.uix.image import Image

QUIET_ZONE = 4
"""Modules around the code (ISO/IEC 18004)."""


class QrCode(Image):
    """Shows `content` as a QR code, dark on white in every palette; nothing for no content."""

    content = StringProperty("")
    spoken = StringProperty("")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(fit_mode="contain", **kwargs)
        self._drawn: tuple[int, Texture] | None = None
        self.on_content(self, self.content)

    def on_content(self, _code: object, content: str) -> None:
        if not content:
            self.texture, self.opacity = None, 0
            return
        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
        code.add_data(content)
        code.make(fit=True)
        rows = code.get_matrix()
        edge = len(rows)
        if self._drawn is None or self._drawn[0] != edge:
            texture = Texture.create(size=(edge, edge), colorfmt="luminance")
            texture.mag_filter = texture.min_filter = "nearest"
            self._drawn = edge, texture
        pixels = bytes(0 if dark else 255 for row in reversed(rows) for dark in row)
        texture = self._drawn[1]
        texture.blit_buffer(pixels, colorfmt="luminance", bufferfmt="ubyte")
        self.texture, self.opacity = texture, 1
        self.canvas.ask_update()
