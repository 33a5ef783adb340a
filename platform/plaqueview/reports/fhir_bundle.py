"""A version as a FHIR R4 bundle: study, report, and an observation for each number.

Source: HL7 FHIR 4.0.1; validated as R4B, which changed nothing in these resources.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.valuerep import PersonName

from plaqueview.annotations.models import Annotation, Lesion
from plaqueview.enhancement.services import Uptakes
from plaqueview.imaging.dicom_document import BRAIN, CATEGORY, CLASS_CODES, LESION, MANUFACTURER, spoken
from plaqueview.imaging.dicom_pdf import TITLE
from plaqueview.imaging.dicom_sr import (
    BASIS,
    IN_PLANE_AXIS,
    LESION_CLASS,
    LESION_COUNT,
    LONG_AXIS,
    MILLILITRE,
    NUMBER_OF_LESIONS,
    SCHEME,
    tracking_uid,
)
from plaqueview.imaging.enhancement import SUGGESTION
from plaqueview.imaging.lesion_class import LesionClass
from plaqueview.imaging.lesion_sizes import SIZE_RULE, SizeClass
from plaqueview.imaging.longitudinal import LesionChange
from plaqueview.longitudinal.services import Brightening, Changes
from plaqueview.reports.findings import Findings, RegionState, findings_of
from plaqueview.reports.stamps import basis_of

Json = dict[str, Any]  # Any: JSON

SYSTEMS: Final[Mapping[str, str]] = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "UCUM": "http://unitsofmeasure.org",
    SCHEME: "urn:plaqueview:concepts",
}
DICOM_UID: Final = "urn:dicom:uid"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
GENDERS: Final[Mapping[str, str]] = {"M": "male", "F": "female", "O": "other"}

REGION: Final = Code("region", SCHEME, "Region of the brain")
SLICES: Final = Code("slice_indices", SCHEME, "Slices, from 0")
VOXELS: Final = Code("voxel_count", SCHEME, "Number of voxels")
SIZE_CODES: Final[Mapping[SizeClass, Code]] = {
    size: Code(f"{size.value}_lesions", SCHEME, f"Number of {size.value} lesions, {SIZE_RULE}") for size in SizeClass
}
PROBABILITY: Final = Code("mean_probability", SCHEME, "Mean probability of a lesion of either class")
CHANGE: Final = Code("changes", SCHEME, "Change since the prior study")
CHANGE_CODES: Final[Mapping[LesionChange, Code]] = {
    kind: Code(f"{kind.value}_lesions", SCHEME, f"Number of {kind.value} lesions") for kind in LesionChange
}
BRIGHTENED: Final = Code("brightened_places", SCHEME, "Number of places that became brighter without growing")
ENHANCING: Final = Code("enhancing_lesions", SCHEME, "Number of lesions that took up contrast agent, a suggestion")
LESION_NUMBERS: Final = Code("lesion_numbers", SCHEME, "Numbers of the lesions")
MILLIMETRE: Final = codes.UCUM.Millimeter
VOXEL: Final = Code("{voxels}", "UCUM", "voxels")
SHARE: Final = Code("1", "UCUM", "1")


def fhir_bundle(annotation: Annotation) -> bytes:
    """The bundle as JSON, UTF-8; numbers to the last digit. Its ids follow from the version, as UIDs of DICOM do."""
    from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 (0.3 s that every start would wait)

    return bytes(Bundle.model_validate(bundle_of(annotation)).model_dump_json().encode())


def bundle_of(annotation: Annotation) -> Json:
    """The bundle, not validated yet."""
    resources = _Resources(findings_of(annotation))
    entries = [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in resources.all()]
    return {
        "resourceType": "Bundle",
        "id": resources.id_of("bundle"),
        "type": "collection",
        "timestamp": resources.read.said_at.isoformat(),
        "entry": entries,
    }


class _Resources:
    """The resources of one version; each refers to the others by ids that the version gives."""

    def __init__(self, read: Findings) -> None:
        self.read = read
        self.annotation, self.stamp = read.annotation, read.stamp

    def id_of(self, name: str) -> str:
        return str(uuid5(NAMESPACE_URL, self.stamp.uid(f"fhir {name}")))

    def reference(self, name: str) -> Json:
        return {"reference": f"urn:uuid:{self.id_of(name)}"}

    def all(self) -> Iterator[Json]:
        observations = list(self._observations())
        yield self._patient()
        yield self._device()
        yield self._imaging_study()
        yield self._report(observations)
        yield from observations

    def _patient(self) -> Json:
        patient = self.annotation.study.patient
        patient.require_opened()
        identifier: Json = {"value": patient.patient_id}
        if patient.issuer_of_patient_id:
            identifier["assigner"] = {"display": patient.issuer_of_patient_id}
        return _without_gaps(
            resourceType="Patient",
            id=self.id_of("patient"),
            identifier=[identifier] if patient.patient_id else None,
            name=[_name(patient.name)] if patient.name else None,
            birthDate=patient.birth_date.isoformat() if patient.birth_date else None,
            gender=GENDERS.get(patient.sex, "unknown"),
        )

    def _device(self) -> Json:
        """The network at the origin of the version; without one, the software alone."""
        algorithm = self.stamp.algorithm
        names = [algorithm.name] if algorithm else []
        return _without_gaps(
            resourceType="Device",
            id=self.id_of("device"),
            identifier=[{"system": "urn:plaqueview:sha256", "value": algorithm.sha256}] if algorithm else None,
            manufacturer=MANUFACTURER,
            deviceName=[{"name": name, "type": "model-name"} for name in [*names, MANUFACTURER]],
            version=[
                *([{"type": {"text": "model"}, "value": algorithm.version}] if algorithm else []),
                {"type": {"text": MANUFACTURER}, "value": self.stamp.software_version},
            ],
            note=[{"text": text} for text in (self.stamp.notice, self.read.caveat) if text],
        )

    def _imaging_study(self) -> Json:
        study, series = self.annotation.study, self.annotation.series
        return _without_gaps(
            resourceType="ImagingStudy",
            id=self.id_of("study"),
            identifier=[
                {"system": DICOM_UID, "value": f"urn:oid:{study.study_instance_uid}"},
                *([{"value": study.accession_number}] if study.accession_number else []),
            ],
            status="available",
            subject=self.reference("patient"),
            started=study.study_date.isoformat() if study.study_date else None,
            description=study.study_description or None,
            series=[
                _without_gaps(
                    uid=series.series_instance_uid,
                    modality={"system": SYSTEMS["DCM"], "code": series.modality or "MR"},
                    description=series.series_description or None,
                    numberOfInstances=series.instance_count,
                )
            ],
        )

    def _report(self, observations: Sequence[Json]) -> Json:
        study = self.annotation.study
        return _without_gaps(
            resourceType="DiagnosticReport",
            id=self.id_of("report"),
            identifier=[{"system": "urn:plaqueview:annotation", "value": self.stamp.annotation_id}],
            status=self._status(),
            code=_concept(TITLE),
            subject=self.reference("patient"),
            effectiveDateTime=study.study_date.isoformat() if study.study_date else None,
            issued=_instant(self.read.said_at),
            performer=[{"display": MANUFACTURER}],
            resultsInterpreter=[{"display": spoken(self.stamp.reader)}] if self.stamp.reader else None,
            imagingStudy=[self.reference("study")],
            result=[{"reference": f"urn:uuid:{one['id']}"} for one in observations],
            conclusion=" ".join(f"{one.rstrip('.')}." for one in (*self.stamp.authors(), self.stamp.notice)),
        )

    def _observations(self) -> Iterator[Json]:
        for kind in LesionClass:
            yield self._class(kind)
        for lesion in self.read.lesions:
            yield self._lesion(lesion)
        if self.read.changes is not None:
            yield self._changes(self.read.changes)
        if self.read.uptakes is not None:
            yield self._uptakes(self.read.uptakes)

    def _observation(self, name: str, code: Json, components: Sequence[Json], **more: Any) -> Json:  # Any: JSON
        study = self.annotation.study
        notes = (*self.stamp.authors(), self.stamp.notice)
        return _without_gaps(
            resourceType="Observation",
            id=self.id_of(name),
            status=self._status(),
            category=[_concept(CATEGORY)],
            code=code,
            subject=self.reference("patient"),
            effectiveDateTime=study.study_date.isoformat() if study.study_date else None,
            issued=_instant(self.read.said_at),
            bodySite=_concept(BRAIN),
            device=self.reference("device"),
            derivedFrom=[self.reference("study")],
            component=list(components),
            **{"method": {"text": self.stamp.counting_rule}, **more},
            note=[{"text": text} for text in notes],
        )

    def _class(self, kind: LesionClass) -> Json:
        components = [
            _quantity(NUMBER_OF_LESIONS, self.annotation.counts[kind], LESION_COUNT),
            _quantity(codes.SCT.Volume, self.annotation.volumes_ml[kind], MILLILITRE),
            _coded(LESION_CLASS, CLASS_CODES[kind], self.stamp.label_of(kind)),
            *(_quantity(SIZE_CODES[size], by_class[kind], LESION_COUNT) for size, by_class in self.read.sizes.items()),
        ]
        return self._observation(f"class {kind}", _concept(NUMBER_OF_LESIONS, f"All {kind} lesions"), components)

    def _lesion(self, lesion: Lesion) -> Json:
        kind = LesionClass(lesion.lesion_class)
        basis = basis_of(lesion, self.stamp)
        components = [
            _coded(LESION_CLASS, CLASS_CODES[kind], basis),
            _text(BASIS, basis),
            _quantity(codes.SCT.Volume, lesion.volume_ml, MILLILITRE),
            _quantity(LONG_AXIS, lesion.longest_axis_mm, MILLIMETRE),
            _quantity(VOXELS, lesion.voxel_count, VOXEL),
            _text(SLICES, " ".join(map(str, lesion.slice_indices))),
        ]
        if lesion.in_plane_axis_mm is not None:
            components.append(_quantity(IN_PLANE_AXIS, lesion.in_plane_axis_mm, MILLIMETRE))
        if lesion.mean_probability is not None:
            components.append(_quantity(PROBABILITY, lesion.mean_probability, SHARE))
        components.append(self._region(lesion))
        tracking = {"system": DICOM_UID, "value": f"urn:oid:{tracking_uid(str(lesion.pk))}"}
        code = _concept(LESION, f"Lesion {lesion.number}")
        return self._observation(f"lesion {lesion.pk}", code, components, identifier=[tracking])

    def _region(self, lesion: Lesion) -> Json:
        """The region; or, as long as nobody has determined any, why there is none."""
        match self.read.region_state:
            case RegionState.DETERMINED:
                return _text(REGION, lesion.region)
            case RegionState.PENDING:
                return _absent(REGION, "temp-unknown", "not determined yet")
            case RegionState.NOT_DETERMINED:
                return _absent(REGION, "unknown", f"not determined: {self.annotation.region_note}")

    def _changes(self, changes: Changes) -> Json:
        counts = changes.comparison.counts()
        components = [_quantity(CHANGE_CODES[kind], counts[kind], LESION_COUNT) for kind in LesionChange]
        rules = [changes.comparison.rule.sentence]
        if changes.brightening is not None:
            components.append(_brightened(changes, changes.brightening))
            rules.append(changes.brightening.rule)
        prior = _prior_sentence(changes.prior_annotation)
        code = _concept(CHANGE, f"{CHANGE.meaning}: {prior}")
        return self._observation("changes", code, components, method={"text": "; ".join(rules)})

    def _uptakes(self, uptakes: Uptakes) -> Json:
        if uptakes.found is None:
            components = [_absent(ENHANCING, "unknown", f"not determined: {uptakes.reason}")]
            return self._observation("uptakes", _concept(ENHANCING), components)
        numbers = sorted(uptakes.lesions)
        components = [
            _quantity(ENHANCING, len(numbers), LESION_COUNT),
            *([_text(LESION_NUMBERS, " ".join(map(str, numbers)))] if numbers else []),
        ]
        method = {"text": f"{uptakes.found.rule.sentence}; {SUGGESTION}"}
        return self._observation("uptakes", _concept(ENHANCING), components, method=method)

    def _status(self) -> str:
        return "final" if self.stamp.approval else "preliminary"


def _brightened(changes: Changes, kept: Brightening) -> Json:
    if kept.note:
        return _absent(BRIGHTENED, "unknown", f"not determined: {kept.note}")
    return _quantity(BRIGHTENED, len(changes.brightened_only), LESION_COUNT)


def _prior_sentence(prior: Annotation) -> str:
    day = prior.study.study_date.isoformat() if prior.study.study_date else "of unknown date"
    return f"study {day}, version {prior.version} ({prior.pk})"


def _name(raw: str) -> Json:
    name = PersonName(raw)
    given = [part for part in (name.given_name, name.middle_name) if part]
    return _without_gaps(text=str(name), family=name.family_name or None, given=given or None)


def _concept(code: Code, text: str | None = None) -> Json:
    coding = {"system": SYSTEMS[code.scheme_designator], "code": code.value, "display": code.meaning}
    return {"coding": [coding], "text": text or code.meaning}


def _quantity(name: Code, value: float, unit: Code) -> Json:
    quantity = {"value": value, "unit": unit.meaning, "system": SYSTEMS["UCUM"], "code": unit.value}
    return {"code": _concept(name), "valueQuantity": quantity}


def _coded(name: Code, value: Code, text: str) -> Json:
    return {"code": _concept(name), "valueCodeableConcept": _concept(value, text)}


def _text(name: Code, value: str) -> Json:
    return {"code": _concept(name), "valueString": value}


def _absent(name: Code, reason: str, text: str) -> Json:
    """Source: HL7 FHIR 4.0.1, code system data-absent-reason."""
    return {"code": _concept(name), "dataAbsentReason": {"coding": [{"system": ABSENT, "code": reason}], "text": text}}


def _instant(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")


def _without_gaps(**fields: Any) -> Json:  # Any: JSON
    """FHIR has no empty values: what is not known is not there."""
    return {name: value for name, value in fields.items() if value not in (None, [], "")}
