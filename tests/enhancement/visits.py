"""Studies with T1s before and after contrast agent, the uptakes of which are known."""

from plaqueview.enhancement import services
from plaqueview.enhancement.models import Enhancement
from plaqueview.imaging.brightened_spots import spots_of
from plaqueview.imaging.enhancement import ALGORITHM, EnhancementRule, EnhancingPlace
from plaqueview.studies.models import Study
from tests.imaging.phantoms import labels_on, paint_sphere
from tests.inference.scenes import AFFINE, SHAPE, add_series, make_study

PAIR_REASON = "series 4 't1' is taken as the T1 before contrast agent of series 9 't1 km': its name says 't1' (+20)"
NO_PAIR_REASON = "none of 1 series is a T1 after contrast agent"


def visit(study: Study | None = None, *, uid: str = "1.2.3") -> Study:
    """A settled study in which two T1s go together."""
    study = Study.objects.get(pk=study.pk) if study else make_study(uid=uid)
    before, after = (add_series(study, f"{study.study_instance_uid}.{number}") for number in (4, 9))
    choose_pair(study, {"before": str(before.pk), "after": str(after.pk), "reason": PAIR_REASON})
    return study


def choose_pair(study: Study, pair: dict[str, str | None] | None) -> None:
    """What settling leaves in the study; None is what an earlier release left."""
    study.series_choice = {**study.series_choice, **({"t1_pair": pair} if pair else {})}
    study.save()


def claimed(study: Study, *, worker: str = "worker-1") -> services.Claim:
    services.request_for_study(study.pk)
    claim = services.claim(enhancement_id=Enhancement.objects.get(study=study).pk, worker=worker)
    assert claim is not None
    return claim


def found_in(*spheres) -> services.Found:
    """These spheres enhance: ((x, y, z) mm, radius mm)."""
    mask = labels_on(SHAPE, AFFINE)
    for centre_mm, radius_mm in spheres:
        paint_sphere(mask, centre_mm=centre_mm, radius_mm=radius_mm, label=1)
    places = tuple(EnhancingPlace(spot, 7.5) for spot in spots_of(mask))
    kept = services.EnhancingPlaces(SHAPE, ALGORITHM, EnhancementRule(), places)
    return services.Found(kept, similarity=0.9, seconds=1.5)


def enhanced(study: Study, *spheres) -> Enhancement:
    """The search has ended: these spheres enhance."""
    claim = claimed(study)
    services.complete(claim, found=found_in(*spheres))
    return Enhancement.objects.get(pk=claim.enhancement_id)
