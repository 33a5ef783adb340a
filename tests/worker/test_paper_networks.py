# ruff: noqa: E402 (imports follow the check for torch)
"""The networks that the paper compares ours with are those of its Table 1."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from torch.nn import functional

from inference_worker.config import LossConfig, NetworkConfig
from inference_worker.losses import PlaqueLoss
from inference_worker.networks import PAPER_NETWORKS, build_network, encoder_of
from inference_worker.torchvision_import import timm

OURS = "deeplabv3plus_se_efficientnet_b0"
REFERENCE = Path(__file__).parent / "paper_networks_reference.npz"

# The paper's table: channels of the low and of the high tap; filters of the pyramid, of the low tap and of the decoder.
TABLE = {
    "deeplabv3plus_resnet50": (256, 1024, 256, 48, 256),
    "deeplabv3plus_resnet101": (256, 1024, 256, 48, 256),
    "deeplabv3plus_densenet121": (256, 1024, 256, 256, 256),
    "deeplabv3plus_vgg16": (256, 512, 128, 128, 128),
    "deeplabv3plus_pspnet_se_efficientnet_b2": (144, 720, 32, 32, 32),
}
PARAMETERS = {
    OURS: 4_036_995,
    "deeplabv3plus_resnet50": 17_774_371,
    "deeplabv3plus_resnet101": 17_774_371,  # its taps lie where it is ResNet-50 still
    "deeplabv3plus_densenet121": 14_033_411,
    "deeplabv3plus_vgg16": 17_173_827,
    "deeplabv3plus_pspnet_se_efficientnet_b2": 2_326_475,
}
# The layers of timm's whole network that the taps are, and what follows the tap inside that layer.
TAPS = {
    "deeplabv3plus_resnet50": ("layer1.1", "layer3.5", functional.relu),
    "deeplabv3plus_resnet101": ("layer1.1", "layer3.5", functional.relu),
    "deeplabv3plus_densenet121": ("features.transition1.norm", "features.transition3.norm", functional.relu),
    "deeplabv3plus_vgg16": ("features.15", "features.29", functional.relu),
    "deeplabv3plus_pspnet_se_efficientnet_b2": ("blocks.2.0.bn1", "blocks.5.0.bn1", functional.silu),
}
OPTIONS = {"vgg16": {"num_classes": 0, "mlp_ratio": 1 / 4096}, "efficientnet_b2": {"bn_eps": 1e-3}}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def shapes_of(network, slices):
    """What the taps and every step behind them give, by name."""
    found = {}
    for name, step in network.named_children():
        step.register_forward_hook(lambda _module, _inputs, output, name=name: found.update({name: output}))
    found["logits"] = network(slices)
    low, high = found.pop("encoder")
    return {name: tuple(tensor.shape[1:]) for name, tensor in {"low": low, "high": high, **found}.items()}


def vary_norms(network):
    """Gives every batch normalisation a scale of its own; some start at zero, which hides what lies before them."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
    return network


@pytest.mark.parametrize("name", TABLE)
def test_taps_and_steps_have_the_shapes_of_the_table(name):
    low, high, pyramid, low_filters, decoder = TABLE[name]
    with torch.device("meta"):
        network = build_network(NetworkConfig(name)).eval()

        shapes = shapes_of(network, torch.zeros(1, 1, 256, 256))

    expected = {
        "low": (low, 64, 64),
        "high": (high, 16, 16),
        "pyramid": (pyramid, 16, 16),
        "low_project": (low_filters, 64, 64),
        "decoder": (decoder, 64, 64),
        "head": (3, 64, 64),
        "logits": (3, 256, 256),
    }
    if "pspnet" in name:
        at_16 = ("pyramid_gate", "pooling", "pooling_gate", "high_project", "high_gate")
        expected |= dict.fromkeys(at_16, (32, 16, 16)) | dict.fromkeys(
            ("decoder_project", "decoder_gate"), (32, 64, 64)
        )
    assert shapes == expected


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_parameters_are_as_many_as_the_table_makes(name):
    with torch.device("meta"):
        network = build_network(NetworkConfig(name))

    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


