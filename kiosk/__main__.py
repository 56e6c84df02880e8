"""Entry of the terminal: `python -m kiosk --profile FILE [--headless]` puts screens and terminal together."""

import asyncio
import contextlib
import logging
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from kiosk.errors import BadProfile
from kiosk.profile import Profile, Secrets, load, load_secrets
from kiosk.terminal import Terminal
from wire.where import where

if TYPE_CHECKING:
    from screens.options import ScreenOptions

log = structlog.get_logger(__name__)


def main(
    profile: Annotated[Path, typer.Option(help="The terminal's profile (TOML).")],
    headless: Annotated[bool, typer.Option(help="Run without a screen.")] = False,
    guide: Annotated[
        Path | None, typer.Option(help="Take touches on command on this unix socket (demonstrations).")
    ] = None,
) -> None:
    """Serve citizens until stopped. Exit status 1: the profile cannot be used; 0: stopped or told to restart."""
    no_core_dumps()
    configure_logs()
    try:
        loaded = load(profile)
        keys = load_secrets(loaded)
    except BadProfile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    asyncio.run(_serve(loaded, keys) if headless else _serve_with_screens(loaded, keys, guide))


async def _serve(profile: Profile, keys: Secrets) -> None:
    terminal = asyncio.create_task(Terminal(profile, keys).run())
    _end_on_signals(terminal)
    with contextlib.suppress(asyncio.CancelledError):
        await terminal


async def _serve_with_screens(profile: Profile, keys: Secrets, guide: Path | None) -> None:
    """Screens and terminal on one loop; when one ends, both do."""
    from screens import environment  # noqa: PLC0415 - without a screen Kivy need not be installed

    environment.prepare(_screen_options(profile))
    from screens.app import StationApp  # noqa: PLC0415 - Kivy reads its environment while it is imported

    terminal = Terminal(profile, keys)
    app = StationApp(terminal.send, _screen_options(profile))
    terminal.on_view(app.show)
    tasks = [asyncio.create_task(terminal.run()), asyncio.create_task(app.async_run("asyncio"))]
    if guide is not None:
        from screens.guide import Guide  # noqa: PLC0415 - see above

        tasks.append(asyncio.create_task(Guide(app, lambda: terminal.view, guide).serve()))
    _end_on_signals(tasks[0])
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])  # the terminal first: it still shows views while it ends
    app.stop()
    for task in tasks[1:]:
        task.cancel()
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(error, Exception):
            log.error("program_ended", error=type(error).__name__, at=where(error))
            raise typer.Exit(1)


def _screen_options(profile: Profile) -> "ScreenOptions":
    from screens.options import ScreenOptions  # noqa: PLC0415 - see above

    screen = profile.screen
    return ScreenOptions(
        width=screen.width,
        height=screen.height,
        mm_per_px=screen.mm_per_pixel,
        full_screen=screen.full_screen,
        offscreen=screen.offscreen,
        home=profile.state_directory / "kivy",
    )


def _end_on_signals(task: asyncio.Task[None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def no_core_dumps() -> None:
    """A dump of this process would hold personal data."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def configure_logs() -> None:
    """JSON lines on standard error, those of libraries too; events are named, and never tell what a person gave."""
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*common, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setLevel(logging.WARNING)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json],
            foreign_pre_chain=common,
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)


if __name__ == "__main__":
    # an error in the log must not bring the variables of a visit with it
    entry = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    entry.command()(main)
    entry()
