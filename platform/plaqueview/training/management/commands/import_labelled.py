"""Imports cases that have labels: each becomes a study with an approved version."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from plaqueview.accounts.services import create_site
from plaqueview.core.errors import ConflictError, InvalidError, UnavailableError
from plaqueview.imaging.nifti import NiftiError
from plaqueview.imaging.png_pairs import PngPairsError
from plaqueview.training.importing import import_case
from plaqueview.training.labelled_files import LabelledCaseError, find_cases

REFUSALS = (InvalidError, LabelledCaseError, NiftiError, PngPairsError)


class Command(BaseCommand):
    help = (
        "Imports folders that hold flair.nii.gz with labels.nii.gz (0/1/2 or 0/127/255) or lesion.nii.gz (plaques "
        "without class), or pairs of PNG slices NAME-flair.png and NAME-labels.png (0/127/255) with spacing_mm.json: a "
        "line per case and a summary. A case's patient is the first folder below PATH. The exit "
        "status is 1 when a case was rejected; one that is kept already is no error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--site", default=settings.DEFAULT_SITE_NAME, help="site of the studies (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        if missing := [path for path in options["paths"] if not path.is_dir()]:
            raise CommandError(f"{missing[0]} is no folder", returncode=2)
        self.counts: Counter[str] = Counter()
        try:
            for root in options["paths"]:
                self._import(root, options["site"])
        except (LabelledCaseError, UnavailableError) as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(", ".join(f"{self.counts[word]} {word}" for word in ("imported", "duplicate", "rejected")))
        if self.counts["rejected"]:
            raise CommandError("not every case was imported", returncode=1)
        if not self.counts:
            raise CommandError("no folder holds a flair.nii.gz or a spacing_mm.json", returncode=1)

    def _import(self, root: Path, site_name: str) -> None:
        for case in find_cases(root):
            try:
                annotation = import_case(case, site=create_site(name=site_name))
            except ConflictError as error:
                self._report("duplicate", error.detail)
            except REFUSALS as error:
                self._report("rejected", str(error))
            else:
                counts = f"{annotation.active_count + annotation.inactive_count} lesions"
                self._report("imported", f"{case.name}: {counts}; {annotation.counting_rule}")

    def _report(self, word: str, text: str) -> None:
        self.counts[word] += 1
        self.stdout.write(f"{word:<9} {text}")
