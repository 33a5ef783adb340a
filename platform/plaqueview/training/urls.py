"""Routes of training, below api/v1/."""

from django.urls import path

from plaqueview.training import snapshot_api

urlpatterns = [
    path("snapshots", snapshot_api.SnapshotList.as_view(), name="snapshot-list"),
    path("snapshots/<uuid:snapshot_id>", snapshot_api.SnapshotDetail.as_view(), name="snapshot-detail"),
    path("snapshots/<uuid:snapshot_id>/studies", snapshot_api.SnapshotStudies.as_view(), name="snapshot-studies"),
    path("snapshots/<uuid:snapshot_id>/difference", snapshot_api.SnapshotDifference.as_view(), name="snapshot-diff"),
    path("snapshots/<uuid:snapshot_id>/export.zip", snapshot_api.SnapshotExport.as_view(), name="snapshot-export"),
]
