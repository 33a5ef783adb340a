"""Routes of DICOMweb, below dicom-web/."""

from django.urls import path

from plaqueview.pacs import api, pixels_api, rendered_api

STUDY = "studies/<str:study_uid>"
SERIES = f"{STUDY}/series/<str:series_uid>"
INSTANCE = f"{SERIES}/instances/<str:instance_uid>"

urlpatterns = [
    path("studies", api.Studies.as_view(), name="dicomweb-studies"),
    path("series", api.AllSeries.as_view(), name="dicomweb-series"),
    path("instances", api.AllInstances.as_view(), name="dicomweb-instances"),
    path(STUDY, api.StudyView.as_view(), name="dicomweb-study"),
    path(f"{STUDY}/metadata", api.Metadata.as_view()),
    path(f"{STUDY}/series", api.AllSeries.as_view()),
    path(f"{STUDY}/instances", api.AllInstances.as_view()),
    path(SERIES, api.RetrieveView.as_view()),
    path(f"{SERIES}/metadata", api.Metadata.as_view()),
    path(f"{SERIES}/instances", api.AllInstances.as_view()),
    path(INSTANCE, api.RetrieveView.as_view()),
    path(f"{INSTANCE}/metadata", api.Metadata.as_view()),
    path(f"{INSTANCE}/frames/<str:frame_list>", pixels_api.Frames.as_view()),
    path(f"{INSTANCE}/bulkdata/<str:tag>", pixels_api.BulkData.as_view()),
    *(path(f"{level}/rendered", rendered_api.Rendered.as_view()) for level in (STUDY, SERIES, INSTANCE)),
    path(f"{INSTANCE}/frames/<str:frame_list>/rendered", rendered_api.Rendered.as_view()),
    *(path(f"{level}/thumbnail", rendered_api.Thumbnail.as_view()) for level in (STUDY, SERIES, INSTANCE)),
    path(f"{INSTANCE}/frames/<str:frame_list>/thumbnail", rendered_api.Thumbnail.as_view()),
]
