"""Categories from the command line."""

from typing import Annotated

import typer
from chappe_client import Chappe, v1

from cli.connection import call
from cli.output import console, print_table

app = typer.Typer(help="Look at categories and make them.", no_args_is_help=True)


@app.command("list")
def show() -> None:
    """List categories with how many contacts each has."""
    print_table(("name", "called", "contacts"), call(_rows))


@app.command("create")
def create(display_name: Annotated[str, typer.Argument(help="What people call it.")]) -> None:
    """Make a category."""
    request = v1.CreateCategoryRequest(category=v1.Category(display_name=display_name))
    console.print(call(lambda client: client.categories.create_category(request)).name)


async def _rows(client: Chappe) -> list[tuple[str, str, str]]:
    listed = client.categories.list_all_categories(v1.ListCategoriesRequest())
    return [(each.name, each.display_name, f"{each.contact_count:,}") async for each in listed]
