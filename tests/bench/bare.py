"""A grpc.aio server with one handler that returns bytes it holds, nothing around it: the ceiling of cached reads."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

import grpc
import uvloop


def main() -> None:
    """Serves the bytes of a file under any method of one service until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", required=True)
    parser.add_argument("--reply-file", type=Path, required=True)
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--tells", action="store_true", help="send what the contract promises beside a reply")
    chosen = parser.parse_args()
    uvloop.run(_serve(chosen.method, chosen.reply_file.read_bytes(), chosen.port_file, tells=chosen.tells))


async def _serve(method: str, reply: bytes, port_file: Path, *, tells: bool) -> None:
    async def silent(_request: bytes, _context: object) -> bytes:
        return reply

    async def telling(_request: bytes, context: Any) -> bytes:
        context.set_trailing_metadata((("chappe-cache", "hit"),))
        return reply

    service, name = method.removeprefix("/").split("/")
    server = grpc.aio.server()
    handlers = {name: grpc.unary_unary_rpc_method_handler(telling if tells else silent)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await asyncio.to_thread(port_file.write_text, f"{port}\n")
    await server.wait_for_termination()


if __name__ == "__main__":
    main()
