"""Figures as Markdown, drawn from the very record that the JSON holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inference_worker.evaluation import StudyFigures
from inference_worker.paper_table import PAPER_METRICS, PAPER_NOTE, PAPER_TABLE
from inference_worker.summary import intervals_of

Record = Mapping[str, Any]  # Any: what JSON holds

MISSING = "-"
KINDS = {
    "mean": "mean of patients (each patient's voxels pooled)",
    "slices": "mean of slices with plaques, by patient",
    "pooled": "all voxels pooled",
}
FURTHER_METRICS = {
    "lesion_f1": "lesion F1",
    "ltpr": "LTPR",
    "lfpr": "LFPR",
    "volume_difference_ml": "volume difference (ml)",
    "relative_volume_difference": "relative",
    "hd95_mm": "HD95 (mm)",
}
CLASS_NOTE = (
    "A study without plaques of a class, in truth and prediction, counts as agreement: 1. The classes of real plaques "
    "are not validated."
)
STUDY_COLUMNS = ("dice", "iou", "precision", "recall", "f1", "mcc", "lesion_f1", "ltpr", "lfpr", "hd95_mm")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def with_interval(record: Record, patients: int) -> str:
    """`0.612 ± 0.101 (0.550 to 0.671)`: mean, standard deviation over patients, 95 % confidence interval.

    How many patients have a value is added where that is not all of them.
    """
    spread = "" if record["standard_deviation"] is None else f" ± {record['standard_deviation']:.3f}"
    limits = "" if record["low"] is None else f" ({record['low']:.3f} to {record['high']:.3f})"
    known = "" if record["patients"] == patients else f", {record['patients']} of {patients} patients"
    return f"{number(record['mean'])}{spread}{limits}{known}"


def markdown_table(studies: Sequence[StudyFigures]) -> str:
    """One row a study and one of the means of patients."""
    rows = [(study.study, study.plaques.figures()) for study in studies]
    means = intervals_of([(study.patient, study.plaques.figures()) for study in studies])
    rows.append(("mean", {name: each.mean for name, each in means.items()}))
    return table(
        ("study", *STUDY_COLUMNS), [(name, *(number(row[column]) for column in STUDY_COLUMNS)) for name, row in rows]
    )


def comparison_page(record: Record) -> str:
    """The page beside `comparison.json`: our Table 1 beside the paper's, and everything that it leaves out."""
    models: Mapping[str, Record] = record["models"]
    first = next(iter(models.values()))
    about = f"Data: {record['data']}, {first['studies']} studies ({record['split']})."
    parts = [
        f"# {len(models)} model{'s' * (len(models) > 1)} on {first['patients']} patients\n",
        f"**{record['notice']}** {record['claim']}. {about}\n",
        f"Counting rule: {record['counting_rule']}.\n",
        *(section(f"Any plaque, {title}", main_table(models, kind)) for kind, title in KINDS.items()),
        section("The source paper's table", paper_table() + f"\n{PAPER_NOTE}\n"),
        section("Lesions, volumes, distances, mean of patients", further_table(models)),
        section("Paired tests", paired_table(record["paired"])) if record["paired"]["tests"] else "",
        section("Plaques that are hard to find", strata_table(models)),
        section("By lesion load", load_table(models)),
        section("By class", class_table(models)) if "classes" in first else "",
        section("Calibration of P(any plaque)", calibration_table(models)),
        section("Dice by study", study_table(models)),
        section("What is averaged how", averaging_list(first)),
    ]
    return "\n".join(part for part in parts if part)


def section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def main_table(models: Mapping[str, Record], kind: str) -> str:
    rows = [
        (name, *(with_interval(model["intervals"][kind][metric], model["patients"]) for metric in PAPER_METRICS))
        for name, model in models.items()
    ]
    return table(("model", *PAPER_METRICS.values()), rows)


def paper_table() -> str:
    rows = [(name, *(number(value, 4) for value in values)) for name, values in PAPER_TABLE.items()]
    return table(("network", *PAPER_METRICS.values()), rows)


def further_table(models: Mapping[str, Record]) -> str:
    rows = [
        (name, *(with_interval(model["intervals"]["mean"][metric], model["patients"]) for metric in FURTHER_METRICS))
        for name, model in models.items()
    ]
    return table(("model", *FURTHER_METRICS.values()), rows)


