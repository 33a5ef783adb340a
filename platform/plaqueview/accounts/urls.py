"""Routes below /api/v1/."""

from django.urls import path

from plaqueview.accounts.activity_api import ActivityView
from plaqueview.accounts.api import MeView, TokenListView, TokenView
from plaqueview.accounts.reading_api import PreferencesView, ReaderList

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("me/activity", ActivityView.as_view(), name="activity"),
    path("me/preferences", PreferencesView.as_view(), name="preferences"),
    path("readers", ReaderList.as_view(), name="readers"),
    path("tokens", TokenListView.as_view(), name="tokens"),
    path("tokens/<uuid:pk>", TokenView.as_view(), name="token"),
]
