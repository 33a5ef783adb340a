"""The one address of the feed."""

from channels.routing import URLRouter
from django.urls import path

from plaqueview.feed.consumers import FeedConsumer

websocket_application = URLRouter([path("ws/feed", FeedConsumer.as_asgi())])
