"""The main job, on this machine alone: from CSV files to read receipts, checked against the simulator's own list."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from chappe_client import Chappe, v1
from chappe_client.errors import ChappeError
from chappe_client.imports import ImportOptions

from cli import doors
from cli.campaigns import print_preview
from cli.contacts import import_with_progress, print_summary
from cli.demo_data import DemoFile, write_files
from cli.output import explaining, fail, say, step
from cli.senders import create_and_refresh
from cli.settling import wait_for_receipts
from cli.stats import print_counts
from cli.truth import Comparison, compare
from cli.watch import watch
from cli.words import counted
from core.clock import Clock, SystemClock
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.process import StartError
from stack.stack import Stack

# Of the simulator's numbers, the one with the upgraded throughput.
_PHONE_NUMBER_ID = "100000000000002"
_ACCOUNT_ID = "200000000000001"
_TEMPLATE = "spring_sale"
# A lost answer is given up after this long; the receipt has come by then.
_SETTINGS = {"CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "10"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Holds what the steps of one demo share."""

    client: Chappe
    stack: Stack
    key: str
    folder: Path
    clock: Clock


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("demo")(demo)


@explaining(StartError, ChappeError, doors.DoorClosedError, aiohttp.ClientError)
def demo(
    keep: Annotated[Path | None, typer.Option(help="Keep the CSV files and logs in this folder.")] = None,
) -> None:
    """Send a real campaign to 10,000 contacts on an embedded stack, and check every message against the simulator."""
    with tempfile.TemporaryDirectory(prefix="chappe-demo-") as temporary:
        folder = keep or Path(temporary)
        with Stack(directory=folder / "stack", settings=_SETTINGS, say=step) as stack:
            comparison = asyncio.run(_run(stack, folder))
    _conclude(comparison)


async def _run(stack: Stack, folder: Path) -> Comparison:
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        key = await create_key(Store(database), role="ADMIN", display_name="demo")
    async with Chappe(stack.api_address, key=key) as client:
        demo = Demo(client=client, stack=stack, key=key, folder=folder, clock=SystemClock())
        return await _walk(demo)


async def _walk(demo: Demo) -> Comparison:
    categories = [await _import(demo, file) for file in write_files(demo.folder)]
    template, sender = await _prepare_sender(demo)
    campaign = await _create(demo, sender=sender, template=template, categories=categories)
    await _call_by_three_ways(demo)
    await _act_out(demo)
    started = demo.clock.monotonic()
    await demo.client.campaigns.start_campaign(v1.StartCampaignRequest(name=campaign))
    await watch(demo.client, campaign)
    sent = demo.clock.monotonic() - started
    step(f"all sent in {sent:.1f} s; waiting for the last receipts")
    await wait_for_receipts(demo.client, campaign, demo.stack.simulator_url, demo.clock)
    return await _summarise(demo, campaign)


async def _import(demo: Demo, file: DemoFile) -> str:
    step(f"importing {file.path.name} ({counted(file.good_rows + file.bad_rows, 'row')}) into {file.category}")
    rejects = file.path.with_suffix(".rejects.csv")
    options = ImportOptions(categories=[file.category], default_region="FR")
    summary = await import_with_progress(demo.client, file.path, options, rejects)
    print_summary(summary, rejects)
    if (
        summary.totals is None
        or summary.totals.rejected_count != file.bad_rows
        or summary.totals.created_count != file.good_rows
    ):
        expected = f"{counted(file.good_rows, 'contact')} and {counted(file.bad_rows, 'reject')}"
        fail(f"{file.path.name} should have made {expected}.")
    return summary.categories[0]


async def _prepare_sender(demo: Demo) -> tuple[v1.Template, v1.Sender]:
    made = v1.Sender(phone_number_id=_PHONE_NUMBER_ID, whatsapp_account_id=_ACCOUNT_ID, display_name="Demo shop")
    sender = await create_and_refresh(demo.client, made)
    step(f"sender {sender.phone_number} may send {sender.messages_per_second:g} messages a second")
    synced = await demo.client.templates.sync_templates(v1.SyncTemplatesRequest(sender=sender.name))
    step(f"{counted(synced.created_count, 'template')} synced")
    request = v1.ListTemplatesRequest(template_name=_TEMPLATE, language_code="en_US")
    return (await demo.client.templates.list_templates(request)).templates[0], sender


async def _create(demo: Demo, *, sender: v1.Sender, template: v1.Template, categories: list[str]) -> str:
    campaign = v1.Campaign(
        display_name="Spring sale", sender=sender.name, template=template.name,
        audience=v1.Audience(categories=categories), bindings=[_bind(parameter) for parameter in template.parameters],
    )  # fmt: skip
    made = await demo.client.campaigns.create_campaign(v1.CreateCampaignRequest(campaign=campaign))
    print_preview(
        await demo.client.campaigns.preview_campaign(v1.PreviewCampaignRequest(name=made.name, sample_count=2))
    )
    return made.name


def _bind(parameter: v1.TemplateParameter) -> v1.Binding:
    """The first name where the body begins, a literal everywhere else."""
    is_name = parameter.component == v1.BindingComponent.BODY and parameter.parameter == "1"
    source = v1.BindingSource.CONTACT_FIELD if is_name else v1.BindingSource.LITERAL
    return v1.Binding(
        component=parameter.component, index=parameter.index, parameter=parameter.parameter, source=source,
        value="display_name" if is_name else "25 %", default_value="friend" if is_name else "",
    )  # fmt: skip


async def _call_by_three_ways(demo: Demo) -> None:
    url = demo.stack.envoy_url
    counts = (
        await doors.by_grpc(url.removeprefix("http://"), demo.key),
        await doors.by_grpc_web(url, demo.key),
        await doors.by_json(url, demo.key),
    )
    if len(set(counts)) != 1:
        fail(f"gRPC, gRPC-Web and JSON gave different answers: {counts}")
    step(f"Envoy answers gRPC, gRPC-Web and JSON alike ({counted(counts[0], 'category', 'categories')})")


async def _act_out(demo: Demo) -> None:
    """Lets the simulator act out failures on some numbers, so that there is something to account for."""
    async with aiohttp.ClientSession(demo.stack.simulator_url) as session:
        await session.patch("/_sim/settings", json={"suffixes": True}, raise_for_status=True)


async def _summarise(demo: Demo, campaign: str) -> Comparison:
    stats = await demo.client.stats.get_campaign_stats(v1.GetCampaignStatsRequest(name=f"{campaign}/stats"))
    print_counts(stats.counts or v1.MessageCounts(), list(stats.failures), stats.double_count)
    return await compare(demo.client, campaign, demo.stack.simulator_url)


def _conclude(comparison: Comparison) -> None:
    say(
        f"The simulator accepted {counted(comparison.theirs.total(), 'message')};"
        f" Chappe knows what became of {comparison.ours.total():,} of them.",
    )
    for difference in comparison.differences[:20]:
        say(f"  [red]{difference}[/]")
    if comparison.differences:
        fail(f"{counted(len(comparison.differences), 'difference')} from the simulator's own list.")
    say("[bold green]No difference: nothing lost, nothing sent twice, every message accounted for.[/]")
