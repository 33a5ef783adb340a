"""Routes below /api/v1/."""

from django.urls import path

from plaqueview.accounts.activity_api import ActivityView
from plaqueview.accounts.administration_api import (
    UserListView,
    UserOpening,
    UserPasswordLink,
    UserSessions,
    UserView,
)
from plaqueview.accounts.api import MeView, TokenListView, TokenView
from plaqueview.accounts.reading_api import PreferencesView, ReaderList
from plaqueview.accounts.sign_in_api import SignInView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("me/activity", ActivityView.as_view(), name="activity"),
    path("me/preferences", PreferencesView.as_view(), name="preferences"),
    path("readers", ReaderList.as_view(), name="readers"),
    path("sign-in", SignInView.as_view(), name="sign_in"),
    path("tokens", TokenListView.as_view(), name="tokens"),
    path("tokens/<uuid:pk>", TokenView.as_view(), name="token"),
    path("users", UserListView.as_view(), name="users"),
    path("users/<uuid:user_id>", UserView.as_view(), name="user"),
    path("users/<uuid:user_id>/opening", UserOpening.as_view(), name="user_opening"),
    path("users/<uuid:user_id>/password-link", UserPasswordLink.as_view(), name="user_password_link"),
    path("users/<uuid:user_id>/sessions", UserSessions.as_view(), name="user_sessions"),
]
