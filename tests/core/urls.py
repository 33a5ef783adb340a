"""The real routes, and the small views of these tests."""

from django.urls import path

from plaqueview.urls import handler400, handler403, handler404, handler500
from plaqueview.urls import urlpatterns as real
from tests.core import views

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("api/v1/raise/<name>", views.RaisingView.as_view()),
    path("api/v1/octets/<name>", views.OctetsView.as_view()),
    path("api/v1/guarded", views.GuardedView.as_view()),
    path("api/v1/work", views.WorkView.as_view()),
    path("api/v1/upload-work", views.UploadWorkView.as_view()),
    *real,
]
