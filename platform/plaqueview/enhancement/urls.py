"""The route of what enhances in a study, below api/v1/."""

from django.urls import path

from plaqueview.enhancement import api

urlpatterns = [
    path("studies/<uuid:study_id>/enhancement", api.EnhancementOfStudy.as_view(), name="study-enhancement"),
]
