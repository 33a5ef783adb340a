"""Lesions of two visits with known answers: new, enlarging, stable, shrinking, resolved, and what cannot be said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plaqueview.imaging.lesions import CountingRule, measure_lesions
from plaqueview.imaging.longitudinal import (
    ChangeRule,
    Comparison,
    LesionChange,
    LongitudinalError,
    compare_lesions,
)
from plaqueview.imaging.volume import Volume
from tests.imaging.phantoms import axial_affine, labels_on, paint_sphere, rotated

ONE_MM = axial_affine()
SHAPE = (40, 48, 48)
RULE = ChangeRule()
STILL = np.eye(4)


def spheres(*places, affine=ONE_MM, shape=SHAPE) -> Volume:
    """Lesion numbers of spheres, each ((x, y, z) in mm, radius in mm)."""
    labels = labels_on(shape, affine)
    for centre_mm, radius_mm in places:
        paint_sphere(labels, centre_mm=centre_mm, radius_mm=radius_mm, label=1)
    return labels.with_voxels(measure_lesions(labels, None, rule=CountingRule()).lesion_numbers)


def compare(current: Volume, prior: Volume, matrix=STILL) -> Comparison:
    return compare_lesions(current, prior, matrix, rule=RULE)


def groups(comparison: Comparison) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return [(one.change.value, one.lesions, one.prior_lesions) for one in comparison.changes]


@pytest.mark.parametrize(
    ("then_mm", "now_mm", "change"),
    [
        (4.0, 4.0, "stable"),
        (4.0, 4.3, "stable"),
        (3.0, 4.5, "enlarging"),
        (4.5, 3.0, "shrinking"),
        (8.0, 8.4, "stable"),
        (8.0, 9.2, "enlarging"),
        (9.2, 8.0, "shrinking"),
    ],
)
def test_a_lesion_is_followed_by_its_volume(then_mm, now_mm, change):
    middle = (24.0, 24.0, 20.0)

    comparison = compare(spheres((middle, now_mm)), spheres((middle, then_mm)))

    assert groups(comparison) == [(change, (1,), (1,))]
    (one,) = comparison.changes
    assert one.volume_ml == pytest.approx(4 / 3 * np.pi * now_mm**3 / 1000, rel=0.1)
    assert one.prior_volume_ml == pytest.approx(4 / 3 * np.pi * then_mm**3 / 1000, rel=0.1)
    assert one.anchor == (20, 24, 24)


def test_what_has_no_predecessor_is_new_and_what_has_no_successor_resolved():
    old, lasting, new = ((10.0, 10.0, 10.0), 3.0), ((30.0, 12.0, 20.0), 4.0), ((14.0, 36.0, 30.0), 3.0)

    comparison = compare(spheres(lasting, new), spheres(old, lasting))

    assert groups(comparison) == [("new", (2,), ()), ("resolved", (), (2,)), ("stable", (1,), (1,))]
    assert [one.anchor for one in comparison.changes] == [(30, 36, 14), (10, 10, 10), (20, 12, 30)]
    assert comparison.counts() == {
        LesionChange.NEW: 1,
        LesionChange.ENLARGING: 0,
        LesionChange.STABLE: 1,
        LesionChange.SHRINKING: 0,
        LesionChange.RESOLVED: 1,
    }


def test_lesions_that_grow_together_are_one_group():
    apart = spheres(((18.0, 24.0, 20.0), 4.0), ((28.0, 24.0, 20.0), 4.0))
    together = spheres(((18.0, 24.0, 20.0), 5.0), ((28.0, 24.0, 20.0), 5.0))

    merged, parted = compare(together, apart), compare(apart, together)

    assert groups(merged) == [("enlarging", (1,), (1, 2))]
    assert groups(parted) == [("shrinking", (1, 2), (1,))]


def test_the_matrix_takes_the_study_to_the_prior():
    """The prior's patient lay turned and shifted; its mask is the same lesions in its own coordinates."""
    move = rotated(np.eye(4), 14.0)
    move[:3, 3] = (7.0, -5.0, 9.0)
    current = spheres(((14.0, 16.0, 12.0), 4.0), ((34.0, 30.0, 28.0), 3.0))
    prior = Volume(current.voxels, move @ current.affine)

    assert groups(compare(current, prior, move)) == [("stable", (1,), (1,)), ("stable", (2,), (2,))]
    assert [one.change.value for one in compare(current, prior).changes].count("stable") == 0


def test_a_resolved_lesion_is_shown_where_it_would_be():
    move = np.eye(4)
    move[:3, 3] = (5.0, 0.0, -4.0)
    prior = spheres(((25.0, 20.0, 12.0), 3.0))

    comparison = compare(spheres(), prior, move)

    assert groups(comparison) == [("resolved", (), (1,))]
    assert comparison.changes[0].anchor == (16, 20, 20)


