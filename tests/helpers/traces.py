"""A search for a person in all that is kept: every column of every table, every key of a Valkey, every log."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis

from core.db import Connection

_COLUMNS = """
    SELECT table_name, column_name, data_type
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
        AND (data_type IN ('text', 'jsonb', 'json', 'bytea', 'uuid', 'ARRAY', 'name') OR data_type LIKE 'char%')
    ORDER BY 1, 2"""


def forms(words: Iterable[str]) -> list[str]:
    """Returns each word as it may stand somewhere: plain, in a URL, escaped, in base64 at any place in a text."""
    found = set()
    for word in words:
        found |= {word, quote(word), word.encode("unicode_escape").decode(), *_base64(word)}
    return sorted(found)


def _base64(word: str) -> Iterator[str]:
    """Yields what base64 makes of the word behind 0, 1 and 2 other bytes, without the letters its neighbours decide."""
    for before in range(3):
        written = base64.b64encode(b"\0" * before + word.encode()).decode().rstrip("=")
        whole = written[(0, 2, 3)[before] : (before + len(word.encode())) * 8 // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"))


async def in_rows(connection: Connection, words: Sequence[str]) -> set[str]:
    """Returns the columns in which one of the words stands; those of tables yet to be made are looked through too."""
    columns = [tuple(row) for row in await connection.fetch(_COLUMNS)]
    assert len(columns) > 100, "the scan sees the whole schema"
    scan = " UNION ALL ".join(_scan(*column) for column in columns)
    return {row["place"] for row in await connection.fetch(scan, list(words))}


def _scan(table: str, column: str, kind: str) -> str:
    text = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
    return (
        f"SELECT '{table}.{column}' AS place FROM {table}"  # noqa: S608  # names of our own schema
        f" WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos({text}, word) > 0)"
    )


def in_valkey(url: str, words: Sequence[str]) -> dict[str, float]:
    """Returns the keys in which one of the words stands, with the seconds they have left; -1 for one that stays."""
    with redis.Redis.from_url(url, decode_responses=False) as server:
        return {
            key.decode(errors="replace"): server.pttl(key) / 1000
            for key in server.scan_iter(count=1000)
            if _has(key + b" " + repr(_content(server, key)).encode(), words)
        }


def _content(server: Any, key: bytes) -> object:
    match server.type(key):
        case b"string":
            return server.get(key)
        case b"hash":
            return server.hgetall(key)
        case b"stream":
            return server.xrange(key)
        case b"zset":
            return server.zrange(key, 0, -1)
        case b"list":
            return server.lrange(key, 0, -1)
        case b"set":
            return server.smembers(key)
        case other:
            raise AssertionError(f"a key of the kind {other!r} is not looked into")


def in_files(directory: Path, pattern: str, words: Sequence[str]) -> set[str]:
    """Returns the files in which one of the words stands."""
    files = sorted(directory.rglob(pattern))
    assert files, "there are files to look into"
    return {path.name for path in files if _has(path.read_bytes(), words)}


def _has(content: bytes, words: Sequence[str]) -> bool:
    return any(word.encode() in content for word in words)
