"""Every write of the outbox and the reads that the audit keeps, by the module that does it."""

from plaqueview.outbox.endings import bury_lapsed, settle_asked
from plaqueview.outbox.reading import read_transfer, read_transfers
from plaqueview.outbox.requests import Requested, request, request_by_rule, resend
from plaqueview.outbox.sending import send_to_node, wake_nodes

__all__ = [
    "Requested",
    "bury_lapsed",
    "read_transfer",
    "read_transfers",
    "request",
    "request_by_rule",
    "resend",
    "send_to_node",
    "settle_asked",
    "wake_nodes",
]
