"""The one address of the feed."""

from channels.routing import URLRouter
from django.urls import path

from plaqueview.feed.closing import closable
from plaqueview.feed.consumers import FeedConsumer

websocket_application = closable(URLRouter([path("ws/feed", FeedConsumer.as_asgi())]))
