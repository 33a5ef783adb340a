# ruff: noqa: E402 (imports follow the check for torch)
"""The network is the one of the table."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")
from pathlib import Path

from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from inference_worker.config import LossConfig, NetworkConfig
from inference_worker.losses import PlaqueLoss
from inference_worker.networks import build_network
from inference_worker.networks.inference_form import inference_form, spread_matrix
from inference_worker.networks.layers import DepthwiseConv2d, SqueezeExcitation, upsample_by_four
from inference_worker.networks.training_form import training_form

REFERENCE = Path(__file__).parent / "network_reference.npz"


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def network():
    return build_network(NetworkConfig())


@pytest.fixture
def lively(network):
    """The network in evaluation mode with statistics and scales that no layer hides behind."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
            torch.nn.init.normal_(module.bias, 0.0, 0.3)
    network.train()
    with torch.no_grad():
        network(smooth_slices(4))
    return network.eval()


def smooth_slices(count):
    generator = torch.Generator().manual_seed(1)
    return functional.interpolate(torch.rand((count, 1, 32, 32), generator=generator), size=256, mode="bilinear")


def shapes_of(network, slices):
    """What comes out of every step of the table, by name."""
    found = {}
    names = (
        "encoder",
        "high_gate",
        "pyramid",
        "pyramid_gate",
        "low_gate",
        "low_project",
        "decoder_gate",
        "decoder",
        "head",
    )
    for name in names:
        step = getattr(network, name)
        step.register_forward_hook(lambda _module, _inputs, output, name=name: found.update({name: output}))
    found["logits"] = network(slices)
    low, high = found.pop("encoder")
    return {name: tuple(tensor.shape[1:]) for name, tensor in {"low": low, "high": high, **found}.items()}


def test_every_step_has_the_shape_of_the_table(network):
    shapes = shapes_of(network.eval(), smooth_slices(1))

    assert shapes == {
        "high": (672, 16, 16),
        "high_gate": (672, 16, 16),
        "pyramid": (128, 16, 16),
        "pyramid_gate": (128, 16, 16),
        "low": (144, 64, 64),
        "low_gate": (144, 64, 64),
        "low_project": (128, 64, 64),
        "decoder_gate": (256, 64, 64),
        "decoder": (128, 64, 64),
        "head": (3, 64, 64),
        "logits": (3, 256, 256),
    }


def test_the_pyramid_has_the_table_s_branches(network):
    pooling, point, *atrous = network.pyramid.branches

    assert pooling.project.convolution.weight.shape == (128, 672, 1, 1)
    assert point.convolution.weight.shape == (128, 672, 1, 1)
    assert [branch.convolution.dilation[0] for branch in atrous] == [6, 12, 18]
    assert all(branch.convolution.weight.shape == (128, 672, 3, 3) for branch in atrous)
    assert network.pyramid.project.convolution.weight.shape == (128, 640, 1, 1)


def test_squeeze_and_excitation_reduces_by_sixteen_and_has_no_bias(network):
    gates = {name: gate for name, gate in network.named_modules() if isinstance(gate, SqueezeExcitation)}

    widths = {name: (gate.reduce.in_features, gate.reduce.out_features) for name, gate in gates.items()}
    assert widths == {
        "high_gate": (672, 42),
        "pyramid_gate": (128, 8),
        "low_gate": (144, 9),
        "decoder_gate": (256, 16),
    }
    assert all(gate.reduce.bias is None and gate.expand.bias is None for gate in gates.values())


def test_the_taps_are_the_expansions_before_their_activation(network):
    low, high = network.encoder.eval()(smooth_slices(1))

    assert low.min() < 0
    assert high.min() < 0
    assert isinstance(network.encoder.expand_3a[1].act, torch.nn.Identity)


def test_stochastic_depth_rises_to_a_quarter_over_all_sixteen_blocks(network):
    rates = [module.drop_prob for module in network.modules() if type(module).__name__ == "DropPath"]

    assert rates == pytest.approx([0.25 * block / 16 for block in (1, 2, 4, 5, 6, 7, 8, 9, 10)])


