"""An event loop on a virtual clock, with processes that can be killed, stopped and continued between any two steps.

One thread, no real time: timers that are due fire in order, everything ready runs first in, first out, and the clock
jumps to the next timer when nothing is ready. A step is one callback, so there is a step between any two awaits. The
same work on the same loop always takes the same steps.
"""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")

_RUNS_IN: "ContextVar[Process | None]" = ContextVar("process", default=None)
WORLD = Context()
"""Where the world's own callbacks run: broker, weather, people. They belong to no process and outlive all."""


class Killed(BaseException):
    """Unwinds a step in which its process was killed; nothing in a process may catch it."""


class _Handle:
    """A callback that waits for its turn or its time."""

    __slots__ = ("_at", "args", "callback", "context", "gone")

    def __init__(self, callback: Callable[..., Any], args: tuple[Any, ...], context: Context, at: float) -> None:
        self.callback, self.args, self.context, self._at, self.gone = callback, args, context, at, False

    def cancel(self) -> None:
        self.gone = True

    def cancelled(self) -> bool:
        return self.gone

    def when(self) -> float:
        return self._at


class Process:
    """A program with its memory. Once dead it never runs again; a new start is a new process."""

    def __init__(self, name: str, loop: "VirtualLoop") -> None:
        self.name = name
        self.loop = loop
        self.dead = False
        self.stopped = False
        self.steps_to_death: int | None = None
        self.on_death: Callable[[], None] = lambda: None
        self.stops_before: str | None = None
        """Name of the work on its worker thread before which it is stopped, once."""
        self.on_stop: Callable[[], None] = lambda: None
        self._held: list[_Handle] = []
        self._context = copy_context()
        self._context.run(_RUNS_IN.set, self)

    def start(self, main: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run a coroutine as a task of this process."""
        return self._context.copy().run(self.loop.create_task, main)

    def call(self, callback: Callable[..., Any], *args: Any) -> None:
        """Something reaches the process from outside: lost on a dead one, kept for a stopped one."""
        self.loop.ready(_Handle(callback, args, self._context, self.loop.time()))

    def kill(self) -> None:
        """As `kill -9`, or a power cut: not one step more."""
        if not self.dead:
            self.dead = True
            self._held.clear()
            self.on_death()

    def stop(self) -> None:
        """As SIGSTOP: its clocks go on."""
        self.stopped = True

    def go_on(self) -> None:
        """As SIGCONT: all that was due meanwhile is due now."""
        self.stopped = False
        for handle in self._held:
            self.loop.ready(handle)
        self._held.clear()

    def may_step(self, handle: _Handle) -> bool:
        """Whether this step is taken now; a stopped process keeps it."""
        if self.dead:
            return False
        if self.stopped:
            self._held.append(handle)
            return False
        if self.steps_to_death is not None:
            self.steps_to_death -= 1
            if self.steps_to_death <= 0:
                self.kill()
                return False
        return True


def running() -> Process | None:
    """The process whose step it is."""
    return _RUNS_IN.get()


class VirtualLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as the programs use."""

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[_Handle] = deque()
        self._timers: list[tuple[float, int, _Handle]] = []
        self._scheduled = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self.steps = 0

    # --- what asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> Any:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        # held until the end: what a dead process left must not run its `finally` when the garbage is collected
        self._tasks.append(task)
        return task

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, copy_context() if context is None else context, self._now)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_soon(callback, *args, context=context)

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> Any:
        handle = _Handle(callback, args, copy_context() if context is None else context, when)
        self._scheduled += 1
        heapq.heappush(self._timers, (when, self._scheduled, handle))
        return handle

    def run_in_executor(self, _executor: Any, work: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        """A worker thread: the work is one step, that its caller hears of it another one."""
        done = self.create_future()

        def do() -> None:
            try:
                result = work(*args)
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                self.call_soon(_settle, done, None, error)
            else:
                self.call_soon(_settle, done, result, None)

        self.call_later(WORK_TAKES_S, do)
        return done

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Programs log their own failures; what a dead one left is nobody's."""

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """As above."""

    # --- what the simulation does with it

    def ready(self, handle: _Handle) -> None:
        self._ready.append(handle)

    def run_until(self, end: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Take every step that is due until `end` (virtual seconds), or until `enough`, asked after each moment."""
        outer = events._get_running_loop()  # the simulation may itself be called within a running loop's test
        events._set_running_loop(self)
        try:
            while not enough():
                self._drain()
                if not self._timers or self._timers[0][0] > end:
                    self._now = max(self._now, end)
                    return
                self._now = max(self._now, self._timers[0][0])
                while self._timers and self._timers[0][0] <= self._now:
                    self._ready.append(heapq.heappop(self._timers)[2])
        finally:
            events._set_running_loop(outer)

    def end(self) -> None:
        """Close what still waits; what it does on its way out is nobody's business any more."""
        outer = events._get_running_loop()
        events._set_running_loop(self)
        try:
            for task in self._tasks:
                if not task.done():
                    _close(task)
        finally:
            events._set_running_loop(outer)
            self._ready.clear()
            self._timers.clear()
            self._tasks.clear()

    def _drain(self) -> None:
        ready = self._ready
        while ready:
            handle = ready.popleft()
            if handle.gone:
                continue
            process = handle.context.get(_RUNS_IN)
            if process is not None and not process.may_step(handle):
                continue
            self.steps += 1
            try:
                handle.context.run(handle.callback, *handle.args)
            except Killed:
                continue


def _close(task: "asyncio.Task[Any]") -> None:
    """A coroutine may wait again while it is closed; then it is closed again."""
    work = task.get_coro()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch
    for _ in range(8):
        try:
            work.close()
        except BaseException:  # noqa: BLE001 - whatever it says, it is over
            continue
        return


WORK_TAKES_S = 0.0005
"""Of virtual time, for a piece of work on a worker thread."""


def _settle(done: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


class LoopWorker:
    """A `Worker` whose thread is the loop's executor."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        done = asyncio.get_running_loop().run_in_executor(None, work, *arguments)
        process = running()
        if process is not None and process.stops_before == getattr(work, "__name__", ""):
            process.stops_before = None
            process.stop()
            process.on_stop()
        found: Result = await done
        return found

    def close(self) -> None:
        """There is no thread to end."""
