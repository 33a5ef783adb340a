"""The gate: rules over both models' figures on the same patients; a verdict rule by rule."""

from dataclasses import replace

import numpy as np
import pytest
from django.test import override_settings

from plaqueview.training.gate import Figures, Trial, judge, lower_bound
from plaqueview.training.groups import Interval, groups_of, told_to_everybody


def trial(patient: str, candidate: float, champion: float, **changes) -> Trial:
    """Dice of both; lesion F1 is the same number."""
    fields = {"scanner": "Vendor One 1.5 T", "true_volume_ml": 3.0, "seconds": (1.0, 1.0), "active": (2, 2)}
    fields |= {"wall": (1.0, 1.0), "errors": (0.1, 0.1), "megabytes": (400, 400)} | changes
    wall_s, (candidate_s, champion_s) = fields.pop("wall"), fields.pop("seconds")
    candidate_active, champion_active = fields.pop("active")
    candidate_error, champion_error = fields.pop("errors")
    candidate_memory, champion_memory = (one and one * 1_000_000 for one in fields.pop("megabytes"))
    return Trial(
        patient,
        f"{patient}/S-1",
        candidate=Figures(
            candidate,
            candidate,
            candidate_active,
            wall_s[0],
            candidate_error,
            peak_memory_bytes=candidate_memory,
            processor_seconds=candidate_s,
        ),
        champion=Figures(
            champion,
            champion,
            champion_active,
            wall_s[1],
            champion_error,
            peak_memory_bytes=champion_memory,
            processor_seconds=champion_s,
        ),
        **fields,
    )


def failed(trials) -> list[str]:
    return [verdict.rule for verdict in judge(trials) if not verdict.is_passed]


SAME = [trial(f"P-{index}", 0.6 + index / 100, 0.6 + index / 100) for index in range(5)]


def test_a_candidate_as_good_as_the_champion_passes():
    assert failed(SAME) == []


def test_a_better_one_passes():
    assert failed([trial(f"P-{index}", 0.7, 0.6) for index in range(5)]) == []


def test_a_worse_one_is_stopped_by_dice_and_lesions():
    assert failed([trial(f"P-{index}", 0.54, 0.6) for index in range(5)]) == ["any-plaque Dice", "lesion F1"]


def test_one_that_may_be_worse_by_chance_is_stopped_although_its_mean_is_not():
    differences = [0.2, -0.1, 0.15, -0.12, -0.1]

    stopped = failed([trial(f"P-{index}", 0.6 + one, 0.6) for index, one in enumerate(differences)])

    assert sum(differences) > 0
    assert stopped == ["any-plaque Dice", "lesion F1"]


def test_too_few_patients_judge_nothing():
    assert failed(SAME[:2]) == ["test patients"]


def test_visits_of_one_patient_count_once():
    assert failed([trial("P-1", 0.6, 0.6) for _ in range(9)]) == ["test patients"]


def test_a_stratum_that_got_worse_stops_a_candidate_that_is_better_on_average():
    trials = [trial(f"P-{index}", 0.9, 0.5) for index in range(8)]

    stopped = judge([*trials, trial("P-9", 0.4, 0.6, scanner="Vendor Two 3 T")])

    (verdict,) = [one for one in stopped if not one.is_passed]
    assert (verdict.rule, verdict.needed) == ("no stratum worse", "each above -0.1")
    assert verdict.found == "the worst: scanner Vendor Two 3 T, mean Dice -0.200"


def test_a_slow_candidate_is_stopped():
    stopped = judge([trial(f"P-{index}", 0.6, 0.6, seconds=(1.6 * index, 1.0 * index)) for index in range(1, 5)])

    (verdict,) = [one for one in stopped if not one.is_passed]
    assert (verdict.rule, verdict.needed) == ("speed", "at most 1.5 times")
    assert verdict.found == "1.60 times the champion's processor time, median of 4 studies, both on each in turn"


def test_a_candidate_that_a_busy_machine_kept_waiting_is_not_slow():
    assert failed([trial(f"P-{index}", 0.6, 0.6, wall=(9.0, 1.0)) for index in range(5)]) == []


def test_one_whose_speed_was_not_measured_is_stopped():
    assert failed([trial(f"P-{index}", 0.6, 0.6, seconds=(None, 1.0)) for index in range(5)]) == ["speed"]


def test_a_candidate_that_needs_much_more_memory_is_stopped():
    others = [trial(f"P-{index}", 0.6, 0.6, megabytes=(None, None)) for index in range(4)]

    stopped = judge([*others, trial("P-4", 0.6, 0.6, megabytes=(601, 400))])

    (verdict,) = [one for one in stopped if not one.is_passed]
    assert (verdict.rule, verdict.needed) == ("memory", "at most 1.5 times the champion's")
    assert verdict.found == "601 MB at most against 400 MB, each alone on the largest study"
    assert failed([*others, trial("P-4", 0.6, 0.6, megabytes=(600, 400))]) == []
    assert failed(others) == ["memory"]


