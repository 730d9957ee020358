"""Simulator, seed: from a JSON file (or the built-in one) to portfolios, WABAs, numbers and templates."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from simulator.accounts import Number, Portfolio, Template, Waba
from simulator.buckets import TokenBucket
from simulator.errors import Refusal
from simulator.phone import wa_id_of
from simulator.seed_shapes import SeedShape
from simulator.shapes import ShapeError, checked
from simulator.template_definitions import check_components

UPGRADED: Final = 1000
_ADAPTER: Final = TypeAdapter(SeedShape)
_PLAIN_NUMBER_FIELDS: Final = (
    "quality",
    "tier",
    "status",
    "name_status",
    "code_verification_status",
    "platform_type",
    "account_mode",
)
_PLAIN_TEMPLATE_FIELDS: Final = (
    "parameter_format",
    "sub_category",
    "previous_category",
    "correct_category",
    "rejected_reason",
    "quality",
    "message_send_ttl_seconds",
    "library_template_name",
)


class SeedError(ValueError):
    """The seed is not of the expected shape."""


@dataclass(slots=True)
class Accounts:
    """All objects a Graph id can name, except media."""

    portfolios: dict[str, Portfolio] = field(default_factory=dict)
    wabas: dict[str, Waba] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    templates: dict[str, tuple[Waba, Template]] = field(default_factory=dict)


def demo_seed() -> dict[str, Any]:
    """Returns the built-in seed."""
    text = resources.files("simulator").joinpath("demo_seed.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def read_seed(path: str) -> dict[str, Any]:
    """Returns a seed file's content; raises SeedError when it is no JSON object."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SeedError(f"the seed file cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise SeedError("the seed file must hold a JSON object")
    return data


def build(seed: object) -> Accounts:
    """Returns fresh accounts; raises SeedError naming what is missing or not known."""
    try:
        shape = checked(_ADAPTER, seed)
    except ShapeError as error:
        raise SeedError(f"the accounts do not fit: {error}") from None
    accounts = Accounts()
    known = shape.model_dump(exclude_unset=True)
    for item in known.get("portfolios", ()):
        accounts.portfolios[item["id"]] = Portfolio(id=item["id"], tier=item.get("tier", "TIER_UNLIMITED"))
    try:
        for item in known["wabas"]:
            _add_waba(accounts, item)
    except Refusal as refusal:
        raise SeedError(f"a template does not fit: {refusal.details}") from None
    return accounts


def _add_waba(accounts: Accounts, item: dict[str, Any]) -> None:
    portfolio_id = item.get("portfolio_id", "300000000000001")
    portfolio = accounts.portfolios.setdefault(portfolio_id, Portfolio(id=portfolio_id))
    waba = Waba(id=item["id"], name=item.get("name", "Business"), portfolio=portfolio)
    waba.callback_url = item.get("callback_url", "")
    waba.marketing_disabled = item.get("disable_marketing_messages_on_cloud_api", False)
    waba.marketing_onboarded = item.get("marketing_onboarded", True)
    accounts.wabas[waba.id] = waba
    for number_item in item.get("phone_numbers", []):
        number = new_number(waba, number_item)
        waba.numbers[number.id] = accounts.numbers[number.id] = number
    for template_item in item.get("templates", []):
        template = new_template(waba, template_item)
        waba.add(template)
        accounts.templates[template.id] = (waba, template)


def new_number(waba: Waba, item: dict[str, Any]) -> Number:
    """Returns a number from its seed item."""
    rate = float(item.get("throughput", 80))
    number = Number(
        id=item["id"],
        display_phone_number=item["display_phone_number"],
        verified_name=item.get("verified_name", waba.name),
        waba=waba,
        bucket=TokenBucket(rate=rate, capacity=float(item.get("burst", rate))),
        throughput_level="HIGH" if rate >= UPGRADED else "STANDARD",
    )
    for name in _PLAIN_NUMBER_FIELDS:
        if name in item:
            setattr(number, name, item[name])
    if "allowed_recipients" in item:
        number.allowed = frozenset(wa_id_of("".join(filter(str.isdigit, text))) for text in item["allowed_recipients"])
    return number


def new_template(waba: Waba, item: dict[str, Any]) -> Template:
    """Returns a template from its seed item, or from a create request; raises Refusal for wrong components."""
    components = item.get("components", [])
    if components:
        check_components(components)
    template = Template(
        id=str(item.get("id") or _template_id(waba, item)),
        name=item["name"],
        language=item["language"],
        status=item.get("status", "APPROVED"),
        category=item["category"],
        components=components,
    )
    for name in _PLAIN_TEMPLATE_FIELDS:
        if name in item:
            setattr(template, name, item[name])
    return template


def _template_id(waba: Waba, item: dict[str, Any]) -> str:
    # Meta's ids are 15 or 16 digits and fit in an integer.
    digest = hashlib.blake2b(f"{waba.id}/{item['name']}/{item['language']}".encode(), digest_size=6).digest()
    return str(10**15 + int.from_bytes(digest, "big"))
