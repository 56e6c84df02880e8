"""Where an error came from, for a log line: file and line, never its text, which may hold what a person sent."""

import traceback


def where(error: BaseException) -> str:
    """`file:line` of the innermost frame, or `unknown`."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"
