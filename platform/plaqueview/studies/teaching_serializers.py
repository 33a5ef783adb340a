"""How what a study would teach looks over REST, to those who may retrain."""

from typing import Any

from rest_framework import serializers

from plaqueview.imaging.teaching import TEACHING_RULE, PartName
from plaqueview.studies.models import Study

JSON = dict[str, Any]  # Any: what a serializer gives to a renderer


class TeachingPartSerializer(serializers.Serializer[JSON]):
    name = serializers.ChoiceField([name.value for name in PartName])
    value = serializers.FloatField(help_text="0 to 1.")
    text = serializers.CharField(help_text="The reason in words and figures.")


class TeachingSerializer(serializers.Serializer[JSON]):
    """What labelling an unread study would teach the network, by reasons, the strongest first."""

    score = serializers.FloatField(help_text="0 to 1.")
    parts = TeachingPartSerializer(many=True)
    rule = serializers.CharField(help_text="How the score comes about.")


def teaching_of(study: Study) -> JSON | None:
    if study.teaching_score is None:
        return None
    return {"score": study.teaching_score, "parts": study.teaching_parts, "rule": TEACHING_RULE}
