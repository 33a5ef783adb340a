"""Routes of annotations and lesions, below api/v1/."""

from django.urls import path

from plaqueview.annotations import api, comment_api, double_reading_api, draft_api, masks, review_api

urlpatterns = [
    path("studies/<uuid:study_id>/annotations", api.AnnotationsOfStudy.as_view(), name="study-annotations"),
    path("studies/<uuid:study_id>/lesions", api.LesionsOfStudy.as_view(), name="study-lesions"),
    path("studies/<uuid:study_id>/draft", draft_api.DraftOfStudy.as_view(), name="study-draft"),
    path("studies/<uuid:study_id>/draft/mask", draft_api.DraftMask.as_view(), name="study-draft-mask"),
    path("studies/<uuid:study_id>/comments", comment_api.CommentsOfStudy.as_view(), name="study-comments"),
    path("comments/<uuid:comment_id>/resolve", comment_api.CommentResolve.as_view(), name="comment-resolve"),
    path("double-readings", double_reading_api.DoubleReadingList.as_view(), name="double-readings"),
    path(
        "double-readings/<uuid:double_reading_id>",
        double_reading_api.DoubleReadingDetail.as_view(),
        name="double-reading",
    ),
    path("annotations/<uuid:annotation_id>/submit", review_api.AnnotationSubmit.as_view(), name="annotation-submit"),
    path("annotations/<uuid:annotation_id>/approve", review_api.AnnotationApprove.as_view(), name="annotation-approve"),
    path("annotations/<uuid:annotation_id>/return", review_api.AnnotationReturn.as_view(), name="annotation-return"),
    path("annotations/<uuid:annotation_id>", api.AnnotationDetail.as_view(), name="annotation-detail"),
    path("annotations/<uuid:annotation_id>/lesions", api.LesionsOfAnnotation.as_view(), name="annotation-lesions"),
    *(
        path(
            f"annotations/<uuid:annotation_id>/{part}", api.AnnotationPart.as_view(part=part), name=f"annotation-{part}"
        )
        for part in masks.PARTS
    ),
]
