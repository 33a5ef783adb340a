"""One message to its receiver, and what the receiver answered, in our words: its own may name a patient."""

import time
from http import HTTPStatus
from typing import Final

import httpx

from plaqueview import __version__
from plaqueview.core.judged_transport import JudgedTransport
from plaqueview.core.sealing import SealBrokenError
from plaqueview.core.timed_stream import Deadline
from plaqueview.pacs.peer import error_of
from plaqueview.pacs.tls import trusting
from plaqueview.webhooks import signing
from plaqueview.webhooks.models import Delivery

# Source: Standard Webhooks, "Operational considerations": 15 to 30 seconds.
LONGEST_S: Final = 15.0
TIMEOUT: Final = httpx.Timeout(LONGEST_S, connect=4.0)

# The receiver is there, but wants nothing for a while.
NOT_NOW: Final = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class NotDeliveredError(Exception):
    """The receiver could not be told, or said no. `is_about_receiver`: other messages would fare no better now."""

    def __init__(self, answer: str, *, is_about_receiver: bool) -> None:
        super().__init__(answer)
        self.answer, self.is_about_receiver = answer, is_about_receiver


def post(delivery: Delivery) -> str:
    """The receiver has the message; its answer in words.

    Raises: NotDeliveredError.
    """
    webhook, body = delivery.webhook, delivery.body.encode()
    try:
        secret = signing.WEBHOOK_SEAL.open(webhook.secret_sealed)
        headers = signing.signed_headers(secret, message_id=delivery.message_id, sent_at_s=int(time.time()), body=body)
        transport = JudgedTransport(verify=trusting(webhook.ca_certificates), deadline=Deadline(LONGEST_S))
        with (
            httpx.Client(transport=transport, timeout=TIMEOUT, trust_env=False) as client,
            client.stream("POST", webhook.url, content=body, headers=_described(headers)) as answer,
        ):
            return _answered(answer, webhook.address)
    except SealBrokenError as error:
        raise NotDeliveredError(str(error), is_about_receiver=True) from error
    except httpx.TimeoutException as error:
        raise NotDeliveredError(f"{webhook.address}: no answer in time", is_about_receiver=True) from error
    except httpx.TransportError as error:
        raise NotDeliveredError(error_of(error, webhook.address).answer, is_about_receiver=True) from error


def _described(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Content-Type": "application/json", "User-Agent": f"PlaqueView/{__version__}"}


def _answered(answer: httpx.Response, address: str) -> str:
    status = answer.status_code
    phrase = "leads elsewhere" if answer.is_redirect else httpx.codes.get_reason_phrase(status)
    words = f"{address}: HTTP {status} {phrase}".rstrip()
    if not answer.is_success:
        raise NotDeliveredError(words, is_about_receiver=status in NOT_NOW)
    return words
