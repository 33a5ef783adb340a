"""Routes of training, below api/v1/."""

from django.urls import path

from plaqueview.training import (
    evaluation_api,
    model_api,
    model_file_api,
    run_api,
    run_watch_api,
    schedule_api,
    snapshot_api,
    worker_api,
)

urlpatterns = [
    path("snapshots", snapshot_api.SnapshotList.as_view(), name="snapshot-list"),
    path("snapshots/<uuid:snapshot_id>", snapshot_api.SnapshotDetail.as_view(), name="snapshot-detail"),
    path("snapshots/<uuid:snapshot_id>/studies", snapshot_api.SnapshotStudies.as_view(), name="snapshot-studies"),
    path("snapshots/<uuid:snapshot_id>/difference", snapshot_api.SnapshotDifference.as_view(), name="snapshot-diff"),
    path("snapshots/<uuid:snapshot_id>/export.zip", snapshot_api.SnapshotExport.as_view(), name="snapshot-export"),
    path("runs", run_api.RunList.as_view(), name="run-list"),
    path("runs/preflight", run_api.RunPreflight.as_view(), name="run-preflight"),
    path("runs/<uuid:run_id>", run_api.RunDetail.as_view(), name="run-detail"),
    path("runs/<uuid:run_id>/points", run_api.RunPoints.as_view(), name="run-points"),
    path("runs/<uuid:run_id>/samples", run_watch_api.RunSamples.as_view(), name="run-samples"),
    path("runs/<uuid:run_id>/samples/<int:number>/slice.png", run_watch_api.RunSlice.as_view(), name="run-slice"),
    path("runs/<uuid:run_id>/log.txt", run_watch_api.RunLog.as_view(), name="run-log"),
    path("runs/<uuid:run_id>/cancel", run_api.RunCancel.as_view(), name="run-cancel"),
    path("workers", worker_api.WorkerList.as_view(), name="worker-list"),
    path("schedules", schedule_api.ScheduleList.as_view(), name="schedule-list"),
    path("schedules/<uuid:schedule_id>", schedule_api.ScheduleDetail.as_view(), name="schedule-detail"),
    path("schedules/<uuid:schedule_id>/firings", schedule_api.ScheduleFirings.as_view(), name="schedule-firings"),
    path("models/<uuid:model_id>/gate", model_api.ModelGate.as_view(), name="model-gate"),
    path("models/<uuid:model_id>/evaluations", evaluation_api.ModelEvaluations.as_view(), name="model-evaluations"),
    path("evaluations", evaluation_api.EvaluationList.as_view(), name="evaluation-list"),
    path(
        "evaluations/<uuid:evaluation_id>/cancel", evaluation_api.EvaluationCancel.as_view(), name="evaluation-cancel"
    ),
    path("models/import", model_file_api.ModelImport.as_view(), name="model-import"),
    path("models/<uuid:model_id>/file", model_file_api.ModelFile.as_view(), name="model-file"),
    path("models/<uuid:model_id>/promote", model_api.ModelPromote.as_view(), name="model-promote"),
    path("models/<uuid:model_id>/rollback", model_api.ModelRollback.as_view(), name="model-rollback"),
]
