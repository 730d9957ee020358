"""Senders from the command line."""

from typing import Annotated

import typer
from chappe_client import Chappe, v1

from cli.connection import call
from cli.output import console, print_table

app = typer.Typer(help="Make senders (our WhatsApp numbers) and look at them.", no_args_is_help=True)


@app.command("create")
def create(
    phone_number_id: Annotated[str, typer.Option(help="Meta's id of the number.")],
    waba_id: Annotated[str, typer.Option(help="Meta's id of the WhatsApp Business Account.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
) -> None:
    """Make a sender, and ask WhatsApp for its number, quality and throughput."""
    sender = v1.Sender(phone_number_id=phone_number_id, whatsapp_account_id=waba_id, display_name=name)
    console.print(call(lambda client: create_and_refresh(client, sender)).name)


@app.command("refresh")
def refresh(name: Annotated[str, typer.Argument(help="senders/…")]) -> None:
    """Ask WhatsApp for a sender's quality, throughput and limit again."""
    _print([call(lambda client: client.senders.refresh_sender(v1.RefreshSenderRequest(name=name)))])


@app.command("list")
def show() -> None:
    """List senders."""
    _print(call(_all))


async def create_and_refresh(client: Chappe, sender: v1.Sender) -> v1.Sender:
    """Makes a sender and reads from WhatsApp what it can do."""
    made = await client.senders.create_sender(v1.CreateSenderRequest(sender=sender))
    return await client.senders.refresh_sender(v1.RefreshSenderRequest(name=made.name))


async def _all(client: Chappe) -> list[v1.Sender]:
    return [sender async for sender in client.senders.list_all_senders(v1.ListSendersRequest())]


def _print(senders: list[v1.Sender]) -> None:
    rows = [
        (
            s.name,
            s.phone_number,
            s.verified_name,
            s.state.name,
            s.quality.name,
            f"{s.messages_per_second:g}/s",
            s.messaging_limit,
        )
        for s in senders
    ]
    print_table(("name", "number", "called", "state", "quality", "pace", "limit"), rows)
