"""WebSockets under /ws/ only; HTTP goes through `wsgi`, which answers several times as many requests."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")
django.setup()

from channels.routing import ProtocolTypeRouter  # noqa: E402  (needs the app registry)

from plaqueview.feed.routing import websocket_application  # noqa: E402  (needs the app registry)

application = ProtocolTypeRouter({"websocket": websocket_application})
