# ruff: noqa: E402 (imports follow the check for torch)
"""A zoomed network sees enlarged slices and answers on their own pixels, in training, in inference and as a graph."""

import argparse
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")
from torch import nn
from torch.nn import functional

from inference_worker.checkpoint import WeightsIdentity, export_onnx, load_weights, save_weights
from inference_worker.commands import train
from inference_worker.config import NetworkConfig
from inference_worker.networks import build_network
from inference_worker.networks.inference_form import inference_form
from inference_worker.networks.training_form import training_form
from inference_worker.networks.zoom import Zoomed, zoomed
from inference_worker.prediction import Segmenter

SMALL = "smp_linknet_tu-test_resnet"  # a few layers: the exporter takes its time over each
NAME = "deeplabv3plus_se_efficientnet_b0"


class Watching(nn.Module):
    """Gives its input as the logits of one class and keeps it."""

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        self.seen = slices
        return slices


def identity_of(config: NetworkConfig) -> WeightsIdentity:
    return WeightsIdentity(config.name, "0.1", "2", config)


def chosen(*options: str):
    parser = argparse.ArgumentParser()
    train.add_network_arguments(parser)
    return train.starting_network(parser.parse_args(options))


@pytest.mark.parametrize(("zoom", "side", "seen"), [(1.5, 256, 384), (1.5, 192, 288), (1.5, 160, 256), (2.0, 224, 448)])
def test_the_network_sees_the_enlarged_slice_and_the_answer_has_its_own_size(zoom, side, seen):
    network = Watching()
    ramp = torch.linspace(0.0, 1.0, side).expand(1, 1, side, side)

    answer = Zoomed(network, zoom)(ramp)

    assert network.seen.shape == (1, 1, seen, seen)
    torch.testing.assert_close(answer, ramp, atol=1e-2, rtol=0)


def test_another_zoom_takes_the_place_of_the_first_and_none_takes_it_away():
    network = Watching()

    twice = zoomed(zoomed(network, 1.5), 2.0)

    assert (twice.network, twice.zoom) == (network, 2.0)
    assert zoomed(twice, 1.0) is network


@pytest.mark.parametrize("form", [training_form, lambda network: inference_form(network, 256)])
def test_the_quick_forms_are_of_the_network_within_the_zoom(form):
    torch.manual_seed(0)
    network = build_network(NetworkConfig(stochastic_depth=0.0, zoom=1.25)).eval()
    slices = functional.interpolate(torch.rand(2, 1, 32, 32), size=256, mode="bilinear")

    with torch.inference_mode():
        expected, found = network(slices), form(network)(slices)

    assert type(form(network).network) is not type(network.network)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def test_weights_graph_and_identity_keep_the_zoom(tmp_path):
    torch.manual_seed(0)
    config = NetworkConfig(SMALL, zoom=1.5)
    network = build_network(config).eval()
    slices = np.random.default_rng(0).random((2, 256, 256), np.float32)

    save_weights(tmp_path / "w.safetensors", network, identity_of(config))
    parity = export_onnx(tmp_path / "w.onnx", network, identity_of(config))
    loaded, identity = load_weights(tmp_path / "w.safetensors")

    assert identity.network.zoom == loaded.zoom == 1.5
    assert 0.0 < parity.largest_probability_difference < 1e-4
    by_graph = Segmenter.load(tmp_path / "w.onnx", threads=1).probabilities(slices)
    with torch.inference_mode():
        by_network = loaded(torch.from_numpy(slices[:, None])).softmax(dim=1).numpy()
    np.testing.assert_allclose(by_graph.transpose(1, 0, 2, 3), by_network, atol=1e-4)


@pytest.mark.parametrize(("zoom", "refusal"), [("0.5", "is 0.5, need 1 to 4"), ("nan", "is nan"), ("x", "'x'")])
def test_a_zoom_that_is_none_is_refused(zoom, refusal, capsys):
    with pytest.raises(SystemExit):
        chosen("--zoom", zoom)

    assert refusal in capsys.readouterr().err


def test_weights_of_before_have_no_zoom():
    fields = json.loads(identity_of(NetworkConfig()).to_json())
    del fields["network"]["zoom"]

    assert WeightsIdentity.from_json(json.dumps(fields)).network.zoom == 1.0


def test_a_run_takes_the_zoom_it_is_told_and_otherwise_that_of_its_start(tmp_path):
    config = NetworkConfig(SMALL, zoom=1.5)
    start = tmp_path / "w.safetensors"
    save_weights(start, build_network(config), identity_of(config))

    as_it_was, its_config = chosen("--initial", str(start))
    without, plain_config = chosen("--initial", str(start), "--zoom", "1")
    fresh, fresh_config = chosen("--network", SMALL, "--zoom", "1.25")

    assert (as_it_was.zoom, its_config.zoom, plain_config.zoom) == (1.5, 1.5, 1.0)
    assert not isinstance(without, Zoomed)
    assert (fresh.zoom, fresh_config) == (1.25, NetworkConfig(SMALL, zoom=1.25))
    assert type(chosen()[0]) is type(build_network(NetworkConfig(NAME)))
