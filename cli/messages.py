"""Messages from the command line: who got it, who did not, and why."""

import csv
import sys
from datetime import datetime
from typing import Annotated

import typer
from chappe_client import Chappe, v1

from cli.binding_options import parse_bindings
from cli.connection import call
from cli.output import errors, fail, print_table, say
from cli.times import as_utc, in_utc, time_option
from cli.words import counted

app = typer.Typer(help="See what became of each message; send a single one.", no_args_is_help=True)

_COLUMNS = (
    "name", "contact", "phone_number", "state", "reason", "error_code", "error_title",
    "accept_time", "send_time", "deliver_time", "read_time", "fail_time",
)  # fmt: skip

State = Annotated[str, typer.Option(help="Only messages in this state, such as FAILED or READ.")]


@app.command("list")
def show(
    campaign: Annotated[str, typer.Argument(help="campaigns/…; none: of all campaigns")] = "",
    state: State = "",
    since: Annotated[datetime | None, time_option("Only planned then or later.")] = None,
    until: Annotated[datetime | None, time_option("Only planned before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
) -> None:
    """List messages of a campaign in the order they were planned, or of all, newest first."""
    request = v1.ListMessagesRequest(
        parent=campaign, page_size=limit, state=read_state(state), start_time=as_utc(since), end_time=as_utc(until)
    )
    reply = call(lambda client: client.messages.list_messages(request))
    rows = [(_number(m), m.state.name, m.reason, m.error_code or "", m.error_title, m.name) for m in reply.messages]
    print_table(("number", "state", "reason", "code", "what WhatsApp said", "name"), rows)


@app.command("export")
def export(campaign: Annotated[str, typer.Argument(help="campaigns/…")], state: State = "") -> None:
    """Write every message of a campaign to standard output as CSV, with the time of each step."""
    request = v1.ExportMessagesRequest(parent=campaign, state=read_state(state))
    errors.print(counted(call(lambda client: _export(client, request)), "message"), highlight=False)


@app.command("send")
def send(
    to: Annotated[str, typer.Argument(help="A number with +, or contacts/…")],
    sender: Annotated[str, typer.Option(help="senders/…")],
    template: Annotated[str, typer.Option(help="templates/…")] = "",
    bind: Annotated[list[str] | None, typer.Option(help="As of `chappe campaigns create`.")] = None,
    text: Annotated[str, typer.Option(help="Plain text, while the contact's 24-hour window is open.")] = "",
) -> None:
    """Send one message now, ahead of every campaign."""
    content = v1.SendMessageRequestTemplateContent(template=template, bindings=parse_bindings(bind or []))
    request = v1.SendMessageRequest(
        sender=sender,
        contact=to if to.startswith("contacts/") else None,
        phone_number=None if to.startswith("contacts/") else to,
        template_content=content if template else None,
        text=text or None,
    )
    say(call(lambda client: client.messages.send_message(request)).name)


def read_state(name: str) -> v1.MessageState:
    """Reads a state by its name, any state when it is empty."""
    try:
        return v1.MessageState[name.upper()] if name else v1.MessageState.UNSPECIFIED
    except KeyError:
        known = ", ".join(state.name or "" for state in v1.MessageState if state)
        fail(f"there is no state {name}; there are {known}.", code=2)


async def _export(client: Chappe, request: v1.ExportMessagesRequest) -> int:
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    written = 0
    async for message in client.export_messages(request):
        written += 1
        times = (message.accept_time, message.send_time, message.deliver_time, message.read_time, message.fail_time)
        writer.writerow((message.name, message.contact, _number(message), message.state.name, message.reason,
                         message.error_code or "", message.error_title, *(in_utc(time) for time in times)))  # fmt: skip
    return written


def _number(message: v1.Message) -> str:
    return "" if message.contact_detail is None else message.contact_detail.phone_number