def test_visits_with_slices_of_other_thickness_are_compared():
    thick = axial_affine(spacing_mm=(6.0, 1.0, 1.0))
    ball, small = ((24.0, 24.0, 18.0), 7.0), ((10.0, 34.0, 24.5), 3.0)

    comparison = compare(spheres(ball, small, affine=thick, shape=(7, 48, 48)), spheres(ball, small))

    assert groups(comparison) == [("stable", (1,), (1,)), ("stable", (2,), (2,))]


def test_a_lesion_of_one_thick_slice_does_not_change_by_partial_volume():
    """One row of voxels more, 6 mm thick: 67 % of the volume and still within half a layer of surface voxels."""
    thick = axial_affine(spacing_mm=(6.0, 1.0, 1.0))
    then, now = labels_on((5, 20, 20), thick), labels_on((5, 20, 20), thick)
    then.voxels[2, 8:11, 8:11] = 1
    now.voxels[2, 8:13, 8:11] = 1

    assert groups(compare(now, then)) == [("stable", (1,), (1,))]


def test_neighbours_within_a_millimetre_are_the_same_only_where_nothing_else_is():
    """A lesion that moved by its own width: nearness links it, unless it overlaps with another already."""
    beside = compare(spheres(((24.0, 24.0, 20.0), 2.0)), spheres(((24.0, 29.0, 20.0), 2.0)))
    farther = compare(spheres(((24.0, 24.0, 20.0), 2.0)), spheres(((24.0, 31.0, 20.0), 2.0)))

    assert groups(beside) == [("stable", (1,), (1,))]
    assert groups(farther) == [("new", (1,), ()), ("resolved", (), (1,))]


def test_what_the_other_visit_did_not_picture_is_not_compared():
    high, low = ((24.0, 24.0, 30.0), 3.0), ((24.0, 24.0, 8.0), 4.0)
    short = spheres(low, shape=(20, 48, 48))

    later, earlier = compare(spheres(high, low), short), compare(short, spheres(high, low))

    assert (groups(later), later.not_compared, later.prior_not_compared) == ([("stable", (1,), (1,))], (2,), ())
    assert (groups(earlier), earlier.not_compared, earlier.prior_not_compared) == ([("stable", (1,), (1,))], (), (2,))


def test_no_lesions_at_all_are_no_changes():
    assert compare(spheres(), spheres()).changes == ()


def test_a_matrix_that_flattens_the_head_is_refused():
    with pytest.raises(LongitudinalError, match="need an invertible 4x4"):
        compare(spheres(), spheres(), np.zeros((4, 4)))


def test_the_rule_says_all_its_numbers():
    assert RULE.sentence == (
        "lesions are the same when they share at least 10% of the smaller one after rigid registration, or, where one "
        "shares so much with none, when they come within 1 mm; enlarging or shrinking when the volumes differ by at "
        "least 45% of the smaller (24% from 0.41 ml), by at least 14.1 mm³ and by more than half a layer of surface "
        "voxels; what lies outside the other visit's slices is not compared"
    )


MIRRORED = {
    "new": "resolved",
    "resolved": "new",
    "enlarging": "shrinking",
    "shrinking": "enlarging",
    "stable": "stable",
}
PLACES = st.lists(
    st.tuples(
        st.tuples(st.integers(6, 40), st.integers(6, 40), st.integers(6, 32)),
        st.floats(1.6, 6.0),
    ),
    max_size=5,
)


@given(PLACES, PLACES)
def test_exchanging_the_visits_mirrors_every_change(now, then):
    current, prior = spheres(*now), spheres(*then)

    forward, backward = compare(current, prior), compare(prior, current)

    mirrored = {(MIRRORED[change], prior_lesions, lesions) for change, lesions, prior_lesions in groups(forward)}
    assert mirrored == set(groups(backward))


@given(PLACES, PLACES)
def test_every_lesion_is_in_exactly_one_group(now, then):
    current, prior = spheres(*now), spheres(*then)

    comparison = compare(current, prior)

    ours = sorted(number for one in comparison.changes for number in one.lesions)
    theirs = sorted(number for one in comparison.changes for number in one.prior_lesions)
    assert ours == list(range(1, int(current.voxels.max()) + 1))
    assert theirs == list(range(1, int(prior.voxels.max()) + 1))


@given(PLACES)
def test_a_visit_against_itself_is_stable(places):
    lesions = spheres(*places)

    assert {one.change for one in compare(lesions, lesions).changes} <= {LesionChange.STABLE}
