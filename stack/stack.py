"""Everything of one machine, started in order and stopped in reverse, whatever happens in between."""

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Self

from core.migrate import migrate
from stack import programs
from stack.envoy import Envoy
from stack.interrupts import as_exceptions, held_back
from stack.ports import Ports
from stack.process import Command, Process
from stack.servers import Servers

_NOTHING: Mapping[str, str] = MappingProxyType({})
_SECRETS = ("access_token", "app_secret", "verify_token", "hash_key")


class Stack:
    """Runs the servers, the simulator, the API, the webhook door, workers and Envoy on free loopback ports."""

    def __init__(
        self,
        *,
        directory: Path | None = None,
        apis: int = 1,
        workers: int = 2,
        durable: bool = True,
        settings: Mapping[str, str] = _NOTHING,
        simulator_settings: Mapping[str, str] = _NOTHING,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Takes the folder that keeps data and logs (none: a temporary one), numbers of processes, further settings."""
        ports = Ports()
        self._exits = ExitStack()
        self._say = say
        self._workers = workers
        self._further_settings = dict(settings)
        self._simulator_settings = dict(simulator_settings)
        self.servers = Servers(directory=directory, ports=ports, durable=durable, say=say)
        self.api_ports = [ports.take() for _ in range(apis)]
        self.webhooks_port = ports.take()
        self.simulator_port = ports.take()
        self.metrics_ports = {
            name: ports.take()
            for name in (
                *(f"api-{number + 1}" for number in range(apis)),
                "webhooks",
                *(f"worker-{number + 1}" for number in range(workers)),
            )
        }
        self.envoy = Envoy(directory=self.servers.directory, ports=ports, api_ports=self.api_ports)
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> Self:
        """Starts everything and returns when all of it is ready; when a part fails, what was started is stopped."""
        try:
            self._exits.enter_context(as_exceptions())
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stops everything in reverse."""
        self.stop()

    @property
    def directory(self) -> Path:
        """Returns the folder with data and logs."""
        return self.servers.directory

    @property
    def api_address(self) -> str:
        """Returns where the gRPC door answers: host and port of its first process."""
        return f"127.0.0.1:{self.api_ports[0]}"

    @property
    def envoy_url(self) -> str:
        """Returns where Envoy answers with gRPC, gRPC-Web and JSON."""
        return f"http://127.0.0.1:{self.envoy.port}"

    @property
    def webhooks_url(self) -> str:
        """Returns where WhatsApp delivers its webhooks."""
        return f"http://127.0.0.1:{self.webhooks_port}/webhooks/whatsapp"

    @property
    def simulator_url(self) -> str:
        """Returns where the simulated Cloud API answers."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def settings(self) -> dict[str, str]:
        """Returns the CHAPPE_ variables each process of this stack is started with."""
        kept = self._kept_secrets()
        return {
            "CHAPPE_DATABASE_URL": self.servers.postgres.url(),
            "CHAPPE_QUEUE_URL": self.servers.queue.url(),
            "CHAPPE_CACHE_URL": self.servers.cache.url(),
            "CHAPPE_WHATSAPP_BASE_URL": self.simulator_url,
            "CHAPPE_WHATSAPP_ACCESS_TOKEN": kept["access_token"],
            "CHAPPE_WHATSAPP_APP_SECRET": kept["app_secret"],
            "CHAPPE_WHATSAPP_VERIFY_TOKEN": kept["verify_token"],
            "CHAPPE_HASH_KEY": kept["hash_key"],
            "CHAPPE_WEBHOOKS_PORT": str(self.webhooks_port),
            "CHAPPE_GRPC_PORT": str(self.api_ports[0]),
            "CHAPPE_API_ADDRESS": self.api_address,
            "CHAPPE_UNCONFIRMED_GRACE_SECONDS": "60",
            **self._further_settings,
        }

    def stop(self) -> None:
        """Stops everything in reverse; a further Ctrl-C does not cut that short."""
        with held_back():
            for process in self.processes.values():
                process.ask_to_stop()
            self._exits.close()
            self.processes.clear()

    def launch(self, command: Command) -> Process:
        """Starts one more process, which stops with the stack, without waiting until it is ready."""
        process = self.processes[command.name] = Process(command)
        self._exits.callback(process.stop)
        process.launch()
        return process

    def _start(self) -> None:
        self._exits.enter_context(self.servers)
        self._say("applying migrations")
        migrate(self.servers.postgres.url())
        self._say("starting the simulator, the API, the webhook door and the workers")
        started = [self.launch(command) for command in self._commands()]
        for process in started:
            process.wait_ready()
        self._say("starting Envoy")
        self._exits.enter_context(self.envoy)

    def _commands(self) -> list[Command]:
        settings = self.settings
        apis = [{**settings, "CHAPPE_GRPC_PORT": str(port)} for port in self.api_ports]
        return [
            self._simulator(),
            *(self._program("serve", f"api-{number}", own) for number, own in enumerate(apis, start=1)),
            self._program("webhooks", "webhooks", settings),
            *(self._program("worker", f"worker-{number + 1}", settings) for number in range(self._workers)),
        ]

    def _program(self, verb: str, name: str, settings: Mapping[str, str]) -> Command:
        own = {"CHAPPE_METRICS_PORT": str(self.metrics_ports[name])}
        return programs.chappe(verb, name=name, directory=self.directory, settings={**own, **settings})

    def _simulator(self) -> Command:
        kept = self._kept_secrets()
        settings = {
            "SIMULATOR_PROFILE": "demo",
            "SIMULATOR_WEBHOOK_URL": self.webhooks_url,
            "SIMULATOR_ACCESS_TOKEN": kept["access_token"],
            "SIMULATOR_APP_SECRET": kept["app_secret"],
            "SIMULATOR_VERIFY_TOKEN": kept["verify_token"],
            **self._simulator_settings,
        }
        return programs.simulator(directory=self.directory, port=self.simulator_port, settings=settings)

    def _kept_secrets(self) -> dict[str, str]:
        path = self.directory / "secrets.json"
        if not path.is_file():
            path.touch(mode=0o600)
            path.write_text(json.dumps({name: secrets.token_hex(16) for name in _SECRETS}))
        found: dict[str, str] = json.loads(path.read_text())
        return found
