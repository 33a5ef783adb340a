"""Routes of documents, below api/v1/."""

from django.urls import path

from plaqueview.reports.api import AnnotationDocument
from plaqueview.reports.documents import DocumentKind

urlpatterns = [
    path(
        f"annotations/<uuid:annotation_id>/{kind.value}",
        AnnotationDocument.as_view(kind=kind),
        name=f"annotation-{kind.value}",
    )
    for kind in DocumentKind
]
