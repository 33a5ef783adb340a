"""Django's cache in Redis, with one client and not one for each question: to make it takes as long as to ask."""

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


class OneClient(RedisCacheClient):
    def __init__(self, *servers: Any, **options: Any) -> None:  # Any: as the library has them
        super().__init__(*servers, **options)
        self._one: Any = None  # Any: the library's own client

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:  # Any: as above
        """Of the one server that the settings name; it takes a connection from its pool for each question."""
        if self._one is None:
            self._one = super().get_client(key, write=True)
        return self._one


class Cache(RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:  # Any: as above
        super().__init__(server, params)
        self._class = OneClient
