"""Several models on the same held-out patients: whose predictions lie in the folders of their cross-validation.

A model is a folder that holds one `held_out.npz` a fold. What the network said is brought to the source grid, cut to
lesions and counted by the code that marks a patient's study.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_worker.dataset import named
from inference_worker.evaluation import StudyFigures, evaluate_study
from inference_worker.evaluation_data import EvaluationStudy
from inference_worker.held_out import HELD_OUT_NAME, held_out_names, read_held_out
from inference_worker.paper_table import paper_record
from inference_worker.prediction import Clock, segmentation_of
from inference_worker.preprocessing import WITH_SCALP, Prepared, Preprocessing
from inference_worker.summary import BOOTSTRAP, patient_values, summarise
from plaqueview.imaging.claims import PREDICTION_CLAIM, RESEARCH_NOTICE
from plaqueview.imaging.lesions import CountingRule

PAIRED_FIGURES = ("dice", "lesion_f1")
HELD_OUT_SPLIT = "each marked by the first fold that was not trained on it; probabilities kept to 1/255"
PAIRED_RULE = (
    "mean over patients of the model's figure minus that of the reference model on the same patients, "
    "patients resampled in pairs; share_better is the share of the resamples in which the model's mean is higher"
)

# Scalp or not, the network sees the same square.
SAME_GRID = frozenset({Preprocessing().version, WITH_SCALP.version})


class ComparisonError(ValueError):
    """Runs that cannot be compared."""


@dataclass(frozen=True)
class ModelRuns:
    """The held-out predictions of one model: the file of each study."""

    name: str
    files: Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class ModelResult:
    """One model's figures by study, in the order of the studies, and its labels of each study's `chosen_slice`."""

    name: str
    studies: tuple[StudyFigures, ...]
    chosen_slices: Mapping[str, NDArray[np.uint8]]


def find_models(folders: Sequence[Path]) -> list[ModelRuns]:
    """The models of folders that hold one folder a model, by name.

    Raises: ComparisonError when there is none, a name comes twice, or a patient is held out of some folds of a model.
    """
    found = [path for folder in folders for path in sorted(folder.iterdir()) if any(path.rglob(HELD_OUT_NAME))]
    names = Counter(path.name for path in found)
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise ComparisonError(f"models {twice} are in two folders of runs, need one folder a model")
    if not found:
        raise ComparisonError(
            f"no model in {[folder.name for folder in folders]} holds {HELD_OUT_NAME}, need at least 1"
        )
    return [read_runs(path) for path in found]


def read_runs(folder: Path) -> ModelRuns:
    """Each study's file is that of the fold it is held out of; of every fold, that of the first.

    Raises: ComparisonError when a patient is held out of some folds: which of them is to mark it cannot be told.
    """
    paths = sorted(folder.rglob(HELD_OUT_NAME))
    files: dict[str, Path] = {}
    folds_of: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        names = held_out_names(path)
        for patient in {name.split("/", maxsplit=1)[0] for name in names}:
            folds_of[patient].append(path.parent.name)
        files = dict.fromkeys(names, path) | files
    for patient, folds in sorted(folds_of.items()):
        if 1 < len(folds) < len(paths):
            raise ComparisonError(f"model {folder.name}: patient {patient} is held out of folds {folds}, need 1 or all")
    return ModelRuns(folder.name, files)


def choose_models(models: Sequence[ModelRuns], names: Sequence[str]) -> list[ModelRuns]:
    """The named models in the order of the names; all where none is named.

    Raises: ComparisonError when one is not there.
    """
    by_name = {model.name: model for model in models}
    if missing := [name for name in names if name not in by_name]:
        raise ComparisonError(f"models {missing} are not among the runs, there are {sorted(by_name)}")
    return [by_name[name] for name in names] if names else list(models)


def check_studies(models: Sequence[ModelRuns], studies: Sequence[str]) -> None:
    """Passes when every model was asked about each of these studies; what it was asked beyond them does not count.

    Raises: ComparisonError naming the studies that a model lacks.
    """
    for model in models:
        if missing := sorted(set(studies) - model.files.keys()):
            raise ComparisonError(f"model {model.name}: studies {missing} are held out of no fold")


def compare(
    models: Sequence[ModelRuns],
    studies: Sequence[EvaluationStudy],
    *,
    rule: CountingRule,
    on_progress: Callable[[str], None],
) -> list[ModelResult]:
    """Every model's result on every study; `on_progress` takes what is being evaluated.

    Raises: PreprocessingError when a study has no brain; ComparisonError when a prediction has another number of slices
    than its study; HeldOutError when a file does not read.
    """
    preprocessing = Preprocessing()
    prepared = {}
    for study in studies:
        on_progress(f"preparing {study.name}")
        with named(study.name):
            prepared[study.name] = preprocessing.prepare(study.flair)
    return [evaluate_model(model, studies, prepared, rule=rule, on_progress=on_progress) for model in models]


def evaluate_model(
    model: ModelRuns,
    studies: Sequence[EvaluationStudy],
    prepared: Mapping[str, Prepared],
    *,
    rule: CountingRule,
    on_progress: Callable[[str], None],
) -> ModelResult:
    by_name = {study.name: study for study in studies}
    figures: dict[str, StudyFigures] = {}
    chosen_slices: dict[str, NDArray[np.uint8]] = {}
    for path in sorted({model.files[study.name] for study in studies}):
        held_out = read_held_out(path, versions=SAME_GRID)
        for name, probabilities in held_out.probabilities.items():
            if name not in by_name or model.files[name] != path:
                continue
            on_progress(f"{model.name}  {name}")
            study, classes_first = by_name[name], probabilities.transpose(1, 0, 2, 3)
            check_slices(model.name, study, len(probabilities))
            found = segmentation_of(
                study.flair,
                prepared[name],
                classes_first,
                threshold=held_out.plaque_threshold,
                rule=rule,
                clock=Clock(),
            )
            figures[name] = evaluate_study(
                name, found, study.labels, patient=study.patient, ventricles=study.ventricles
            )
            chosen_slices[name] = found.labels.voxels[study.chosen_slice].copy()
    return ModelResult(model.name, tuple(figures[study.name] for study in studies), chosen_slices)


def check_slices(model: str, study: EvaluationStudy, found: int) -> None:
    """Raises: ComparisonError when the prediction has another number of slices than the study."""
    if found != study.flair.shape[0]:
        raise ComparisonError(
            f"model {model}: the prediction of {study.name} has {found} slices, the study has {study.flair.shape[0]}"
        )


def comparison_record(
    results: Sequence[ModelResult], *, data: str, split: str, rule: CountingRule
) -> dict[str, object]:
    """All figures of all models, as JSON holds them; the first model is the one that the others are tested against.

    `split` says in words how the studies stand to those that the models were trained on.
    """
    reference = results[0]
    return {
        "notice": RESEARCH_NOTICE,
        "claim": PREDICTION_CLAIM,
        "data": data,
        "split": split,
        "counting_rule": rule.sentence,
        "models": {result.name: summarise(result.studies) for result in results},
        "paired": {
            "rule": PAIRED_RULE,
            "bootstrap": BOOTSTRAP.sentence,
            "reference": reference.name,
            "tests": {result.name: paired_tests(result, reference) for result in results[1:]},
        },
        "paper": paper_record(),
    }


def paired_tests(result: ModelResult, reference: ModelResult) -> dict[str, object]:
    return {
        name: BOOTSTRAP.difference(
            patient_values(result.studies, name), patient_values(reference.studies, name)
        ).record()
        for name in PAIRED_FIGURES
    }
