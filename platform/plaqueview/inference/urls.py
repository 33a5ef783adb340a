"""Routes of jobs, below api/v1/."""

from django.urls import path

from plaqueview.inference import api, rerun_api

urlpatterns = [
    path("jobs", api.JobList.as_view(), name="job-list"),
    path("jobs/<uuid:job_id>", api.JobDetail.as_view(), name="job-detail"),
    path("jobs/<uuid:job_id>/cancel", api.JobCancel.as_view(), name="job-cancel"),
    path("jobs/<uuid:job_id>/retry", api.JobRetry.as_view(), name="job-retry"),
    path("studies/<uuid:study_id>/inferences", api.InferencesOfStudy.as_view(), name="study-inferences"),
    path("studies/<uuid:study_id>/jobs", api.JobsOfStudy.as_view(), name="study-jobs"),
    path("reruns", rerun_api.RerunList.as_view(), name="rerun-list"),
    path("reruns/preview", rerun_api.RerunPreview.as_view(), name="rerun-preview"),
    path("reruns/<uuid:rerun_id>", rerun_api.RerunDetail.as_view(), name="rerun-detail"),
    path("reruns/<uuid:rerun_id>/cancel", rerun_api.RerunCancel.as_view(), name="rerun-cancel"),
]
