# ruff: noqa: E402 (imports follow the check for torch)
"""Weights come back bit by bit or not at all, and the exported graph computes what the network computes."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

import onnxruntime
from safetensors.torch import save_file

from inference_worker.__main__ import main
from inference_worker.checkpoint import (
    CONFIG_KEY,
    CheckpointError,
    WeightsIdentity,
    check_parity,
    export_onnx,
    file_sha256,
    load_weights,
    save_weights,
)
from inference_worker.config import NetworkConfig
from inference_worker.graphs import WeightsError
from inference_worker.networks import PAPER_NETWORKS, build_network
from inference_worker.prediction import Segmenter
from inference_worker.reading_rule import FIRST_RULE, ReadingRule

PEER = "smp_linknet_tu-test_resnet"  # a few layers: the exporter takes its time over each
IDENTITY = WeightsIdentity("deeplabv3plus_se_efficientnet_b0", "0.1", "1", NetworkConfig())


@pytest.fixture(scope="module")
def network():
    """Random weights whose probabilities spread over 0 to 1."""
    torch.manual_seed(0)
    network = build_network(NetworkConfig())
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.rand(4, 1, 128, 128))
        network.head.weight.mul_(4.0)
    return network.eval()


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    save_weights(folder / "weights.safetensors", network, IDENTITY)
    (folder / "about.json").write_text('{"caveat": "for tests"}')
    arguments = [
        folder / "weights.safetensors",
        "--output",
        folder,
        "--version",
        "0.2",
        "--plaque-threshold",
        "0.25",
        "--about",
        folder / "about.json",
    ]
    assert main(["export", *map(str, arguments)]) == 0
    return folder / "deeplabv3plus_se_efficientnet_b0-0.2.onnx"


@pytest.mark.parametrize(
    ("about", "reason"),
    [(b"[1]", "about.json holds a list, need a JSON object"), (b"\xff", "about.json is no JSON in UTF-8")],
)
def test_what_is_told_in_another_form_is_refused_before_anything_is_written(network, tmp_path, capsys, about, reason):
    save_weights(tmp_path / "weights.safetensors", network, IDENTITY)
    (tmp_path / "about.json").write_bytes(about)
    words = [tmp_path / "weights.safetensors", "--output", tmp_path / "out", "--about", tmp_path / "about.json"]

    status = main(["export", *map(str, words)])

    assert (status, (tmp_path / "out").exists()) == (1, False)
    assert capsys.readouterr().err.startswith(f"export: {reason}")


def test_weights_and_configuration_come_back(network, tmp_path):
    save_weights(tmp_path / "w.safetensors", network, IDENTITY)

    found, identity = load_weights(tmp_path / "w.safetensors")

    assert identity == IDENTITY
    assert not found.training
    stored = network.state_dict()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in found.state_dict().items())


# ResNet-101's is ResNet-50's network under another name.
@pytest.mark.parametrize("name", [*sorted({*PAPER_NETWORKS} - {"deeplabv3plus_resnet101"}), PEER])
def test_every_kind_of_network_comes_back(name, tmp_path):
    torch.manual_seed(0)
    network = build_network(NetworkConfig(name, activation="silu"))
    identity = WeightsIdentity(name, "0.1", "1", NetworkConfig(name, activation="silu"))

    save_weights(tmp_path / "w.safetensors", network, identity)
    found, found_identity = load_weights(tmp_path / "w.safetensors")

    stored = network.state_dict()
    assert found_identity == identity
    assert all(torch.equal(tensor, stored[key]) for key, tensor in found.state_dict().items())


def test_a_peer_s_graph_gives_the_peer_s_probabilities(tmp_path):
    torch.manual_seed(0)
    network = build_network(NetworkConfig(PEER)).eval()

    parity = export_onnx(tmp_path / "peer.onnx", network, WeightsIdentity(PEER, "1", "1", NetworkConfig(PEER)))

    assert 0.0 < parity.largest_probability_difference < 1e-4
    assert Segmenter.load(tmp_path / "peer.onnx", threads=1).model.name == PEER


def test_weights_that_name_no_reading_rule_are_read_as_the_first_were(network, tmp_path):
    fields = json.loads(IDENTITY.to_json())
    del fields["reading"]
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save_file(tensors, tmp_path / "w.safetensors", metadata={CONFIG_KEY: json.dumps(fields)})

    _, identity = load_weights(tmp_path / "w.safetensors")

    assert identity.reading == FIRST_RULE
    assert IDENTITY.reading == ReadingRule() != FIRST_RULE


def test_weights_that_name_no_mirroring_were_measured_without():
    fields = json.loads(IDENTITY.to_json())
    fields["reading"] = {"plaque_threshold": 0.3, "slab_mm": 5.0}

    assert ReadingRule.of_weights(fields) == ReadingRule(plaque_threshold=0.3, slab_mm=5.0, is_mirrored=False)


def drop_one(tensors):
    del tensors["head.bias"]


def add_one(tensors):
    tensors["head.extra"] = torch.zeros(1)


def cut_one(tensors):
    tensors["head.bias"] = tensors["head.bias"][:2].clone()


@pytest.mark.parametrize("damage", [drop_one, add_one, cut_one])
def test_a_missing_foreign_or_misshapen_tensor_is_refused(network, tmp_path, damage):
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    damage(tensors)
    save_file(tensors, tmp_path / "w.safetensors", metadata={CONFIG_KEY: IDENTITY.to_json()})

    with pytest.raises(CheckpointError, match=r"(?s)do not fit deeplabv3plus_se_efficientnet_b0.*head"):
        load_weights(tmp_path / "w.safetensors")


def test_files_that_are_no_weights_are_refused(network, tmp_path):
    (tmp_path / "noise").write_bytes(b"no safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "bare")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign", metadata={CONFIG_KEY: json.dumps({"name": "x"})})

    for name, reason in (("noise", "do not read"), ("bare", "carry no configuration"), ("foreign", "does not read")):
        with pytest.raises(CheckpointError, match=reason):
            load_weights(tmp_path / name)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_graph_gives_the_network_s_probabilities_for_any_number_of_slices(network, exported, count):
    slices = torch.rand(count, 1, 256, 256, generator=torch.Generator().manual_seed(count))

    (found,) = onnxruntime.InferenceSession(exported).run(None, {"slices": slices.numpy()})

    with torch.inference_mode():
        expected = network(slices).softmax(dim=1).numpy()
    assert found.shape == (count, 3, 256, 256)
    assert expected.max() - expected.min() > 0.4
    np.testing.assert_allclose(found, expected, atol=3e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("version", ["a/b", "../../out", "", " 1"])
def test_a_version_that_names_no_file_is_refused_before_anything_is_written(network, tmp_path, capsys, version):
    save_weights(tmp_path / "weights.safetensors", network, replace(IDENTITY, version=version))

    status = main(["export", str(tmp_path / "weights.safetensors"), "--output", str(tmp_path / "out")])

    assert status == 1
    assert f"version is {version!r}, need letters, digits" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_facts_name_hashes_configuration_and_parity(exported):
    facts = json.loads((exported.parent / "deeplabv3plus_se_efficientnet_b0-0.2.json").read_text())

    assert facts["sha256"] == file_sha256(exported)
    assert facts["safetensors_sha256"] == file_sha256(
        exported.parent / "deeplabv3plus_se_efficientnet_b0-0.2.safetensors"
    )
    assert (facts["name"], facts["version"], facts["preprocessing_version"]) == (IDENTITY.name, "0.2", "1")
    assert facts["network"]["stochastic_depth"] == 0.25
    assert 0.0 < facts["parity"]["largest_probability_difference"] < 1e-3
    assert facts["caveat"] == "for tests"


def test_the_segmenter_knows_the_graph_by_its_hash(exported):
    model = Segmenter.load(exported, threads=1).model

    assert (model.name, model.version, model.sha256) == (IDENTITY.name, "0.2", file_sha256(exported))
    assert model.reading == ReadingRule(plaque_threshold=0.25, slab_mm=5.0, is_mirrored=True)


def test_a_graph_that_computes_something_else_is_refused(network, exported):
    other = build_network(NetworkConfig()).eval()

    with pytest.raises(CheckpointError, match=r"differs by .* need at most 0\.001"):
        check_parity(exported, other)


def test_weights_for_another_preprocessing_are_refused(exported, tmp_path):
    import onnx

    graph = onnx.load(exported)
    onnx.helper.set_model_props(graph, {CONFIG_KEY: replace(IDENTITY, preprocessing_version="9").to_json()})
    onnx.save(graph, tmp_path / "other.onnx")

    with pytest.raises(WeightsError, match=r"need preprocessing '9', here are \['1', '2'\]"):
        Segmenter.load(tmp_path / "other.onnx")
