"""Routes of annotations and lesions, below api/v1/."""

from django.urls import path

from plaqueview.annotations import api, masks

urlpatterns = [
    path("studies/<uuid:study_id>/annotations", api.AnnotationsOfStudy.as_view(), name="study-annotations"),
    path("studies/<uuid:study_id>/lesions", api.LesionsOfStudy.as_view(), name="study-lesions"),
    path("annotations/<uuid:annotation_id>", api.AnnotationDetail.as_view(), name="annotation-detail"),
    path("annotations/<uuid:annotation_id>/lesions", api.LesionsOfAnnotation.as_view(), name="annotation-lesions"),
    *(
        path(
            f"annotations/<uuid:annotation_id>/{part}", api.AnnotationPart.as_view(part=part), name=f"annotation-{part}"
        )
        for part in masks.PARTS
    ),
]
