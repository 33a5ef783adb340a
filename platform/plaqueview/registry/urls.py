"""Routes of the registry, below api/v1/."""

from django.urls import path

from plaqueview.registry import api

urlpatterns = [
    path("models", api.ModelVersionList.as_view(), name="model-list"),
    path("models/<uuid:pk>", api.ModelVersionDetail.as_view(), name="model-detail"),
]
