"""The arithmetic of throughput and pair limits."""

import pytest

from simulator.buckets import PairBuckets, TokenBucket


def test_a_full_bucket_gives_its_capacity_at_once_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=80, capacity=80)
    assert sum(bucket.take(100.0) for _ in range(100)) == 80
    assert sum(bucket.take(100.5) for _ in range(100)) == 40


def test_a_bucket_never_holds_more_than_its_capacity() -> None:
    bucket = TokenBucket(rate=80, capacity=80)
    assert bucket.take(0.0)
    assert sum(bucket.take(1_000_000.0) for _ in range(200)) == 80


def test_an_upgrade_raises_rate_and_capacity() -> None:
    bucket = TokenBucket(rate=80, capacity=80)
    bucket.resize(1000)
    assert sum(bucket.take(1.0) for _ in range(2000)) == 1000


def test_a_pair_has_a_burst_of_45_and_then_one_in_6_seconds() -> None:
    pairs = PairBuckets()

    def take(now: float) -> bool:
        return pairs.take("15550100001", now=now, capacity=45, seconds=6.0)

    assert sum(take(0.0) for _ in range(60)) == 45
    assert not take(5.9)
    assert take(6.0)
    assert not take(6.1)
    assert sum(take(6.0 + 60.0) for _ in range(60)) == 10


def test_one_person_does_not_use_up_the_pair_limit_of_another() -> None:
    pairs = PairBuckets()
    for _ in range(45):
        pairs.take("1", now=0.0, capacity=45, seconds=6.0)
    assert pairs.take("2", now=0.0, capacity=45, seconds=6.0)


@pytest.mark.parametrize("people", [60_000])
def test_people_who_are_free_again_are_forgotten(people: int) -> None:
    pairs = PairBuckets()
    for person in range(people):
        pairs.take(str(person), now=float(person), capacity=45, seconds=6.0)
    assert len(pairs.free_times) < people
