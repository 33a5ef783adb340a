"""Routes of documents, below api/v1/."""

from django.urls import path

from plaqueview.reports.api import AnnotationDocument, AnnotationFhir, AnnotationPages
from plaqueview.reports.documents import DocumentKind
from plaqueview.reports.research_api import DeidentifiedStudy
from plaqueview.reports.timeline_api import SameSlicesOfPatient, TimelineCsvOfPatient, TimelineOfPatient

VIEWS = {
    DocumentKind.PAGES: AnnotationPages,
    DocumentKind.ENCAPSULATED_PAGES: AnnotationPages,
    DocumentKind.FHIR: AnnotationFhir,
}

urlpatterns = [
    path(
        f"annotations/<uuid:annotation_id>/{kind.value}",
        VIEWS.get(kind, AnnotationDocument).as_view(kind=kind),
        name=f"annotation-{kind.value}",
    )
    for kind in DocumentKind
    if kind is not DocumentKind.FHIR_R5  # a parameter of FHIR's route
] + [
    path("studies/<uuid:study_id>/deidentified.zip", DeidentifiedStudy.as_view(), name="study-deidentified"),
    path("patients/<uuid:patient_id>/timeline", TimelineOfPatient.as_view(), name="patient-timeline"),
    path("patients/<uuid:patient_id>/timeline/slices", SameSlicesOfPatient.as_view(), name="patient-timeline-slices"),
    path("patients/<uuid:patient_id>/timeline.csv", TimelineCsvOfPatient.as_view(), name="patient-timeline-csv"),
]
