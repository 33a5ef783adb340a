"""The same bundle in FHIR R5, validated as such: what R5 calls otherwise, and nothing else, is changed.

Source: HL7 FHIR 5.0.0, the tables "R4 to R5" of Device, ImagingStudy and DiagnosticReport.
"""

from collections.abc import Callable, Mapping
from typing import Final

from plaqueview.annotations.models import Annotation
from plaqueview.reports.fhir_bundle import Json, bundle_of


def fhir_r5_bundle(annotation: Annotation) -> bytes:
    """The bundle as JSON, UTF-8; ids and numbers are those of R4."""
    from fhir.resources.bundle import Bundle  # noqa: PLC0415 (0.3 s that every start would wait)

    bundle = bundle_of(annotation)
    entries = [{**entry, "resource": _as_r5(entry["resource"])} for entry in bundle["entry"]]
    return bytes(Bundle.model_validate({**bundle, "entry": entries}).model_dump_json().encode())


def _as_r5(resource: Json) -> Json:
    change = CHANGED.get(resource["resourceType"])
    return change(resource) if change else resource


def _device(resource: Json) -> Json:
    """A model's name is no kind of name in R5; the nearest is that which users know."""
    names = [{"value": one["name"], "type": "user-friendly-name"} for one in resource["deviceName"]]
    return {name: value for name, value in resource.items() if name != "deviceName"} | {"name": names}


def _imaging_study(resource: Json) -> Json:
    series = [{**one, "modality": {"coding": [one["modality"]]}} for one in resource["series"]]
    return {**resource, "series": series}


def _report(resource: Json) -> Json:
    studies = resource["imagingStudy"]
    return {name: value for name, value in resource.items() if name != "imagingStudy"} | {"study": studies}


CHANGED: Final[Mapping[str, Callable[[Json], Json]]] = {
    "Device": _device,
    "ImagingStudy": _imaging_study,
    "DiagnosticReport": _report,
}
