"""Simulators in the place of a profile's devices, each in a folder of its own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware.addresses import MemoryAddress
from hardware.drivers import driver
from hardware.profile import Binding, bind
from hardware.roles import Role
from hardware.simulators.catalogue import make_simulator, simulated_drivers
from hardware.simulators.simulator import Place, Simulator


@contextmanager
def simulators_for(
    bindings: Iterable[Binding], folder: Path, *, baud: int | None = None
) -> Iterator[dict[Role, tuple[Simulator, Binding]]]:
    """A running simulator for each role, with the binding that reaches it. All are closed at the end."""
    made: dict[Role, tuple[Simulator, Binding]] = {}
    try:
        for binding in bindings:
            home = folder / binding.role
            home.mkdir(parents=True, exist_ok=True)
            simulator = make_simulator(binding.driver.id, Place(home, baud)).start()
            options = binding.options.model_dump(exclude_unset=True) | dict(simulator.options)
            made[binding.role] = (simulator, bind(binding.role, binding.driver.id, simulator.address, **options))
        yield made
    finally:
        for simulator, _ in made.values():
            simulator.close()


def everything_simulated() -> tuple[Binding, ...]:
    """A binding for every role that some simulated driver fills; its address is a placeholder to be replaced."""
    chosen: dict[Role, Binding] = {}
    for driver_id in simulated_drivers():
        declared = driver(driver_id)
        for role in sorted(declared.roles):
            chosen.setdefault(role, Binding(role, declared, MemoryAddress("nowhere"), declared.options()))
    return tuple(chosen[role] for role in Role if role in chosen)
