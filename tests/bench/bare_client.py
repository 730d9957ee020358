"""The bare HTTP client: the same kind of message posted in a loop, with the worker's own client and nothing else."""

import asyncio

from core.clock import SystemClock
from core.domain.outcomes import Accepted
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.http import Http
from tests.helpers.walk import SENDER_ID

_AT_ONCE = 256
CLOCK = SystemClock()


async def measure_bare(url: str, *, token: str, messages: int) -> float:
    """Returns how many messages a second were accepted."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with Http(timeout_seconds=30, max_connections=_AT_ONCE) as http:
        client = WhatsAppClient(http=http, base_url=url, api_version="v25.0")

        async def post(payload: dict[str, object]) -> bool:
            async with gate:
                return isinstance(await client.send(phone_number_id=SENDER_ID, token=token, payload=payload), Accepted)

        began = CLOCK.monotonic()
        accepted = sum(await asyncio.gather(*(post(_payload(number)) for number in range(messages))))
        return accepted / (CLOCK.monotonic() - began)


def _payload(number: int) -> dict[str, object]:
    parameters = [{"type": "text", "text": "25"}, {"type": "text", "text": "25"}]
    return {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": f"+337{number:08d}", "type": "template",
        "template": {
            "name": "spring_sale", "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": parameters}],
        },
        "biz_opaque_callback_data": f"bare-{number}",
    }  # fmt: skip
