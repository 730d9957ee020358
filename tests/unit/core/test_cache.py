"""What the cache decides by itself, without a server."""

import pytest

from core.cache import Entry, Remembered, is_behind
from core.cache.keys import ForeignKeyError, generation_keys, own
from core.cache.memory import Memory

FOREIGN = ["whatsapp:1", "campaign:1", "celery", "taskiq:messages", "pace:1", "cach", "", "Cache:x"]
ODD = ["contacts", "contacts=-6", "=6", "contacts=6x", "contacts=\u0666", ",,,", "contacts=" + "9" * 30]


@pytest.mark.parametrize("key", FOREIGN)
def test_keys_that_are_not_the_caches_are_refused(key: str) -> None:
    with pytest.raises(ForeignKeyError):
        own(["cache:reply:x", key])


def test_every_key_of_an_entry_is_the_caches() -> None:
    entry = Entry(method="/chappe.v1.X/Get", request=b"\0\xff", collections=("contacts",))
    assert own([entry.key, entry.lease, *generation_keys(entry.collections)])
    assert entry.key != entry.lease


def test_requests_that_differ_have_keys_that_differ() -> None:
    first, second = (Entry(method="/x.Y/Z", request=request, collections=()) for request in (b"a", b"b"))
    assert first.key != second.key


@pytest.mark.parametrize(
    ("seen", "expected"),
    [("contacts=5", False), ("contacts=6", True), ("others=9", False), ("others=9,contacts=6", True), ("", False)]
    + [(odd, False) for odd in ODD],
)
def test_a_caller_is_ahead_only_by_a_number_that_is_one(seen: str, expected: bool) -> None:
    assert is_behind({"contacts": 5}, seen) is expected


def remembered(size: int) -> Remembered:
    return Remembered(request=b"", reply=b"x" * size, numbers={}, end_time=1.0, refresh_time=0.9)


def test_memory_is_bounded_by_bytes_and_forgets_what_was_not_asked_for_longest() -> None:
    memory = Memory(max_bytes=5000)
    entries = [Entry(method="/x.Y/Z", request=bytes([number]), collections=()) for number in range(4)]
    for entry in entries[:3]:
        memory.put(entry, remembered(1000))
    assert memory.get("/x.Y/Z", b"\0") is not None
    memory.put(entries[3], remembered(1000))
    kept = [memory.get("/x.Y/Z", entry.request) is not None for entry in entries]
    assert kept == [True, False, True, True]
    assert memory.size <= 5000


def test_memory_counts_each_reply_once_however_often_it_is_made_anew_and_no_more_once_it_is_dropped() -> None:
    memory = Memory(max_bytes=5000)
    first, second = (Entry(method="/x.Y/Z", request=bytes([number]), collections=()) for number in range(2))
    for size in (1000, 100, 500):
        memory.put(first, remembered(size))
    alone = memory.size
    for _ in range(2):
        memory.put(second, remembered(3000))
    memory.drop("/x.Y/Z", second.request)
    memory.drop("/x.Y/Z", second.request)
    assert memory.size == alone
    memory.drop("/x.Y/Z", first.request)
    assert memory.size == 0


def test_what_would_fill_memory_alone_is_not_remembered() -> None:
    memory = Memory(max_bytes=1000)
    memory.put(Entry(method="/x.Y/Z", request=b"", collections=()), remembered(2000))
    assert (memory.get("/x.Y/Z", b""), memory.size) == (None, 0)


def test_only_what_is_asked_for_often_is_made_anew_before_its_end() -> None:
    reply = remembered(1)
    assert not reply.is_due(0.95)
    reply.hits = 3
    assert [reply.is_due(now) for now in (0.8, 0.95)] == [False, True]
