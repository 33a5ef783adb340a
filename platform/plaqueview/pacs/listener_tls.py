"""TLS as the DICOM listener speaks it, where the department gives it a certificate. Source: PS3.15 B.12."""

import socket
import ssl
from typing import Any, Final

from django.conf import settings

HANDSHAKE_S: Final = 30.0


class TlsSettingsError(ValueError):
    """The listener's certificate, key or authorities cannot be used."""


class _ListenerContext(ssl.SSLContext):
    """Shakes hands when an association first reads, in its own thread.

    The library wraps a connection between accepting it and the next: a caller that says nothing would keep everybody
    else out.
    """

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:  # Any: the library's, one option
        sock.settimeout(HANDSHAKE_S)
        return super().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)


def listener_context() -> ssl.SSLContext | None:
    """TLS 1.2 or newer by the settings' certificate and key; None without them: the listener speaks plainly.

    With `PLAQUEVIEW_DICOM_TLS_CALLERS`, certificates of authorities in PEM, a caller has to show one of theirs.

    Raises: TlsSettingsError when one setting lacks another, or a file is not what its name says.
    """
    certificate, key, callers = settings.DICOM_TLS_CERTIFICATE, settings.DICOM_TLS_KEY, settings.DICOM_TLS_CALLERS
    if bool(certificate) != bool(key):
        raise TlsSettingsError("PLAQUEVIEW_DICOM_TLS_CERTIFICATE and PLAQUEVIEW_DICOM_TLS_KEY need each other")
    if not certificate:
        if callers:
            raise TlsSettingsError("PLAQUEVIEW_DICOM_TLS_CALLERS needs PLAQUEVIEW_DICOM_TLS_CERTIFICATE and its key")
        return None
    context = _context_of(certificate, key)
    if callers:
        _require_callers(context, callers)
    return context


def _context_of(certificate: str, key: str) -> ssl.SSLContext:
    context = _ListenerContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # The empty password refuses a key under one; without it the library asks at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise TlsSettingsError(f"the DICOM listener's certificate or key cannot be used: {error}") from error
    return context


def _require_callers(context: ssl.SSLContext, authorities: str) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(authorities)
    except (OSError, ValueError) as error:
        raise TlsSettingsError(f"PLAQUEVIEW_DICOM_TLS_CALLERS cannot be used: {error}") from error
