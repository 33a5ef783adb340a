"""Routes of holding and erasing patients, below api/v1/."""

from django.urls import path

from plaqueview.operations.erasure_api import PatientErasure, PatientHold

urlpatterns = [
    path("patients/<uuid:patient_id>/hold", PatientHold.as_view(), name="patient-hold"),
    path("patients/<uuid:patient_id>/erasure", PatientErasure.as_view(), name="patient-erasure"),
]