def test_the_pyramid_pooling_averages_over_grids_of_one_two_four_and_eight():
    pooling = build_network(NetworkConfig("deeplabv3plus_pspnet_se_efficientnet_b2")).pooling
    sizes = []
    for branch in pooling.branches:
        branch.register_forward_hook(lambda _module, _inputs, output: sizes.append(tuple(output.shape)))

    pooling.eval()(torch.rand(1, 720, 16, 16))

    assert sizes == [(1, 32, side, side) for side in (1, 2, 4, 8)]
    assert pooling.project.convolution.weight.shape == (32, 720 + 4 * 32, 1, 1)


@pytest.mark.parametrize("name", TAPS)
def test_the_taps_are_what_timm_s_network_computes_there_from_its_own_weights(name):
    encoder = encoder_of(name)
    full = vary_norms(timm.create_model(encoder, **OPTIONS.get(encoder, {}))).eval()
    *taps, activation = TAPS[name]
    outputs = []
    for tap in taps:
        full.get_submodule(tap).register_forward_hook(lambda _module, _inputs, output: outputs.append(output.clone()))
    grey = torch.rand(1, 1, 64, 64)

    network = build_network(NetworkConfig(name, activation="silu"), full.state_dict()).eval()

    with torch.inference_mode():
        full.forward_features(grey.expand(-1, 3, -1, -1))
        found = network.encoder(grey)
    for tap, output in zip(found, outputs, strict=True):
        assert output.std() > 1e-5
        torch.testing.assert_close(activation(tap), output, atol=1e-4 * output.abs().max().item(), rtol=0)


@pytest.mark.parametrize("name", TABLE)
def test_a_gradient_reaches_every_parameter(name):
    network = vary_norms(build_network(NetworkConfig(name, activation="silu"))).train()
    labels = torch.zeros(2, 64, 64, dtype=torch.int64)
    labels[:, 20:30, 20:30], labels[:, 40:50, 30:40] = 1, 2

    logits = network(torch.rand(2, 1, 64, 64))
    PlaqueLoss(LossConfig())(logits, labels).backward()

    assert torch.isfinite(logits).all()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("name", TABLE)
def test_seeded_weights_give_the_stored_output(name):
    network = build_network(NetworkConfig(name)).eval()
    slices = torch.linspace(0.0, 1.0, 64).expand(1, 1, 64, 64)

    with torch.inference_mode():
        found = network(slices)[0, :, 8::16, 8::16].numpy()

    stored = np.load(REFERENCE)[name]
    assert found.shape == stored.shape == (3, 4, 4)
    np.testing.assert_allclose(found, stored, atol=1e-3 * np.abs(stored).max())


def test_the_smallest_learns_one_slice_by_heart():
    network = build_network(NetworkConfig("deeplabv3plus_pspnet_se_efficientnet_b2", stochastic_depth=0.0)).train()
    labels = torch.zeros(2, 64, 64, dtype=torch.int64)
    labels[:, 16:32, 16:32], labels[:, 40:56, 32:48] = 1, 2
    slices = (labels[:, None] * 0.4 + 0.1).float()
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)

    for _ in range(12):
        optimiser.zero_grad()
        functional.cross_entropy(network(slices), labels).backward()
        optimiser.step()

    with torch.no_grad():
        assert (network(slices).argmax(dim=1) == labels).float().mean() > 0.95


def test_the_table_names_every_network_of_the_paper():
    assert set(PAPER_NETWORKS) == {OURS, *TABLE}


def test_the_document_s_table_is_this_one():
    rows = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| `deeplabv3plus")]

    assert {name.strip("`"): int(parameters.replace(",", "")) for name, *_, parameters, _ in cells} == PARAMETERS
    assert {name.strip("`"): f"{taps}, {filters}" for name, _, taps, filters, *_ in cells if OURS not in name} == {
        name: ", ".join(map(str, row)) for name, row in TABLE.items()
    }
