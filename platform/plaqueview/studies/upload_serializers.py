"""Uploads as JSON, a line per file."""

from rest_framework import serializers

from plaqueview.studies.models import FileOutcome, Upload, UploadState
from plaqueview.studies.serializers import JSON

FINAL_OUTCOMES = [FileOutcome.ACCEPTED, FileOutcome.DUPLICATE, FileOutcome.CONFLICT, FileOutcome.REJECTED]


class UploadFileSerializer(serializers.Serializer[JSON]):
    name = serializers.CharField(help_text="What the sender called the file, or the archive its member.")
    outcome = serializers.ChoiceField([*FINAL_OUTCOMES, FileOutcome.WAITING])
    reason = serializers.CharField()
    study = serializers.UUIDField(allow_null=True)


class UploadCountsSerializer(serializers.Serializer[JSON]):
    accepted = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    conflict = serializers.IntegerField()
    rejected = serializers.IntegerField()


class UploadSerializer(serializers.Serializer[Upload]):
    """An upload with a line per file; an archive that was unpacked is told by its members."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(UploadState.choices)
    reason = serializers.CharField()
    progress = serializers.FloatField(help_text="0 to 1.")
    created = serializers.DateTimeField()
    file_count = serializers.IntegerField()
    counts = UploadCountsSerializer()
    files = UploadFileSerializer(many=True)
    studies = serializers.ListField(child=serializers.UUIDField())

    def to_representation(self, upload: Upload) -> JSON:
        files = [file for file in upload.files.all() if file.outcome != FileOutcome.UNPACKED]
        return {
            "id": str(upload.pk),
            "state": upload.state,
            "reason": upload.reason,
            "progress": upload.progress,
            "created": upload.created,
            "file_count": len(files),
            "counts": {kind.value: sum(file.outcome == kind for file in files) for kind in FINAL_OUTCOMES},
            "files": [
                {
                    "name": file.name,
                    "outcome": file.outcome,
                    "reason": file.reason,
                    "study": str(file.study_id) if file.study_id else None,
                }
                for file in files
            ],
            "studies": sorted({str(file.study_id) for file in files if file.study_id}),
        }


class UploadRequestSerializer(serializers.Serializer[JSON]):
    file = serializers.ListField(child=serializers.FileField(), help_text="One part per DICOM file, zip or NIfTI.")
    site = serializers.UUIDField(required=False, help_text="Needed only by who belongs to several sites.")
