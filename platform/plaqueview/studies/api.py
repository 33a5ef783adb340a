"""Studies, series and patients over REST."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from plaqueview.accounts.authentication import user_of
from plaqueview.core.access import Action, require
from plaqueview.patients.models import Patient
from plaqueview.studies import reading, services
from plaqueview.studies.filters import PatientFilter, StableOrderingFilter, StudyFilter
from plaqueview.studies.follow_up import count_due
from plaqueview.studies.models import Series, Study, StudyQuerySet
from plaqueview.studies.paging import CountedIds, ids_of
from plaqueview.studies.serializers import (
    OverrideSerializer,
    PatientDetailSerializer,
    PatientSerializer,
    SeriesSerializer,
    SeriesSlicesSerializer,
    StudyDetailSerializer,
    StudySerializer,
    SummarySerializer,
)


class StudyList(generics.GenericAPIView[Study]):
    """A page is cut from an index of ids before a row is read, so that a late page costs what the first one does."""

    actions: ClassVar = {"GET": Action.STUDY_READ}
    queryset = Study.objects.none()
    serializer_class = StudySerializer
    filter_backends = [DjangoFilterBackend, StableOrderingFilter]
    filterset_class = StudyFilter
    ordering = ["-received_at"]
    ordering_fields = [
        "received_at",
        "study_date",
        "patient_name",
        "state",
        "active_count",
        "inactive_count",
        "teaching_score",
    ]
    sealed_columns: ClassVar = {"patient_name": ["patient__name"]}

    @extend_schema(
        operation_id="list_studies", summary="The worklist, newest first", responses=StudySerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        if "teaching" in request.query_params or "teaching" in request.query_params.get("ordering", ""):
            require(user_of(request), Action.TRAINING_READ)
        studies: Any = self.filter_queryset(reading.read_worklist(actor=user_of(request)))  # Any: rows, or their ids
        found = studies if isinstance(studies, list) else self._ids_of(studies)
        ids = self.paginate_queryset(found) or []
        return self.get_paginated_response(self.get_serializer(reading.rows_of_worklist(ids), many=True).data)

    def _ids_of(self, studies: StudyQuerySet) -> Any:  # Any: what a paginator takes
        user = user_of(self.request)
        ids = ids_of(studies, user=user)
        narrowing = {name for name, value in self.request.query_params.items() if value} & set(StudyFilter.base_filters)
        if narrowing == {"follow_up"} and connection.features.can_distinct_on_fields:
            return CountedIds(ids, partial(count_due, list(user.site_ids())))
        return ids

    def get_serializer_context(self) -> dict[str, Any]:  # Any: as the framework has it
        return {
            **super().get_serializer_context(),
            "shows_teaching": Action.TRAINING_READ in user_of(self.request).actions,
        }


class StudyDetail(APIView):
    actions: ClassVar = {"GET": Action.STUDY_READ, "PATCH": Action.STUDY_OVERRIDE}

    @extend_schema(operation_id="read_study", summary="One study", responses=StudyDetailSerializer)
    def get(self, request: Request, study_id: UUID) -> Response:
        return _study(reading.read_study(study_id=study_id, actor=user_of(request)))

    @extend_schema(
        operation_id="choose_flair",
        summary="Choose another series as the FLAIR",
        request=OverrideSerializer,
        responses=StudyDetailSerializer,
    )
    def patch(self, request: Request, study_id: UUID) -> Response:
        wanted = OverrideSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        series_id = wanted.validated_data["flair_series"]
        services.override_flair(study_id=study_id, series_id=series_id, actor=user_of(request))
        return _study(reading.read_study(study_id=study_id, actor=user_of(request)))


def _study(study: Study) -> Response:
    return Response(StudyDetailSerializer(study, context={"priors": reading.priors_of(study)}).data)


class SummaryDetail(APIView):
    actions: ClassVar = {"GET": Action.STUDY_READ}

    @extend_schema(operation_id="read_summary", summary="How many studies in which state", responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        return Response(SummarySerializer(reading.read_summary(actor=user_of(request))).data)


class SeriesDetail(APIView):
    actions: ClassVar = {"GET": Action.STUDY_READ}

    @extend_schema(operation_id="read_series", summary="One series", responses=SeriesSerializer)
    def get(self, request: Request, series_id: UUID) -> Response:
        return Response(SeriesSerializer(reading.read_series(series_id=series_id, actor=user_of(request))).data)


class SlicesOfSeries(APIView):
    actions: ClassVar = {"GET": Action.STUDY_READ}

    @extend_schema(
        operation_id="read_slices", summary="The slices in the order of the volume", responses=SeriesSlicesSerializer
    )
    def get(self, request: Request, series_id: UUID) -> Response:
        series = reading.read_series(series_id=series_id, actor=user_of(request))
        return Response(_slices(series, services.read_slices(series)))


def _slices(series: Series, slices: services.SeriesSlices) -> dict[str, Any]:  # Any: JSON
    return {
        "series": str(series.pk),
        "study_instance_uid": series.study.study_instance_uid,
        "series_instance_uid": series.series_instance_uid,
        "slices": [
            {
                "index": index,
                "sop_instance_uid": header.sop_instance_uid,
                "instance_number": header.instance_number,
                "frame": header.frame_number,
                "position_mm": header.image_position_patient,
            }
            for index, header in enumerate(slices.headers)
        ],
        "affine": None if slices.affine is None else slices.affine.ravel().tolist(),
        "shape": slices.shape,
        "window": None if slices.window is None else {"center": slices.window.center, "width": slices.window.width},
        "problems": slices.problems,
    }


class PatientList(generics.GenericAPIView[Patient]):
    actions: ClassVar = {"GET": Action.PATIENT_READ}
    queryset = Patient.objects.none()
    serializer_class = PatientSerializer
    filter_backends = [DjangoFilterBackend, StableOrderingFilter]
    filterset_class = PatientFilter
    ordering = ["name"]
    ordering_fields = ["name", "patient_id", "birth_date", "created"]
    ordering_columns: ClassVar = {"birth_date": "clear_birth_date"}
    sealed_columns: ClassVar = {
        "name": ["name"],
        "patient_id": ["patient_id"],
        "birth_date": ["clear_birth_date", "sealed_birth_date"],
    }

    @extend_schema(operation_id="list_patients", summary="Patients by name", responses=PatientSerializer(many=True))
    def get(self, request: Request) -> Response:
        found: Any = self.filter_queryset(reading.read_patients(actor=user_of(request)))  # Any: rows, or their ids
        ids = self.paginate_queryset(found if isinstance(found, list) else ids_of(found, user=user_of(request))) or []
        page = reading.patients_in_order(ids)
        context = {"studies": reading.studies_by_patient(page)}
        return self.get_paginated_response([PatientSerializer(patient, context=context).data for patient in page])


class PatientDetail(APIView):
    actions: ClassVar = {"GET": Action.PATIENT_READ}

    @extend_schema(
        operation_id="read_patient", summary="One patient with their studies", responses=PatientDetailSerializer
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = reading.read_patient(patient_id=patient_id, actor=user_of(request))
        context = {"studies": {patient.pk: reading.studies_of_patient(patient)}}
        return Response(PatientDetailSerializer(patient, context=context).data)
