"""Routes of fetches, below api/v1/."""

from django.urls import path

from plaqueview.inbox import api

urlpatterns = [
    path("fetches", api.FetchList.as_view(), name="fetch-list"),
    path("fetches/<uuid:fetch_id>", api.FetchDetail.as_view(), name="fetch-detail"),
    path("fetches/<uuid:fetch_id>/cancel", api.FetchCancel.as_view(), name="fetch-cancel"),
    path("fetches/<uuid:fetch_id>/retry", api.FetchRetry.as_view(), name="fetch-retry"),
]
