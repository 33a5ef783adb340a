"""Routes below /api/v1/."""

from django.urls import path

from plaqueview.accounts.api import MeView

urlpatterns = [path("me", MeView.as_view(), name="me")]