def test_one_that_has_forgotten_what_active_means_is_stopped():
    stopped = judge([trial(f"P-{index}", 0.7, 0.6, active=(index == 0, 2)) for index in range(4)])

    (verdict,) = [one for one in stopped if not one.is_passed]
    assert verdict.rule == "class active kept"
    assert verdict.found == "names 1 lesions active, the champion 8"
    assert verdict.needed == "at least 0.5 of the champion's"


def test_one_whose_probabilities_promise_too_much_is_stopped():
    stopped = judge([trial(f"P-{index}", 0.6, 0.6, errors=(0.2, 0.1)) for index in range(4)])

    (verdict,) = [one for one in stopped if not one.is_passed]
    assert (verdict.rule, verdict.needed) == ("calibration", "at most 0.05 above the champion's")
    assert verdict.found == "calibration error 0.200 against 0.100"


def test_where_nobody_points_at_anything_nothing_is_said_of_calibration():
    assert failed([trial(f"P-{index}", 0.6, 0.6, errors=(None, 0.1)) for index in range(4)]) == ["calibration"]


def test_groups_say_how_both_models_do_with_intervals_over_patients():
    trials = [
        trial("P-1", 0.5, 0.4, scanner="One", true_volume_ml=2.0, site="Ljubljana"),
        trial("P-1", 0.7, 0.6, scanner="One", true_volume_ml=2.0, site="Ljubljana"),
        trial("P-2", 0.8, 0.6, scanner="Two", true_volume_ml=9.0, site="Ljubljana"),
    ]
    trials[2] = replace(trials[2], candidate=replace(trials[2].candidate, class_dice={"active": 0.5}))
    trials[2] = replace(trials[2], champion=replace(trials[2].champion, class_dice={"active": 0.25}))

    groups = {(one.group, one.figure): one for one in groups_of([Trial.from_json(one.as_json()) for one in trials])}

    everybody = groups["all", "any-plaque Dice"]
    assert (everybody.patients, everybody.candidate, everybody.champion.mean) == (2, Interval(0.7, 0.6, 0.8), 0.55)
    assert [name for name, _ in groups] == [
        "all",
        "all",
        "all",
        "load 5 to 20 ml",
        "load under 5 ml",
        "scanner One",
        "scanner Two",
        "site Ljubljana",
        "class active",
    ]
    assert groups["scanner Two", "any-plaque Dice"].candidate == Interval(0.8, None, None)
    assert groups["class active", "Dice"].champion == Interval(0.25, None, None)
    assert str(everybody.candidate) == "0.700 (0.600 to 0.800)"


def test_a_card_tells_of_no_group_that_is_a_patient_or_two():
    trials = [trial(f"P-{index}", 0.5, 0.4, scanner="One", site="Ljubljana", true_volume_ml=2.0) for index in range(3)]
    trials += [trial(f"Q-{index}", 0.9, 0.4, scanner="Two", site="Ljubljana", true_volume_ml=9.0) for index in range(2)]

    told = told_to_everybody(groups_of(trials))

    assert {one.group for one in groups_of(trials)} - {one.group for one in told} == {"scanner Two", "load 5 to 20 ml"}
    assert {one.group for one in told} == {"all", "scanner One", "site Ljubljana", "load under 5 ml"}
    assert {one.group for one in told_to_everybody(groups_of(trials[:1]))} == {"all"}


def test_half_of_the_champion_s_active_lesions_are_enough_and_none_of_none():
    assert failed([trial(f"P-{index}", 0.6, 0.6, active=(1, 2)) for index in range(4)]) == []
    assert failed([trial(f"P-{index}", 0.6, 0.6, active=(0, 0)) for index in range(4)]) == []


def test_labels_on_which_both_fail_judge_nothing():
    assert failed([trial(f"P-{index}", 0.05, 0.05) for index in range(5)]) == ["lowest Dice", "labels fit the images"]


@override_settings(GATE_DICE_MARGIN=0.1, GATE_LESION_F1_MARGIN=0.1)
def test_the_department_sets_the_margins():
    assert failed([trial(f"P-{index}", 0.54, 0.6) for index in range(5)]) == []


def test_the_bound_is_that_of_the_mean_and_the_same_every_time():
    differences = np.random.default_rng(1).normal(0.1, 0.05, 40)

    bound = lower_bound(differences)

    assert bound == lower_bound(differences)
    assert bound == pytest.approx(0.1 - 1.645 * 0.05 / np.sqrt(40), abs=0.01)
