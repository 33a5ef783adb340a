"""A labelled case becomes a study with an approved version, all of it or nothing."""

import shutil
from pathlib import Path

from django.db import transaction

from plaqueview.accounts.models import Site
from plaqueview.annotations import services as annotations
from plaqueview.annotations.models import Annotation
from plaqueview.core.errors import ConflictError, InvalidError
from plaqueview.core.storage import incoming_folder
from plaqueview.imaging.nifti import write_volume_nifti
from plaqueview.imaging.png_pairs import read_png_pairs
from plaqueview.studies import services as studies
from plaqueview.studies.models import FileOutcome, Study
from plaqueview.studies.services import load_volume
from plaqueview.training.labelled_files import FLAIR_NAMES, LabelledCase, read_case_labels


@transaction.atomic
def import_case(case: LabelledCase, *, site: Site) -> Annotation:
    """The case is a study of its patient, with its labels as an approved version; no inference is asked for.

    Raises: ConflictError when the same FLAIR is kept already; InvalidError when the files are no FLAIR with labels on
    one grid; NiftiError, PngPairsError, LabelledCaseError.
    """
    labels = read_case_labels(case)
    study = _received(case, site)
    if study.flair_series_id is None:
        raise InvalidError(f"{case.name}: no FLAIR is found in it")
    if not labels.lies_on(load_volume(study.flair_series_id).volume):
        raise InvalidError(f"{case.name}: the labels lie on another grid than the FLAIR")
    imported = annotations.ImportedLabels(labels, case.note)
    return annotations.create_imported(study_id=study.pk, series_id=study.flair_series_id, imported=imported)


def _received(case: LabelledCase, site: Site) -> Study:
    """The FLAIR is received from a copy, which is moved into the store, and looked at as a whole."""
    with incoming_folder() as folder:
        copy = _copied(case, folder)
        arrival = studies.Arrival(site, studies.Source.IMPORT)
        received = studies.receive_nifti(
            path=copy, name=f"{case.name}/{copy.name}", arrival=arrival, patient_id=case.patient
        )
    if received.outcome == FileOutcome.DUPLICATE:
        raise ConflictError(f"{case.name}: the same FLAIR is kept already")
    if received.outcome != FileOutcome.ACCEPTED or received.study_id is None:
        raise InvalidError(f"{case.name}: {received.reason}")
    studies.settle(received.study_id)
    return Study.objects.get(pk=received.study_id)


def _copied(case: LabelledCase, folder: Path) -> Path:
    """The FLAIR as a NIfTI in the folder; pictures become one."""
    if case.is_of_pictures:
        copy = folder / FLAIR_NAMES[0]
        write_volume_nifti(copy, read_png_pairs(case.flair)[0])
    else:
        copy = folder / case.flair.name
        shutil.copyfile(case.flair, copy)
    return copy
