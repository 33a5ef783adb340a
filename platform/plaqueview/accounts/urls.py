"""Routes below /api/v1/."""

from django.urls import path

from plaqueview.accounts.api import MeView, TokenListView, TokenView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("tokens", TokenListView.as_view(), name="tokens"),
    path("tokens/<uuid:pk>", TokenView.as_view(), name="token"),
]
