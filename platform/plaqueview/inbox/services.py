"""Every write of the inbox and the reads that the audit keeps, by the module that does it."""

from plaqueview.inbox.endings import bury_lapsed
from plaqueview.inbox.fetching import fetch_from_node, wake_nodes
from plaqueview.inbox.priors import request_by_rule
from plaqueview.inbox.reading import read_fetch, read_fetches
from plaqueview.inbox.requests import Requested, cancel, request, retry

__all__ = [
    "Requested",
    "bury_lapsed",
    "cancel",
    "fetch_from_node",
    "read_fetch",
    "read_fetches",
    "request",
    "request_by_rule",
    "retry",
    "wake_nodes",
]
