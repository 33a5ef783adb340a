# ruff: noqa: E402 (imports follow the check for torch)
"""Every network has a name, and a name that none has is refused with those that come near."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'training'")

from inference_worker.__main__ import main
from inference_worker.config import NetworkConfig
from inference_worker.networks import NetworkNameError, build_network, check_network_name, encoder_of, network_names
from inference_worker.networks.layers import DepthwiseConv2d

DECODERS = (
    "unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "deeplabv3", "deeplabv3plus", "pan", "upernet",
    "segformer",
)  # fmt: skip
ENCODERS = ("efficientnet_b0", "resnet34", "mobilenetv3_large_100", "regnety_016")


def test_the_names_are_the_paper_s_six_and_a_choice_of_peers():
    names = network_names()

    assert names[:6] == (
        "deeplabv3plus_se_efficientnet_b0",
        "deeplabv3plus_pspnet_se_efficientnet_b2",
        "deeplabv3plus_vgg16",
        "deeplabv3plus_densenet121",
        "deeplabv3plus_resnet101",
        "deeplabv3plus_resnet50",
    )
    assert set(names[6:]) == {
        *(f"smp_{decoder}_tu-{encoder}" for decoder in DECODERS for encoder in ENCODERS),
        "smp_dpt_tu-vit_tiny_patch16_224",
    }


@pytest.mark.parametrize("name", [f"smp_{decoder}_tu-{e}" for e in ENCODERS for decoder in ("unet", "deeplabv3plus")])
def test_every_listed_encoder_fits_a_decoder_of_strides_and_one_of_dilation(name):
    with torch.device("meta"):  # builds and runs without computing; the network's own check looks at the logits
        assert isinstance(build_network(NetworkConfig(name)), torch.nn.Module)


@pytest.mark.parametrize("name", [*(f"smp_{d}_tu-mobilenetv3_small_050" for d in DECODERS), network_names()[-1]])
def test_every_decoder_gives_logits_of_the_slices_size(name):
    network = build_network(NetworkConfig(name))

    assert network.training
    with torch.inference_mode():
        logits = network.eval()(torch.rand(2, 1, 256, 256))
    assert logits.shape == (2, 3, 256, 256)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", ["deeplabv3plus_pspnet_se_efficientnet_b2", "smp_unet_tu-mobilenetv3_small_050"])
def test_a_network_trains_in_bfloat16_and_channels_last(name):
    network = build_network(NetworkConfig(name)).to(memory_format=torch.channels_last)
    slices = torch.rand(2, 1, 64, 64).contiguous(memory_format=torch.channels_last)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(slices)
    logits.float().square().mean().backward()

    assert torch.isfinite(logits).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())
    depthwise = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.groups == m.in_channels > 1]
    assert {type(module) for module in depthwise} == {DepthwiseConv2d}


@pytest.mark.parametrize(
    ("name", "encoder"),
    [
        ("deeplabv3plus_se_efficientnet_b0", "efficientnet_b0"),
        ("deeplabv3plus_resnet101", "resnet101"),
        ("smp_unet_tu-efficientnet_b0", "efficientnet_b0"),
        ("smp_fpn_tu-resnet50.a1_in1k", "resnet50.a1_in1k"),
    ],
)
def test_a_name_tells_the_encoder(name, encoder):
    assert check_network_name(name) == name
    assert encoder_of(name) == encoder


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("deeplabv3plus_resnet5", "'deeplabv3plus_resnet5' is unknown; near it: deeplabv3plus_resnet50, "),
        ("nothing", "'nothing' is unknown; near it: deeplabv3plus_se_efficientnet_b0, "),
        ("smp_unett_tu-resnet18", r"unknown decoder 'unett', need one of \['deeplabv3', .*'unet', 'unetplusplus', "),
        ("smp_unet_resnet18", "unknown encoder 'resnet18', need 'tu-' and a name of timm's; near it: tu-resnet18, "),
        ("smp_unet_tu-resnet188", "unknown encoder 'tu-resnet188', .*; near it: tu-resnet18, "),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, reason):
    with pytest.raises(NetworkNameError, match=reason):
        build_network(NetworkConfig(name))


def test_an_encoder_that_does_not_fit_the_decoder_is_refused():
    with pytest.raises(NetworkNameError, match=r"'smp_unet_tu-swin_.*does not fit decoder: Input height \(256\)"):
        build_network(NetworkConfig("smp_unet_tu-swin_tiny_patch4_window7_224"))


def test_the_activation_of_the_configuration_is_that_of_a_peer_s_efficientnet():
    for activation, layer in (("relu6", torch.nn.ReLU6), ("silu", torch.nn.SiLU)):
        network = build_network(NetworkConfig("smp_fpn_tu-efficientnet_b0", activation=activation))
        assert type(network.encoder.model.bn1.act) is layer


def test_training_refuses_an_unknown_network_before_it_reads_any_data(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--data", str(tmp_path), "--run", str(tmp_path / "run"), "--network", "unet"])

    assert "network 'unet' is unknown; near it: " in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
