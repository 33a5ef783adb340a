"""What a draft adds up to, as the API gives it."""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np

from plaqueview.annotations import versions
from plaqueview.annotations.measuring import MeasuredMask
from plaqueview.annotations.statements import LesionWord, Statement, contradictions, words_by_lesion
from plaqueview.imaging.lesion_sizes import SIZE_RULE
from plaqueview.imaging.lesions import LesionTable

JSON = dict[str, Any]  # Any: JSON


def measures_of(draft_id: UUID, mask: MeasuredMask, signed: Sequence[Statement]) -> JSON:
    """Counts, volumes and a row for each lesion, with what was said of it."""
    table = mask.table
    said = words_by_lesion(signed, table)
    first_voxels = _first_voxels(table)
    return {
        "counting_rule": table.rule.sentence,
        "lesion_counts": {kind.value: count for kind, count in table.counts().items()},
        "lesion_volumes_ml": {kind.value: volume_ml for kind, volume_ml in table.volumes_ml().items()},
        "counts_by_slice": {kind.value: list(touching) for kind, touching in table.counts_by_slice().items()},
        "counts_by_size": versions.size_counts(table),
        "size_rule": SIZE_RULE,
        "contradictions": [
            {"statement": str(one.statement.id), "detail": one.detail} for one in contradictions(signed, table)
        ],
        "lesions": [
            {
                # The same from save to save, as long as the lesion's first voxel stays.
                "id": str(uuid5(NAMESPACE_OID, f"{draft_id} {first_voxels[lesion.number]}")),
                **versions.lesion_fields(lesion, region),
                **_word_of(said.get(lesion.number), lesion.lesion_class),
            }
            for lesion, region in zip(table.lesions, mask.regions, strict=True)
        ],
    }


def _word_of(word: LesionWord | None, lesion_class: str) -> JSON:
    confirmation = word.confirmation if word else None
    is_borne_out = confirmation is not None and confirmation.lesion_class == lesion_class
    return {
        "evidence": confirmation.evidence if confirmation and is_borne_out else None,
        "statement": str(word.last.id) if word else None,
    }


def _first_voxels(table: LesionTable) -> dict[int, int]:
    """By lesion number, the place of its first voxel in C order."""
    places = np.flatnonzero(table.lesion_numbers)
    numbers, first = np.unique(table.lesion_numbers.reshape(-1)[places], return_index=True)
    return dict(zip(numbers.tolist(), places[first].tolist(), strict=True))
