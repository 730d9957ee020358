"""The long-running processes, and the migrations that come before them."""

from typing import Annotated

import typer

from cli.output import console, explaining
from core.migrate import MigrationFailed, migrate
from core.settings import Settings, SettingsError


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("migrate")(run_migrations)
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command(
        "simulator",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )(simulator)


@explaining(SettingsError, MigrationFailed)
def run_migrations() -> None:
    """Bring the database to the newest schema; safe to run from many machines at once."""
    migrate(Settings.load().database_url)
    console.print("The database is at the newest schema.")


@explaining(SettingsError)
def serve(
    processes: Annotated[int, typer.Option(min=1, help="How many processes share the port.")] = 1,
    ports_apart: Annotated[
        bool,
        typer.Option("--ports-apart", help="Give each its own port, counted up: for a proxy that deals out calls."),
    ] = False,
) -> None:
    """Serve the gRPC contract (CHAPPE_GRPC_HOST, CHAPPE_GRPC_PORT)."""
    from server.__main__ import main  # noqa: PLC0415 - each process loads only its own code

    main(processes=processes, ports_apart=ports_apart)


@explaining(SettingsError)
def worker() -> None:
    """Expand campaigns, send messages, apply receipts; run as many as you like."""
    from workers.__main__ import main  # noqa: PLC0415 - as above

    main()


def simulator(context: typer.Context) -> None:
    """Run a WhatsApp Cloud API of our own (`chappe simulator --help`)."""
    from simulator.__main__ import main  # noqa: PLC0415 - as above

    raise typer.Exit(main(context.args, program="chappe simulator"))
