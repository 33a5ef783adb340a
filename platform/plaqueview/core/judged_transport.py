"""HTTP to an address that a user named: asked for each request (docs/decisions/0018-destinations.md)."""

import httpx

from plaqueview.core.destinations import address_of


class JudgedTransport(httpx.HTTPTransport):
    """Looks each request's host up, and connects to the address that was judged; TLS still asks for the name."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
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
