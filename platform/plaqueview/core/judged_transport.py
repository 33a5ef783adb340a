"""HTTP to an address that a user named: asked for each request (docs/decisions/0018-destinations.md)."""

import ssl

import httpcore
import httpx

from plaqueview.core.destinations import address_of
from plaqueview.core.timed_stream import Deadline, TimedBackend


class JudgedTransport(httpx.HTTPTransport):
    """Looks each request's host up, and connects to the address that was judged; TLS still asks for the name.

    An exchange, one at a time, is over by its deadline, however much the peer has still to say.
    """

    def __init__(self, *, verify: ssl.SSLContext | bool, deadline: Deadline) -> None:
        context = httpx.create_ssl_context(verify=verify, trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx has no parameter for what httpcore has one for.
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=TimedBackend(deadline))
        self._deadline = deadline

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self._deadline.put_off()
        try:
            address = address_of(host)
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        judged = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return super().handle_request(judged)
