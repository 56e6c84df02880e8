"""The sliding window of a limit."""

from queue_server.rate_limit import RateLimit


def test_as_many_as_allowed_go_through_and_the_next_waits_for_the_oldest_to_pass() -> None:
    now = 0.0
    limit = RateLimit(2, 10.0, lambda: now)
    assert limit.wait("a") == 0
    now = 4.0
    assert limit.wait("a") == 0
    assert limit.wait("a") == 6.0
    now = 10.0
    assert limit.wait("a") == 0
    assert limit.wait("a") == 4.0


def test_a_refused_request_does_not_lengthen_the_wait() -> None:
    now = 0.0
    limit = RateLimit(1, 10.0, lambda: now)
    limit.wait("a")
    for _ in range(5):
        limit.wait("a")
    now = 10.0
    assert limit.wait("a") == 0


def test_addresses_do_not_wait_for_each_other_and_are_forgotten_in_the_end() -> None:
    limit = RateLimit(1, 10.0, lambda: 0.0)
    limit.wait("first")
    for n in range(10_000):
        assert limit.wait(str(n)) == 0
    assert limit.wait("first") == 0
