"""Runs the C-STORE listener."""

import os
import socket
import threading
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plaqueview.accounts.models import Site
from plaqueview.accounts.services import create_site
from plaqueview.pacs.listener import Listener, address_of, listening_at
from plaqueview.pacs.listener_processes import ListenerProcesses, ending
from plaqueview.pacs.listener_tls import TlsSettingsError, listener_context


class Command(BaseCommand):
    help = "Receives studies by DICOM C-STORE, and answers C-ECHO, until it is stopped."
    requires_system_checks = []  # they load every view, and `migrate` and `doctor` have made them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=11112, help="TCP port (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        site = create_site(name=settings.DEFAULT_SITE_NAME)
        try:
            listener_context()  # each process makes its own; what cannot be used is told once
            listening = listening_at(options["port"])
        except TlsSettingsError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise CommandError(f"port {options['port']} cannot be listened on: {reason}") from error
        processes = ListenerProcesses(partial(serve, site), listening, count=settings.DICOM_PROCESSES)
        is_over = ending()
        processes.start()
        host, port = address_of(listening)
        self.stdout.write(f"{settings.DICOM_AE_TITLE} listens at {host}, port {port}", ending="\n")
        self.stdout.flush()
        processes.watch(is_over)
        processes.stop()


def serve(site: Site, listening: socket.socket, is_over: threading.Event) -> None:
    """One process of the listener."""
    listener = Listener(site=site, listening=listening)
    is_over.wait()
    listener.stop()
