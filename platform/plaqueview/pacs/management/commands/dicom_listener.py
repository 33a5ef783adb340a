"""Runs the C-STORE listener."""

import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plaqueview.accounts.services import create_site
from plaqueview.pacs.listener import Listener
from plaqueview.pacs.listener_tls import TlsSettingsError


class Command(BaseCommand):
    help = "Receives studies by DICOM C-STORE, and answers C-ECHO, until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=11112, help="TCP port (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        is_over = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            is_over.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        site = create_site(name=settings.DEFAULT_SITE_NAME)
        try:
            listener = Listener(port=options["port"], site=site)
        except TlsSettingsError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"port {options['port']} cannot be listened on: {error.strerror}") from error
        host, port = listener.address
        self.stdout.write(f"{settings.DICOM_AE_TITLE} listens at {host}, port {port}", ending="\n")
        self.stdout.flush()
        is_over.wait()
        listener.stop()
