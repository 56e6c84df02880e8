"""A process of its own around one call of a maker's photo library: photo on standard input, value and bytes back.

Arguments: path of the library, name of the function, its third argument. Writes the returned value (4 bytes, little
endian) and 38862 bytes. Run by `hardware.id_card.photo`; imports nothing of the project, so that it starts quickly.
"""

import ctypes
import os
import resource
import sys

SIZE = 38862
SLACK = 4096
"""Room behind the picture for libraries that write a little more than they should."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path, symbol, option = sys.argv[1:4]
    photo = sys.stdin.buffer.read(1024)
    out = os.dup(1)
    os.dup2(2, 1)  # what the library itself prints must not be taken for pixels
    function = getattr(ctypes.CDLL(path), symbol)
    function.restype = ctypes.c_int
    function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int)
    source = ctypes.create_string_buffer(photo, 1024 + SLACK)
    target = ctypes.create_string_buffer(SIZE + SLACK)
    value = function(ctypes.cast(source, ctypes.c_char_p), ctypes.cast(target, ctypes.c_char_p), int(option))
    with os.fdopen(out, "wb") as answer:
        answer.write(value.to_bytes(4, "little", signed=True) + target.raw[:SIZE])


if __name__ == "__main__":
    main()
