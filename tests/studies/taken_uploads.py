"""Files as somebody uploads them, and what became of each."""

import nibabel
import numpy as np

from plaqueview.core.access import Role
from plaqueview.studies.models import Upload
from plaqueview.studies.services import UploadPart, create_upload, process_upload
from tests.accounts.people import make_user
from tests.studies.dicom_files import incoming, ljubljana


def uploaded(files: dict[str, bytes]) -> Upload:
    parts = [UploadPart(name, incoming(content), len(content)) for name, content in files.items()]
    return create_upload(actor=make_user(Role.NEUROLOGIST), site=ljubljana(), parts=parts)


def processed(files: dict[str, bytes]) -> dict[str, tuple[str, str]]:
    """Outcome and reason by name, once a worker is done with the upload."""
    upload = uploaded(files)
    process_upload(upload.pk)
    return lines_of(upload)


def lines_of(upload: Upload) -> dict[str, tuple[str, str]]:
    return {file.name: (file.outcome, file.reason) for file in upload.files.all()}


def nifti_bytes(shape=(16, 16, 10), spacing_mm=(0.5, 0.8, 5.0)) -> bytes:
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return nibabel.Nifti1Image(voxels, np.diag([*spacing_mm, 1.0])).to_bytes()
