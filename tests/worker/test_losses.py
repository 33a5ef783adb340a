# ruff: noqa: E402 (imports follow the check for torch)
"""Losses have the values that can be worked out by hand."""

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.config import LossConfig
from inference_worker.losses import PlaqueLoss, class_cross_entropy, dice_loss, distillation, marginal_cross_entropy


def logits_of(probabilities):
    """(1, 3, 1, n) logits of n voxels' probabilities."""
    return torch.log(torch.tensor(probabilities)).T[None, :, None, :]


def test_dice_of_half_an_overlap():
    probability = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]])
    truth = torch.tensor([[[0.0, 1.0, 1.0, 0.0]]])

    loss = dice_loss(probability, truth, torch.ones_like(truth))

    assert loss.item() == pytest.approx(1 - (2 * 1 + 1) / (4 + 1))


def test_dice_of_two_empty_masks_is_no_loss_and_has_a_gradient():
    probability = torch.zeros(1, 2, 2, requires_grad=True)

    loss = dice_loss(probability, torch.zeros(1, 2, 2), torch.ones(1, 2, 2))
    loss.backward()

    assert loss.item() == 0.0
    assert torch.isfinite(probability.grad).all()


def test_voxels_that_are_not_counted_weigh_nothing():
    probability, truth = torch.tensor([[[1.0, 0.7]]]), torch.tensor([[[1.0, 0.0]]])

    assert dice_loss(probability, truth, torch.tensor([[[1.0, 0.0]]])).item() == pytest.approx(0.0)


def test_a_plaque_of_unknown_class_is_explained_by_either_class():
    probabilities = [[0.2, 0.5, 0.3], [0.2, 0.8, 0.0001]]

    loss = marginal_cross_entropy(logits_of(probabilities), torch.tensor([[[3, 3]]]))

    assert loss.item() == pytest.approx(-(math.log(0.8) + math.log(0.8001 / 1.0001)) / 2, rel=1e-4)


def test_with_a_class_everywhere_it_is_the_ordinary_cross_entropy():
    logits, labels = torch.randn(2, 3, 5, 7), torch.randint(0, 3, (2, 5, 7))

    found = marginal_cross_entropy(logits, labels)

    torch.testing.assert_close(found, torch.nn.functional.cross_entropy(logits, labels))


def test_an_unknown_class_gives_neither_class_a_preference():
    logits = torch.zeros(1, 3, 4, 4, requires_grad=True)

    PlaqueLoss(LossConfig())(logits, torch.full((1, 4, 4), 3)).backward()

    torch.testing.assert_close(logits.grad[:, 1], logits.grad[:, 2])
    assert (logits.grad[:, 0] > 0).all()
    assert (logits.grad[:, 1] < 0).all()


def test_the_loss_of_a_perfect_answer_is_next_to_nothing():
    labels = torch.randint(0, 3, (1, 8, 8))
    logits = 30.0 * torch.nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()

    assert PlaqueLoss(LossConfig())(logits, labels).item() == pytest.approx(0.0, abs=1e-5)


def test_the_terms_add_up_by_their_weights():
    logits, labels = torch.randn(1, 3, 6, 6), torch.randint(0, 4, (1, 6, 6))
    terms = [PlaqueLoss(LossConfig(*weights))(logits, labels) for weights in torch.eye(4).tolist()]

    whole = PlaqueLoss(LossConfig(0.5, 2.0, 3.0, 0.25))(logits, labels)

    torch.testing.assert_close(whole, 0.5 * terms[0] + 2.0 * terms[1] + 3.0 * terms[2] + 0.25 * terms[3])


def test_what_teachers_say_is_learned_to_their_own_doubt():
    taught = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    logits = taught.log().clone().requires_grad_()

    loss = distillation(logits, taught)
    loss.backward()

    assert loss.item() == pytest.approx(-(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2)))
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits), atol=1e-7, rtol=0)


def test_what_teachers_say_is_added_by_its_weight():
    logits, labels = torch.randn(1, 3, 6, 6), torch.randint(0, 4, (1, 6, 6))
    taught = torch.randn(1, 3, 6, 6).softmax(dim=1)

    with_teachers = PlaqueLoss(LossConfig(distillation=2.0))(logits, labels, taught)

    torch.testing.assert_close(
        with_teachers, PlaqueLoss(LossConfig())(logits, labels) + 2.0 * distillation(logits, taught)
    )


def test_both_classes_weigh_the_same_however_rare_one_is():
    labels = torch.tensor([[[0, 3, 1, 1, 1, 2]]])
    logits = torch.zeros(1, 3, 1, 6)
    logits[:, 1, :, :5], logits[:, 2, :, 5] = math.log(3.0), math.log(7.0)

    loss = class_cross_entropy(logits, labels)

    assert loss.item() == pytest.approx(-(math.log(3 / 4) + math.log(7 / 8)) / 2)


def test_without_a_class_there_is_nothing_to_learn_about_classes():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)

    loss = class_cross_entropy(logits, torch.tensor([[[0, 3], [3, 0]]]))
    loss.backward()

    assert loss.item() == 0.0
    assert not logits.grad.any()


def test_a_class_that_was_forgotten_is_pulled_back_as_hard_as_ever():
    logits = torch.tensor([[0.0, 6.0, -12.0]]).T[None, :, None, :].repeat(1, 1, 1, 100).requires_grad_()
    labels = torch.zeros(1, 1, 100, dtype=torch.int64)
    labels[..., 0] = 2

    class_cross_entropy(logits, labels).backward()

    assert logits.grad[0, 2, 0, 0].item() == pytest.approx(-1.0, abs=1e-3)
