"""The cache asks by one client."""

from django.core.cache import cache


def test_many_questions_are_asked_by_one_client(empty_broker, monkeypatch):
    made = []
    client = cache._cache._client
    monkeypatch.setattr(cache._cache, "_one", None)
    monkeypatch.setattr(cache._cache, "_client", lambda **options: made.append(options) or client(**options))

    cache.set("count", 1, timeout=60)

    assert (cache.incr("count"), cache.get("count"), cache.add("count", 7), cache.get("none")) == (2, 2, False, None)
    assert len(made) == 1
