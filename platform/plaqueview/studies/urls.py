"""Routes of studies, series, patients and uploads, below api/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
