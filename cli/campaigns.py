"""Campaigns from the command line."""

from datetime import datetime
from typing import Annotated

import typer
from chappe_client import Chappe, v1
from rich.markup import escape

from cli.binding_options import parse_bindings
from cli.connection import call
from cli.output import print_table, say
from cli.times import as_utc, in_utc, time_option
from cli.watch import watch
from cli.words import counted, lasting

app = typer.Typer(help="Make campaigns, start them, follow them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="campaigns/…")]


@app.command("create")
def create(  # noqa: PLR0917 - options are given by name
    display_name: Annotated[str, typer.Argument(help="What people call it.")],
    sender: Annotated[str, typer.Option(help="senders/…")],
    template: Annotated[str, typer.Option(help="templates/…")],
    category: Annotated[list[str] | None, typer.Option(help="categories/… to reach; repeatable.")] = None,
    all_contacts: Annotated[bool, typer.Option("--all-contacts", help="Reach everybody.")] = False,
    bind: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a parameter's value comes from: body.1=attribute:first_name|friend, body.2=literal:25 %,"
            " header.image=literal:https://…, button0.1=attribute:path; repeatable."
        ),
    ] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Send again when the outcome stays unknown.")] = False,
) -> None:
    """Make a draft."""
    policy = v1.CampaignUnconfirmedPolicy.RESEND if resend else v1.CampaignUnconfirmedPolicy.UNSPECIFIED
    campaign = v1.Campaign(
        display_name=display_name, sender=sender, template=template, bindings=parse_bindings(bind or []),
        audience=v1.Audience(all_contacts=all_contacts, categories=category or []), unconfirmed_policy=policy,
    )  # fmt: skip
    say(call(lambda client: client.campaigns.create_campaign(v1.CreateCampaignRequest(campaign=campaign))).name)


@app.command("list")
def show(
    since: Annotated[datetime | None, time_option("Only created then or later.")] = None,
    until: Annotated[datetime | None, time_option("Only created before.")] = None,
) -> None:
    """List campaigns, newest first."""
    request = v1.ListCampaignsRequest(start_time=as_utc(since), end_time=as_utc(until))
    print_table(("name", "called", "state", "audience", "started (UTC)"), call(lambda client: _rows(client, request)))


@app.command("preview")
def preview(name: Name) -> None:
    """Show whom a campaign would reach, how it would read, and what stands in its way."""
    print_preview(
        call(lambda client: client.campaigns.preview_campaign(v1.PreviewCampaignRequest(name=name, sample_count=2)))
    )


@app.command("start")
def start(
    name: Name,
    follow: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    at: Annotated[datetime | None, time_option("Start it then.", takes_day=False)] = None,
) -> None:
    """Start a draft, now or later."""
    call(lambda client: _start(client, name, at=at, follow=follow))


@app.command("watch")
def follow(name: Name) -> None:
    """Follow a campaign to its end."""
    call(lambda client: watch(client, name))


@app.command("pause")
def pause(name: Name, reason: Annotated[str, typer.Option(help="Shown to others.")] = "") -> None:
    """Send nothing more until it is resumed."""
    request = v1.PauseCampaignRequest(name=name, pause_reason=reason)
    _print_state(call(lambda client: client.campaigns.pause_campaign(request)))


@app.command("resume")
def resume(name: Name) -> None:
    """Go on with a paused campaign."""
    _print_state(call(lambda client: client.campaigns.resume_campaign(v1.ResumeCampaignRequest(name=name))))


@app.command("cancel")
def cancel(name: Name) -> None:
    """Stop a campaign for good; what was not sent never will be."""
    _print_state(call(lambda client: client.campaigns.cancel_campaign(v1.CancelCampaignRequest(name=name))))


@app.command("retry")
def retry(
    name: Name,
    code: Annotated[list[int] | None, typer.Option(help="Only failures with this error code; repeatable.")] = None,
) -> None:
    """Send failed messages again."""
    request = v1.RetryFailedMessagesRequest(name=name, error_codes=code or [])
    print_retry(call(lambda client: client.campaigns.retry_failed_messages(request)))


def print_retry(reply: v1.RetryFailedMessagesResponse) -> None:
    """Prints how many messages are sent again, and of those that were left why."""
    say(f"{counted(reply.message_count, 'message')} will be sent again.")
    if reply.too_early_count:
        say(f"  left: {reply.too_early_count:,}; it is too early: WhatsApp wants 24 hours to pass first")
    if reply.may_arrive_count:
        say(f"  left for a day: {reply.may_arrive_count:,}; an earlier attempt may still arrive")


def print_preview(reply: v1.PreviewCampaignResponse) -> None:
    """Prints a preview in a few lines."""
    time = f", in about {lasting(reply.send_duration)}" if reply.send_duration else ""
    say(f"{counted(reply.audience_count, 'contact')}, {reply.sendable_count:,} will get a message{time}")
    for skip in reply.skips:
        say(f"  skipped: {skip.message_count:,} {skip.reason}")
    for missing in reply.missing_variables:
        say(f"  no value for {missing.value}: {counted(missing.contact_count, 'contact')}")
    for problem in reply.problems:
        say(f"  [red]{problem.reason}[/]: {escape(problem.description)}")
    for sample in reply.samples:
        say(f"  “{escape(sample.body)}”")


async def _start(client: Chappe, name: str, *, at: datetime | None, follow: bool) -> None:
    campaign = await client.campaigns.start_campaign(v1.StartCampaignRequest(name=name, schedule_time=as_utc(at)))
    _print_state(campaign)
    if follow:
        await watch(client, name)


async def _rows(client: Chappe, request: v1.ListCampaignsRequest) -> list[tuple[str, ...]]:
    listed = client.campaigns.list_all_campaigns(request)
    return [(c.name, c.display_name, c.state.name, f"{c.audience_count:,}", in_utc(c.start_time)) async for c in listed]


def _print_state(campaign: v1.Campaign) -> None:
    say(f"{campaign.name} is {(campaign.state.name or '').lower()}.")
