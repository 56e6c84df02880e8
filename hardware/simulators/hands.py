"""A person's hands at simulated devices: they do what a step of a self-test asks for, after the time a person takes."""

import threading
from typing import Final

from hardware.self_test import Progress, StepBegun
from hardware.simulators.simulator import Simulator

REACTION_S: Final = 0.15


class Hands:
    """`said` hears the progress of a self-test, on any thread; `rest` ends what was begun."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._moving: threading.Timer | None = None

    def said(self, progress: Progress | None) -> None:
        """A step that asks for something sets the hands in motion."""
        if isinstance(progress, StepBegun) and progress.request is not None:
            self.rest()
            self._moving = threading.Timer(REACTION_S, self._simulator.help_self_test)
            self._moving.start()

    def rest(self) -> None:
        """Do nothing more; what is being done is waited for."""
        if self._moving is not None:
            self._moving.cancel()
            self._moving.join()
            self._moving = None
