"""Every write of webhooks and their messages, by the module that does it."""

from plaqueview.webhooks.endings import bury_lapsed, forget_old
from plaqueview.webhooks.receivers import (
    ShownOnce,
    WebhookSetup,
    change_webhook,
    create_webhook,
    read_webhook,
    read_webhooks,
    remove_webhook,
    renew_secret,
)
from plaqueview.webhooks.requests import read_deliveries, read_delivery, redeliver, request_by_event, test_webhook
from plaqueview.webhooks.sending import deliver, wake_receivers

__all__ = [
    "ShownOnce",
    "WebhookSetup",
    "bury_lapsed",
    "change_webhook",
    "create_webhook",
    "deliver",
    "forget_old",
    "read_deliveries",
    "read_delivery",
    "read_webhook",
    "read_webhooks",
    "redeliver",
    "remove_webhook",
    "renew_secret",
    "request_by_event",
    "test_webhook",
    "wake_receivers",
]
