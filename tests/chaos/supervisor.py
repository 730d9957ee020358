"""Starts again what has died, as a machine's own supervisor would, and knows since when each one answers."""

import asyncio
from dataclasses import dataclass, field

from core.clock import Clock
from stack.process import Process

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class _Watched:
    process: Process
    ready_time: float = 0.0
    is_ready: bool = True


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Watches processes; what is held down stays dead until it is let go."""

    clock: Clock
    held: set[str] = field(default_factory=set)
    restarts: int = 0
    _watched: dict[str, _Watched] = field(default_factory=dict)

    def watch(self, name: str, process: Process) -> None:
        """Begins to watch a process that runs."""
        self._watched[name] = _Watched(process)

    def process(self, name: str) -> Process:
        """Returns the process of that name."""
        return self._watched[name].process

    def kill(self, name: str) -> None:
        """Kills a process with -9; it is started again within a tenth of a second."""
        self.process(name).kill()
        self.expect(name)

    def expect(self, name: str) -> None:
        """Notes that a process goes down, so that `up_again` waits for its return."""
        self._watched[name].is_ready = False

    async def up_again(self, name: str) -> float:
        """Returns when (monotonic) the process was ready again."""
        while not self._watched[name].is_ready:
            await asyncio.sleep(_LOOK_SECONDS)
        return self._watched[name].ready_time

    async def all_up(self) -> None:
        """Returns once every process is ready."""
        for name in self._watched:
            await self.up_again(name)

    async def run(self) -> None:
        """Restarts what is dead until cancelled; call it on the main thread, whose death ends the processes."""
        while True:
            for name, watched in self._watched.items():
                if name not in self.held:
                    self._look(watched)
            await asyncio.sleep(_LOOK_SECONDS)

    def _look(self, watched: _Watched) -> None:
        process = watched.process
        if not process.is_running():
            process.launch()
            self.restarts += 1
            watched.is_ready = False
        elif not watched.is_ready and process.command.ready(process.pid):
            watched.is_ready, watched.ready_time = True, self.clock.monotonic()
