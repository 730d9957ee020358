"""Ties the commands together: processes first, then what is done by calling the server."""

import typer

from cli import (
    campaigns,
    categories,
    contacts,
    demo,
    doctor,
    keys,
    messages,
    processes,
    recount,
    senders,
    stats,
    templates,
    up,
    webhooks,
)

app = typer.Typer(
    name="chappe",
    help="WhatsApp campaigns that lose nothing, repeat nothing, and can say for every contact what happened.",
    epilog="Settings are CHAPPE_* environment variables; `chappe doctor` checks them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

processes.register(app)
up.register(app)
demo.register(app)
doctor.register(app)
stats.register(app)
app.add_typer(webhooks.app, name="webhooks")
recount.register(app)
app.add_typer(keys.app, name="keys")
app.add_typer(contacts.app, name="contacts")
app.add_typer(categories.app, name="categories")
app.add_typer(senders.app, name="senders")
app.add_typer(templates.app, name="templates")
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(messages.app, name="messages")
