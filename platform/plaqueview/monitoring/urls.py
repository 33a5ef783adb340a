"""Routes of monitoring, below api/v1/."""

from django.urls import path

from plaqueview.monitoring import cohort_api, drift_api, shadow_api

urlpatterns = [
    path("monitoring", drift_api.Monitoring.as_view(), name="monitoring"),
    path("cohort", cohort_api.CohortView.as_view(), name="cohort"),
    path("cohort.csv", cohort_api.CohortCsv.as_view(), name="cohort-csv"),
    path("models/<uuid:model_id>/shadow", shadow_api.ModelShadow.as_view(), name="model-shadow"),
    path("models/<uuid:model_id>/shadow/readings", shadow_api.ModelShadowReadings.as_view(), name="shadow-readings"),
    path("shadow-readings/<uuid:reading_id>/cancel", shadow_api.ReadingCancel.as_view(), name="reading-cancel"),
    path("shadow-readings/<uuid:reading_id>/retry", shadow_api.ReadingRetry.as_view(), name="reading-retry"),
]
