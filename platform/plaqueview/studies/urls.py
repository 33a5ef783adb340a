"""Routes of studies, series, patients and uploads, below api/v1/."""

from django.urls import path

from plaqueview.studies import api, protocol_api, queue_api, upload_api

urlpatterns = [
    path("studies", api.StudyList.as_view(), name="study-list"),
    path("studies/next", queue_api.NextStudy.as_view(), name="next-study"),
    path("studies/<uuid:study_id>/assignment", queue_api.Assignment.as_view(), name="study-assignment"),
    path("studies/<uuid:study_id>", api.StudyDetail.as_view(), name="study-detail"),
    path("studies/<uuid:study_id>/protocol", protocol_api.ProtocolOfStudy.as_view(), name="study-protocol"),
    path("series/<uuid:series_id>", api.SeriesDetail.as_view(), name="series-detail"),
    path("series/<uuid:series_id>/slices", api.SlicesOfSeries.as_view(), name="series-slices"),
    path("patients", api.PatientList.as_view(), name="patient-list"),
    path("patients/<uuid:patient_id>", api.PatientDetail.as_view(), name="patient-detail"),
    path("summary", api.SummaryDetail.as_view(), name="summary"),
    path("uploads", upload_api.UploadList.as_view(), name="upload-list"),
    path("uploads/<uuid:upload_id>", upload_api.UploadDetail.as_view(), name="upload-detail"),
]
