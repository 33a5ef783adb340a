# ruff: noqa: E402 (imports follow the check for torch)
"""ImageNet weights reach the encoder, each to its place."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from safetensors.torch import save_file

from inference_worker.config import NetworkConfig
from inference_worker.networks import build_network
from inference_worker.pretrained import (
    LITES,
    PretrainedWeightsError,
    imagenet_state,
    load_imagenet,
    one_channel,
    packaged,
)
from inference_worker.torchvision_import import timm


@pytest.fixture(scope="module")
def lite0():
    return state_of("lite0")


@pytest.fixture(scope="module")
def lite2():
    return state_of("lite2")


def state_of(source):
    lite = LITES[source]
    pytest.importorskip(lite.package.replace("-", "_"), reason=f"needs the package {lite.package}")
    return imagenet_state(source, lite.encoder)


def raw_state(source):
    return torch.load(packaged(LITES[source].package), weights_only=True)


def test_lite0_s_tensors_land_where_b0_has_the_same_layer(lite0):
    raw = raw_state("lite0")

    encoder = build_network(NetworkConfig(), lite0).encoder

    assert torch.equal(encoder.stem[0].weight, raw["_conv_stem.weight"].sum(1, keepdim=True))
    assert torch.equal(encoder.stem[1].running_var, raw["_bn0.running_var"])
    assert torch.equal(encoder.expand_3a[0].weight, raw["_blocks.3._expand_conv.weight"])
    assert torch.equal(encoder.contract_3a[0].weight, raw["_blocks.3._depthwise_conv.weight"])
    assert torch.equal(encoder.contract_3a[4].bias, raw["_blocks.3._bn2.bias"])
    assert torch.equal(encoder.expand_6a[0].weight, raw["_blocks.11._expand_conv.weight"])
    assert torch.equal(encoder.expand_6a[1].running_mean, raw["_blocks.11._bn0.running_mean"])


def test_gates_that_lite0_lacks_start_open(lite0):
    encoder = build_network(NetworkConfig(), lite0).encoder
    gate = encoder.contract_3a[2]
    features = torch.rand(1, 144, 8, 8)

    torch.testing.assert_close(gate(features), features * torch.sigmoid(torch.tensor(4.0)))


def test_one_channel_answers_to_grey_as_three_do_to_the_same_grey():
    weight, grey = torch.rand(4, 3, 3, 3), torch.rand(1, 1, 9, 9)

    summed = one_channel(weight)

    colours = torch.nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    torch.testing.assert_close(torch.nn.functional.conv2d(grey, summed), colours)


def test_a_file_of_timm_s_own_names_is_accepted(tmp_path):
    full = timm.create_model("efficientnet_b0")
    torch.save(full.state_dict(), tmp_path / "b0.pth")

    state = imagenet_state(str(tmp_path / "b0.pth"), "efficientnet_b0")

    encoder = build_network(NetworkConfig(), state).encoder
    assert torch.equal(encoder.expand_6a[0].weight, full.blocks[5][0].conv_pw.weight)
    assert torch.equal(encoder.contract_3a[2].conv_expand.bias, full.blocks[2][0].se.conv_expand.bias)


def test_missing_and_foreign_weights_are_refused(tmp_path):
    with pytest.raises(PretrainedWeightsError, match=r"nowhere\.pth are missing"):
        imagenet_state(str(tmp_path / "nowhere.pth"), "efficientnet_b0")

    encoder = timm.create_model("efficientnet_b0", in_chans=1)
    state = {name: tensor for name, tensor in encoder.state_dict().items() if name != "conv_stem.weight"}
    with pytest.raises(PretrainedWeightsError, match=r"lack \['conv_stem\.weight'\] and have unknown \['stem'\]"):
        load_imagenet(encoder, {**state, "stem": torch.zeros(1)})

    with pytest.raises(PretrainedWeightsError, match=r"conv_stem\.weight of the shape \(32, 4, 3, 3\), need \(32, 1"):
        load_imagenet(encoder, {**state, "conv_stem.weight": torch.zeros(32, 4, 3, 3)})


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "noise.pth").write_bytes(b"no pickle")
    (tmp_path / "noise.safetensors").write_bytes(b"no safetensors")
    torch.save({"state_dict": {}}, tmp_path / "nested.pth")

    for name, reason in (("noise.pth", "not read"), ("noise.safetensors", "not read"), ("nested.pth", "no state dict")):
        with pytest.raises(PretrainedWeightsError, match=reason):
            imagenet_state(str(tmp_path / name), "efficientnet_b0")


@pytest.mark.parametrize(("source", "encoder"), [("lite0", "resnet50"), ("lite0", "efficientnet_b2")])
def test_lite_is_refused_for_another_encoder(lite0, source, encoder):
    with pytest.raises(PretrainedWeightsError, match=f"lite0 do not fit the encoder {encoder}; .*'efficientnet_b0'"):
        imagenet_state(source, encoder)


def test_a_file_of_another_size_of_lite_is_refused(lite2):
    with pytest.raises(PretrainedWeightsError, match="have 21 blocks, need the 16 of efficientnet_b0 without gates"):
        imagenet_state(str(packaged(LITES["lite2"].package)), "efficientnet_b0")


def test_b2_computes_what_lite2_does_once_its_gates_are_wide_open(lite2):
    raw, outputs = raw_state("lite2"), []
    own = timm.create_model("efficientnet_lite2", bn_eps=1e-3).eval()
    shared = [name for name in own.state_dict() if name in lite2 and name.startswith(("conv_stem", "bn1", "blocks"))]
    own.load_state_dict({name: lite2[name] for name in shared}, strict=False)
    for stage in (2, 5):
        own.blocks[stage][0].bn1.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.clone()))
    wide = {name: torch.full_like(t, 50.0) if name.endswith("conv_expand.bias") else t for name, t in lite2.items()}
    encoder = build_network(NetworkConfig("deeplabv3plus_pspnet_se_efficientnet_b2"), wide).encoder.eval()
    grey = torch.rand(1, 1, 64, 64)

    with torch.inference_mode():
        own.forward_features(grey.expand(-1, 3, -1, -1))
        taps = encoder(grey)

    assert torch.equal(encoder.expand_3a[0].weight, raw["_blocks.4._expand_conv.weight"])
    assert torch.equal(encoder.expand_6a[1].running_var, raw["_blocks.15._bn0.running_var"])
    for tap, output in zip(taps, outputs, strict=True):
        assert output.std() > 0.1
        torch.testing.assert_close(torch.nn.functional.relu6(tap), output, atol=1e-3, rtol=0)


def test_lite0_reaches_the_encoder_of_a_peer_as_it_does_ours(lite0):
    ours = build_network(NetworkConfig(), lite0).encoder
    peer = build_network(NetworkConfig("smp_unet_tu-efficientnet_b0"), lite0).encoder.model

    assert torch.equal(peer.conv_stem.weight, ours.stem[0].weight)
    assert torch.equal(peer.blocks[2][0].conv_dw.weight, ours.contract_3a[0].weight)
    assert torch.equal(peer.blocks[5][0].bn1.running_var, ours.expand_6a[1].running_var)
    assert torch.equal(peer.blocks[2][0].se.conv_expand.bias, torch.full((144,), 4.0))
    assert (type(peer.bn1.act), peer.bn1.eps) == (torch.nn.ReLU6, 1e-3)


@pytest.mark.parametrize("encoder", ["densenet121", "resnet18"])  # the first has levels joined by underscores
def test_a_safetensors_file_reaches_every_tensor_of_a_peer_s_encoder(encoder, tmp_path):
    full = timm.create_model(encoder)
    save_file(full.state_dict(), tmp_path / "full.safetensors")
    state = imagenet_state(str(tmp_path / "full.safetensors"), encoder)

    peer = build_network(NetworkConfig(f"smp_linknet_tu-{encoder}"), state).encoder.model

    flat = {name.replace(".", "_"): tensor for name, tensor in full.state_dict().items()}
    different = [
        name for name, tensor in peer.state_dict().items() if not torch.equal(tensor, flat[name.replace(".", "_")])
    ]
    assert different == [f"{'features_conv0' if encoder == 'densenet121' else 'conv1'}.weight"]
    stem = peer.get_submodule(different[0].removesuffix(".weight")).weight
    assert torch.equal(stem, flat[different[0].replace(".", "_")].sum(1, keepdim=True))
