"""Routes of registrations and changes between visits, below api/v1/."""

from django.urls import path

from plaqueview.longitudinal import api, changes_api

urlpatterns = [
    path("registrations", api.RegistrationList.as_view(), name="registration-list"),
    path("registrations/<uuid:registration_id>", api.RegistrationDetail.as_view(), name="registration-detail"),
    path("registrations/<uuid:registration_id>/cancel", api.RegistrationCancel.as_view(), name="registration-cancel"),
    path("studies/<uuid:study_id>/registrations", api.RegistrationsOfStudy.as_view(), name="study-registrations"),
    path("studies/<uuid:study_id>/changes", changes_api.ChangesOfStudy.as_view(), name="study-changes"),
]
