"""One call by each of the three ways that lead through Envoy: gRPC, gRPC-Web, JSON."""

import struct
from http import HTTPStatus

import aiohttp
from chappe_client import Chappe, v1

_LIST_CATEGORIES = "/chappe.v1.CategoriesService/ListCategories"
_TRAILERS = 0x80


class DoorClosedError(Exception):
    """Says which way did not lead to the server, and what answered instead."""


async def by_grpc(address: str, key: str) -> int:
    """Lists categories over gRPC; returns how many there are."""
    async with Chappe(address, key=key) as client:
        return len((await client.categories.list_categories(v1.ListCategoriesRequest())).categories)


async def by_grpc_web(url: str, key: str) -> int:
    """Lists categories as a browser does, over gRPC-Web; returns how many there are."""
    message = bytes(v1.ListCategoriesRequest())
    headers = {
        "content-type": "application/grpc-web+proto", "x-grpc-web": "1",
        "authorization": f"Bearer {key}", "origin": "http://localhost:3000",
    }  # fmt: skip
    body = struct.pack(">BI", 0, len(message)) + message
    async with (
        aiohttp.ClientSession() as session,
        session.post(url + _LIST_CATEGORIES, data=body, headers=headers) as reply,
    ):
        answer = await reply.read()
        if reply.status != HTTPStatus.OK or not answer or answer[0] & _TRAILERS:
            raise DoorClosedError(f"gRPC-Web: HTTP {reply.status}, {reply.headers.get('grpc-message', 'no message')}")
    length = struct.unpack(">I", answer[1:5])[0]
    return len(v1.ListCategoriesResponse.parse(answer[5 : 5 + length]).categories)


async def by_json(url: str, key: str) -> int:
    """Lists categories with GET and JSON; returns how many there are."""
    headers = {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as session, session.get(f"{url}/v1/categories", headers=headers) as reply:
        answer = await reply.json()
        if reply.status != HTTPStatus.OK:
            raise DoorClosedError(f"JSON: HTTP {reply.status}, {answer}")
    return len(answer.get("categories", []))