def test_a_gradient_reaches_every_parameter():
    # SiLU has a gradient everywhere; a random ReLU6 may be off for every slice, which is no fault of the wiring.
    network = build_network(NetworkConfig(activation="silu")).train()
    labels = torch.zeros(2, 256, 256, dtype=torch.int64)
    labels[:, 100:120, 100:120], labels[:, 50:60, 50:60] = 1, 2

    PlaqueLoss(LossConfig())(network(smooth_slices(2)), labels).backward()

    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert without == []


def test_logits_are_finite_for_black_and_for_white_slices(network):
    network.eval()

    with torch.inference_mode():
        assert torch.isfinite(network(torch.zeros(1, 1, 256, 256))).all()
        assert torch.isfinite(network(torch.ones(1, 1, 256, 256))).all()


def test_seeded_weights_give_the_stored_output(network):
    network.eval()

    with torch.inference_mode():
        found = network(smooth_slices(1))[0, :, ::16, ::16].numpy()

    stored = np.load(REFERENCE)["logits"]
    assert found.shape == stored.shape == (3, 16, 16)
    np.testing.assert_allclose(found, stored, atol=2e-5)


def test_the_head_before_the_upsampling_equals_the_table_s_order(lively):
    with torch.inference_mode():
        decoded = lively.decode(*lively.encoder(smooth_slices(2)))
        as_the_table = lively.head(upsample_by_four(decoded))
        found = lively(smooth_slices(2))

    torch.testing.assert_close(found, as_the_table, atol=1e-5, rtol=0)


def test_the_inference_form_gives_the_same_logits(lively):
    form = inference_form(lively, 256)

    with torch.inference_mode():
        expected, found = lively(smooth_slices(3)), form(smooth_slices(3))

    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def test_the_inference_form_takes_a_third_fewer_multiplications(lively):
    operations = []
    for module in (lively, inference_form(lively, 256)):
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            module(smooth_slices(1))
        operations.append(counter.get_total_flops())

    assert operations == [5_708_831_552, 3_915_766_592]


@pytest.mark.parametrize("size", [192, 256])
def test_the_training_form_learns_the_same(lively, size):
    slices = smooth_slices(2)[..., :size, :size]
    lively.train()
    labels = torch.arange(size * size).reshape(1, size, size).expand(2, -1, -1) % 3
    found = []
    for module in (lively, training_form(lively)):
        lively.zero_grad()
        torch.manual_seed(1)
        logits = module(slices)
        functional.cross_entropy(logits, labels).backward()
        found.append([logits.detach(), *(parameter.grad.clone() for parameter in lively.parameters())])

    for expected, short in zip(*found, strict=True):
        assert torch.linalg.vector_norm(short - expected) <= 1e-6 + 1e-3 * torch.linalg.vector_norm(expected)


def test_the_training_form_takes_a_sixth_fewer_multiplications(lively):
    operations = []
    for module in (lively, training_form(lively)):
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            module(smooth_slices(1))
        operations.append(counter.get_total_flops())

    assert operations == [5_708_831_552, 4_664_449_856]


def test_upsampling_by_four_keeps_the_average():
    features = torch.rand(2, 3, 16, 16)

    torch.testing.assert_close(upsample_by_four(features).mean(dim=(2, 3)), features.mean(dim=(2, 3)))


def test_the_middle_tap_of_the_spread_is_the_upsampling():
    column = torch.rand(1, 1, 16, 1).expand(-1, -1, -1, 16)

    spread = spread_matrix(16)[:, 16:32] @ column[0, 0]

    torch.testing.assert_close(spread[:, 0], upsample_by_four(column)[0, 0, :, 0])


def test_depthwise_convolutions_compute_in_float32_under_autocast(network):
    depthwise = [module for module in network.modules() if isinstance(module, DepthwiseConv2d)]
    features = torch.rand(1, depthwise[0].in_channels, 8, 8).bfloat16()

    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        found = depthwise[0](features)
        plain = torch.nn.Conv2d.forward(depthwise[0], features)

    assert len(depthwise) == 11
    assert found.dtype is torch.bfloat16
    exact = torch.nn.Conv2d.forward(depthwise[0], features.float())
    assert (found.float() - exact).abs().max() <= (plain.float() - exact).abs().max()
