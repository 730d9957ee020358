"""stack: writes the client's service classes, one asynchronous and one plain, from descriptors with comments."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

PACKAGE = "chappe.v1"
EMPTY = ".google.protobuf.Empty"
SERVICE_FIELD = 6  # of FileDescriptorProto
METHOD_FIELD = 2  # of ServiceDescriptorProto


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """Says in which words the same class is written."""

    file_name: str
    define: str
    wait: str
    iterator: str
    iterable: str
    calls: str
    module: str


ASYNC = Flavour(
    file_name="services.py",
    define="async def",
    wait="await ",
    iterator="AsyncIterator",
    iterable="AsyncIterable",
    calls="Calls",
    module="calls",
)
SYNC = Flavour(
    file_name="sync_services.py",
    define="def",
    wait="",
    iterator="Iterator",
    iterable="Iterable",
    calls="SyncCalls",
    module="sync_calls",
)

HEADER = '''"""Made from proto/; never edited."""

from collections.abc import {iterable}, {iterator}

from chappe_client.generated.chappe import v1
from chappe_client.generated.google import protobuf
from chappe_client.{module} import {calls}
'''

CLASS = '''

class {name}:
    """{comment}"""

    def __init__(self, calls: {calls}) -> None:
        """Calls through the given calls."""
        self._calls = calls
'''

METHOD = '''
    {define} {name}(self, {parameter}, *, timeout: float | None = None) -> {returns}:
        """{comment}"""
        {verb}self._calls.{kind}("{path}", {argument}, {reply}, timeout=timeout)
'''

PAGES = '''
    def list_all_{field}(self, request: v1.{request} | None = None) -> {iterator}[v1.{item}]:
        """Returns all {field} that match, page after page, from the request's own page on."""
        return self._calls.pages(self.{name}, request or v1.{request}(), lambda page: page.{field})
'''


def write(*, descriptors: bytes, target: Path) -> None:
    """Writes both modules into target."""
    files = [file for file in FileDescriptorSet.FromString(descriptors).file if file.package == PACKAGE]
    for flavour in (ASYNC, SYNC):
        (target / flavour.file_name).write_text(module(files, flavour))


def module(files: list[FileDescriptorProto], flavour: Flavour) -> str:
    """Returns the text of one module."""
    messages = {message.name: message for file in files for message in file.message_type}
    words = {"iterable": flavour.iterable, "iterator": flavour.iterator, "calls": flavour.calls}
    parts = [HEADER.format(module=flavour.module, **words)]
    for file in files:
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        for index, service in enumerate(file.service):
            parts += _service(service, flavour, comments=comments, path=(SERVICE_FIELD, index), messages=messages)
    return "".join(parts)


def _service(
    service: ServiceDescriptorProto,
    flavour: Flavour,
    *,
    comments: dict[tuple[int, ...], str],
    path: tuple[int, ...],
    messages: dict[str, DescriptorProto],
) -> Iterator[str]:
    yield CLASS.format(name=service.name, comment=_docstring(comments[path], indent=4), calls=flavour.calls)
    for index, method in enumerate(service.method):
        comment = comments[(*path, METHOD_FIELD, index)]
        yield _method(service.name, method, flavour, comment=comment)
        if items := _page_items(method, messages):
            yield _pages(method, flavour, items=items)


def _method(service: str, method: MethodDescriptorProto, flavour: Flavour, *, comment: str) -> str:
    request, reply = f"v1.{_short(method.input_type)}", _reply(method)
    streams_out = method.server_streaming
    empty = method.output_type == EMPTY
    return METHOD.format(
        define="def" if streams_out else flavour.define,
        name=_snake(method.name),
        parameter=f"requests: {flavour.iterable}[{request}]" if method.client_streaming else f"request: {request}",
        returns=f"{flavour.iterator}[{reply}]" if streams_out else "None" if empty else reply,
        comment=_docstring(comment, indent=8),
        verb="return " if streams_out else flavour.wait if empty else f"return {flavour.wait}",
        kind=_kind(method),
        path=f"/{PACKAGE}.{service}/{method.name}",
        argument="requests" if method.client_streaming else "request",
        reply=reply,
    )


def _kind(method: MethodDescriptorProto) -> str:
    sides = ("stream" if side else "unary" for side in (method.client_streaming, method.server_streaming))
    return "_".join(sides)


def _page_items(method: MethodDescriptorProto, messages: dict[str, DescriptorProto]) -> FieldDescriptorProto | None:
    reply = messages.get(_short(method.output_type))
    if reply is None or "next_page_token" not in {field.name for field in reply.field}:
        return None
    return reply.field[0]


def _pages(method: MethodDescriptorProto, flavour: Flavour, *, items: FieldDescriptorProto) -> str:
    return PAGES.format(
        field=items.name,
        name=_snake(method.name),
        request=_short(method.input_type),
        item=_short(items.type_name),
        iterator=flavour.iterator,
    )


def _reply(method: MethodDescriptorProto) -> str:
    return "protobuf.Empty" if method.output_type == EMPTY else f"v1.{_short(method.output_type)}"


def _short(type_name: str) -> str:
    return type_name.rsplit(".", 1)[-1]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _docstring(comment: str, *, indent: int) -> str:
    lines = textwrap.wrap(" ".join(comment.split()), width=110 - indent)
    end = "\n" + " " * indent if len(lines) > 1 else ""
    return ("\n" + " " * indent).join(lines) + end
