"""Templates from the command line."""

from typing import Annotated

import typer
from chappe_client import Chappe, v1

from cli.binding_options import name_parameter
from cli.connection import call
from cli.output import print_table, say

app = typer.Typer(help="Sync templates from WhatsApp and look at them.", no_args_is_help=True)


@app.command("sync")
def sync(sender: Annotated[str, typer.Argument(help="senders/…, whose account's templates are read.")]) -> None:
    """Read all templates of a sender's account from WhatsApp."""
    reply = call(lambda client: client.templates.sync_templates(v1.SyncTemplatesRequest(sender=sender)))
    say(
        f"{reply.created_count} created, {reply.updated_count} updated, {reply.unchanged_count} unchanged,"
        f" {reply.deleted_count} deleted",
    )


@app.command("list")
def show() -> None:
    """List templates."""
    print_table(("name", "template", "language", "category", "state", "parameters"), call(_rows))


async def _rows(client: Chappe) -> list[tuple[str, ...]]:
    listed = client.templates.list_all_templates(v1.ListTemplatesRequest())
    return [
        (each.name, each.template_name, each.language_code, each.template_category.name, each.state.name,
         ", ".join(map(name_parameter, each.parameters)))
        async for each in listed
    ]  # fmt: skip
