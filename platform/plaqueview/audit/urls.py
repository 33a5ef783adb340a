"""Routes below /api/v1/."""

from django.urls import path

from plaqueview.audit.api import AuditEventListView

urlpatterns = [path("audit", AuditEventListView.as_view(), name="audit")]
