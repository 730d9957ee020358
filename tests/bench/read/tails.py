"""How long the slowest hundredth of each read takes, cached and not, one call after another."""

from collections.abc import Iterator

from tests.bench.read.reads import Read, latency
from tests.bench.read.rows import Row


def tails(reads: list[Read], port: int, key: str, *, calls: int) -> Iterator[Row]:
    """Measures each read past the cache and from it."""
    for read in reads:
        for cached in (False, True):
            found = latency(read, port, key, calls=calls, cached=cached)
            name = f"{read.name}, {'cached' if cached else 'uncached'}, p99 ms"
            yield Row(name=name, figure=found.p99, text=f"p50 {found.p50:.1f} ms", most=read.most_ms)
