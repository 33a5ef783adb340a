"""What versions, drafts and comments have in common over REST."""

from typing import Any

from rest_framework import serializers

from plaqueview.annotations.models import Evidence
from plaqueview.annotations.statements import LONGEST_REASON, StatementKind
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.studies.serializers import JSON


class AnchorField(serializers.ListField):
    """Slice, row, column of a voxel."""

    def __init__(self, **options: Any) -> None:  # Any: the framework's own
        super().__init__(
            child=serializers.IntegerField(min_value=0, max_value=65_535), min_length=3, max_length=3, **options
        )


class StatementSerializer(serializers.Serializer[JSON]):
    """A reader's word on one lesion; the server adds who said it and when."""

    id = serializers.UUIDField(help_text="Made by the client.")
    kind = serializers.ChoiceField([kind.value for kind in StatementKind])
    anchor = AnchorField(help_text="Slice, row, column of a voxel of the lesion.")
    lesion_class = serializers.ChoiceField(
        [kind.value for kind in LesionClass], help_text="What the reader says; of a false positive, what it had been."
    )
    evidence = serializers.ChoiceField(
        Evidence.values, allow_null=True, default=None, help_text="Needed for a confirmation."
    )
    reason = serializers.CharField(
        allow_blank=True,
        default="",
        max_length=LONGEST_REASON,
        help_text="Of a false positive: artefact, vessel, normal_variant, choroid_plexus, not_demyelinating, or "
        "“other: ” and what it is.",
    )
    author = serializers.CharField(read_only=True)
    created = serializers.DateTimeField(read_only=True)