def paired_table(paired: Record) -> str:
    rows = [
        (
            name,
            metric,
            f"{test['mean_difference']:+.3f}",
            MISSING if test["low"] is None else f"{test['low']:+.3f} to {test['high']:+.3f}",
            f"{test['share_better']:.1%}",
        )
        for name, tests in paired["tests"].items()
        for metric, test in tests.items()
    ]
    header = (f"model, against {paired['reference']}", "figure", "difference", "95 % interval", "better in")
    return table(header, rows) + f"\n{sentence(paired['rule'])} {sentence(paired['bootstrap'])}\n"


def sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def strata_table(models: Mapping[str, Record]) -> str:
    """Found share with counts, then recall, one row a stratum."""
    first = next(iter(models.values()))["strata"]
    rows = [
        (stratum["rule"], *(found(model["strata"][name]) for model in models.values()))
        for name, stratum in first.items()
        if name != "rule"
    ]
    return (
        table(("plaques", *models), rows) + f"\n{sentence(first['rule'])} Cells: found share (found of all); recall.\n"
    )


def found(counts: Record) -> str:
    if not counts["plaques"]:
        return f"{MISSING} (none)"
    return f"{counts['found_share']:.1%} ({counts['found']} of {counts['plaques']}); {counts['recall']:.3f}"


def load_table(models: Mapping[str, Record]) -> str:
    rows = [
        (
            name,
            f"{load_name}: {load['rule']}",
            str(load["studies"]),
            number(load["mean"]["dice"]) if load["studies"] else MISSING,
            number(load["mean"]["lesion_f1"]) if load["studies"] else MISSING,
            found(load["lesions"]) if load["studies"] else MISSING,
        )
        for name, model in models.items()
        for load_name, load in model["loads"].items()
    ]
    return table(("model", "load", "studies", "Dice", "lesion F1", "found share; recall"), rows)


def class_table(models: Mapping[str, Record]) -> str:
    rows = [
        (
            name,
            kind,
            str(studies_with(model, kind)),
            *(with_interval(each, each["patients"]) for each in class_intervals(figures)),
            taken_for(model["lesion_classes"], kind),
        )
        for name, model in models.items()
        for kind, figures in model["classes"].items()
    ]
    header = ("model", "class", "studies with it", "Dice", "lesion F1", "its found lesions named so")
    return table(header, rows) + f"\n{CLASS_NOTE}\n"


def studies_with(model: Record, kind: str) -> int:
    """How many studies have a true plaque of the class."""
    studies = [study["classes"][kind] for study in model["by_study"].values() if "classes" in study]
    return sum(figures["true_volume_ml"] > 0.0 for figures in studies)


def taken_for(counts: Record, kind: str) -> str:
    """`44 of 68`: how many of the found lesions of a class the model gives that class."""
    of_kind = {name: count for name, count in counts.items() if name.startswith(f"{kind}_as_")}
    return f"{of_kind[f'{kind}_as_{kind}']} of {sum(of_kind.values())}"


def class_intervals(figures: Record) -> list[Record]:
    return [figures["intervals"]["mean"][metric] for metric in ("dice", "lesion_f1")]


def calibration_table(models: Mapping[str, Record]) -> str:
    names = ("expected_calibration_error", "expected_calibration_error_without_lowest_bin")
    rows = [(name, *(number(model["calibration"][each], 4) for each in names)) for name, model in models.items()]
    rule = next(iter(models.values()))["calibration"]["rule"]
    return table(("model", "expected calibration error", "without the lowest bin"), rows) + f"\n{sentence(rule)}\n"


def study_table(models: Mapping[str, Record]) -> str:
    first = next(iter(models.values()))["by_study"]
    rows = [
        (
            study,
            number(figures["true_volume_ml"], 1),
            *(number(model["by_study"][study]["dice"]) for model in models.values()),
        )
        for study, figures in first.items()
    ]
    return table(("study", "true volume (ml)", *models), rows)


def averaging_list(model: Record) -> str:
    return "\n".join(f"- `{name}`: {rule}" for name, rule in model["averaging"].items()) + "\n"
