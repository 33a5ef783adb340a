"""Every route that this installation has, found by looking."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """The whole address of each pattern, as it is written in urls.py."""
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, address)
        else:
            yield address, entry


def view_class(pattern: URLPattern) -> Any:
    return getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)


def rest_routes() -> list[tuple[str, str]]:
    """(method, address) of every operation that asks who is there: the views of the REST framework."""
    return sorted(
        (method.upper(), address)
        for address, pattern in patterns(get_resolver())
        if hasattr(view_class(pattern), "permission_classes")
        for method in view_class(pattern).http_method_names
        if hasattr(view_class(pattern), method) and method not in {"head", "options", "trace"}
    )


def proven_routes() -> set[tuple[str, str]]:
    """(method, address) of what a session does only when its user has just given the password again."""
    return {
        (method, address)
        for address, pattern in patterns(get_resolver())
        for method in getattr(view_class(pattern), "proven_methods", ())
    }


def other_routes() -> set[str]:
    """The addresses of all the other views."""
    return {
        address
        for address, pattern in patterns(get_resolver())
        if not hasattr(view_class(pattern), "permission_classes")
    }
