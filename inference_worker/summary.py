"""The figures of many studies: averaged, with what the average is worth, as JSON holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference_worker.bootstrap import Bootstrap, Interval, mean_by_patient
from inference_worker.calibration import RULE as CALIBRATION_RULE
from inference_worker.calibration import Calibration
from inference_worker.evaluation import ClassCounts, MaskFigures, SparseFigures, StudyFigures
from inference_worker.metrics import Confusion, MetricError
from inference_worker.strata import FOUND_RULE, RULES, StratumCounts

BOOTSTRAP = Bootstrap()
AVERAGING = {
    "by_study": "each study's voxels pooled",
    "mean": "unweighted mean of the patients; a patient's studies are averaged first",
    "slices": "unweighted mean of the slices with plaques in truth or prediction within a study, then as mean",
    "pooled": "all voxels of all studies pooled",
    "intervals": BOOTSTRAP.sentence,
    "classes": "the same of the voxels of one class, of all studies whose labels name classes; lesion_classes: all "
    "found lesions of them",
    "lesions": "26-connected components of any plaque, as labelled; predicted ones by the counting rule; "
    "found when one voxel overlaps; LTPR is 1 where there is none to find, LFPR 0 where none is predicted",
    "empty": "a ratio of no voxels is 1 where truth and prediction agree on every voxel, else 0; of two empty masks "
    "the volume difference and hd95 are 0; hd95, and the relative volume difference, to an empty truth are missing, "
    "and patients without a value are left out of that mean",
    "hd95_mm": "the larger of the two directed 95th percentiles of the distances between surface voxels",
    "relative_volume_difference": "absolute volume difference as a share of the true volume",
}


@dataclass(frozen=True)
class Load:
    """A range of the true lesion volume of a study, in ml: from `low` to below `high`."""

    name: str
    low: float
    high: float

    @property
    def rule(self) -> str:
        upper = f" and below {self.high:g}" if self.high < float("inf") else ""
        return f"studies with at least {self.low:g}{upper} ml of true plaque"


LOADS = (Load("light", 0.0, 5.0), Load("moderate", 5.0, 15.0), Load("heavy", 15.0, float("inf")))


def summarise(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """Every figure of one model.

    Raises: MetricError when there are no studies.
    """
    if not studies:
        raise MetricError("no studies to summarise, need at least 1")
    return {
        "averaging": AVERAGING,
        "studies": len(studies),
        "patients": len({study.patient for study in studies}),
        **averages([(study.patient, study.plaques) for study in studies]),
        **class_summary(studies),
        "strata": strata_summary(studies),
        "loads": {load.name: load_summary(load, studies) for load in LOADS},
        "calibration": calibration_summary(studies),
        "by_study": {study.study: study_record(study) for study in studies},
    }


def averages(rows: Sequence[tuple[str, MaskFigures]]) -> dict[str, object]:
    """Means over patients, over slices and pooled, each with its intervals; rows are (patient, figures of a study)."""
    intervals = {
        "mean": intervals_of([(patient, figures.figures()) for patient, figures in rows]),
        "slices": intervals_of([(patient, figures.slices) for patient, figures in rows]),
        "pooled": BOOTSTRAP.pooled(confusions_by_patient(rows)),
    }
    means = {kind: {name: each.mean for name, each in figures.items()} for kind, figures in intervals.items()}
    records = {kind: {name: each.record() for name, each in figures.items()} for kind, figures in intervals.items()}
    return {**means, "intervals": records}


def intervals_of(rows: Sequence[tuple[str, SparseFigures]]) -> dict[str, Interval]:
    """By figure; rows are (patient, figures of a study)."""
    return {
        name: BOOTSTRAP.interval(
            list(mean_by_patient([(patient, figures[name]) for patient, figures in rows]).values())
        )
        for name in rows[0][1]
    }


def confusions_by_patient(rows: Sequence[tuple[str, MaskFigures]]) -> list[Confusion]:
    pooled: dict[str, Confusion] = {}
    for patient, figures in rows:
        pooled[patient] = pooled.get(patient, Confusion(0, 0, 0, 0)) + figures.confusion
    return list(pooled.values())


def patient_values(studies: Sequence[StudyFigures], name: str) -> dict[str, float | None]:
    """A figure of any plaque by patient."""
    return mean_by_patient([(study.patient, study.plaques.figures()[name]) for study in studies])


def class_summary(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """Figures of each class and all found lesions by class, of the studies whose labels name classes."""
    named = [(study.patient, study.classes) for study in studies if study.classes is not None]
    counts = [study.class_counts for study in studies if study.class_counts is not None]
    if not named:
        return {}
    classes = {kind: averages([(patient, classes[kind]) for patient, classes in named]) for kind in named[0][1]}
    return {"classes": classes, "lesion_classes": sum(counts, ClassCounts()).record()}


def strata_summary(studies: Sequence[StudyFigures]) -> dict[str, object]:
    """The plaques of all studies by stratum; one that no study can tell is not there."""
    known = {name: [study.strata[name] for study in studies if name in study.strata] for name in RULES}
    summed = {
        name: {"rule": RULES[name], "studies": len(counts), **sum(counts, StratumCounts()).record()}
        for name, counts in known.items()
        if counts
    }
    return {"rule": FOUND_RULE, **summed}


def load_summary(load: Load, studies: Sequence[StudyFigures]) -> dict[str, object]:
    """The mean of the patients of one load, and all their lesions."""
    chosen = [study for study in studies if load.low <= study.plaques.true_volume_ml < load.high]
    record: dict[str, object] = {"rule": load.rule, "studies": len(chosen)}
    if chosen:
        intervals = intervals_of([(study.patient, study.plaques.figures()) for study in chosen])
        record["mean"] = {name: each.mean for name, each in intervals.items()}
        record["lesions"] = sum((study.strata["lesions"] for study in chosen), StratumCounts()).record()
    return record


def calibration_summary(studies: Sequence[StudyFigures]) -> dict[str, object]:
    pooled = sum((study.calibration for study in studies), Calibration.empty())
    return {"rule": CALIBRATION_RULE, **pooled.record()}


def study_record(study: StudyFigures) -> dict[str, object]:
    record: dict[str, object] = {
        "patient": study.patient,
        **mask_record(study.plaques),
        "strata": {name: counts.record() for name, counts in study.strata.items()},
    }
    if study.classes is not None and study.class_counts is not None:
        record["classes"] = {name: mask_record(figures) for name, figures in study.classes.items()}
        record["lesion_classes"] = study.class_counts.record()
    return record


def mask_record(figures: MaskFigures) -> Mapping[str, float | None]:
    return {
        **figures.figures(),
        "true_volume_ml": figures.true_volume_ml,
        "predicted_volume_ml": figures.predicted_volume_ml,
    }
