"""What every backbone promises; the test walks the registry, so a new file cannot come untested."""

import pytest
import torch
import torchvision

from melanoma_edge import models
from melanoma_edge.errors import InputError

SIZE = 64
ELSEWHERE = {  # parameters with 1000 classes, where torchvision states none
    "efficientnet_lite0": 4_652_008,  # 4.65 M on timm's model card
    "meshnet": 91_258 + 998 * 33,  # its own docstring, for two classes; 33 for each further one
}


@pytest.fixture(params=models.names())
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_named_backbones_are_there() -> None:
    named = "efficientnet_b0 efficientnet_lite0 meshnet mobilenet_v2 mobilenet_v3_large mobilenet_v3_small"
    assert set(named.split()) <= set(models.names())


@pytest.mark.parametrize("head", models.HEADS)
def test_logits_have_one_column_a_class(arch: str, head: str) -> None:
    model = models.create(arch, 7, head=head).eval()
    with torch.no_grad():
        logits = model(torch.zeros(2, 3, SIZE, SIZE))
    assert logits.shape == (2, 7)
    assert logits.isfinite().all()


def test_one_linear_layer_is_told_from_more(arch: str) -> None:
    models.require_linear_head(arch, "linear")
    if arch.startswith("mobilenet_v3"):
        with pytest.raises(InputError, match=r"Linear and Hardswish and Linear.*--head linear"):
            models.require_linear_head(arch)
    else:
        models.require_linear_head(arch)


def published(arch: str) -> int:
    """Parameters that torchvision, or else the table above, states for a network of 1000 classes."""
    if arch not in torchvision.models.list_models():
        return ELSEWHERE[arch]
    return int(torchvision.models.get_model_weights(arch).DEFAULT.meta["num_params"])


def test_parameter_counts(arch: str) -> None:
    """The networks' own heads: a new backbone that torchvision lacks says in the table what was published."""
    assert sum(parameter.numel() for parameter in models.create(arch, 1000).parameters()) == published(arch)


@pytest.mark.parametrize("head", models.HEADS)
def test_layout_names_the_stem_its_norm_and_the_head(arch: str, head: str) -> None:
    layout, model = models.layout(arch), models.create(arch, 2, head=head)
    stem, norm = model.get_submodule(layout.stem), model.get_submodule(layout.norm)
    assert isinstance(stem, torch.nn.Conv2d)
    assert stem.in_channels == 3
    assert isinstance(norm, torch.nn.BatchNorm2d)
    assert norm.num_features == stem.out_channels
    assert model.get_submodule(layout.head).state_dict()
    seen = []
    norm.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[1]))
    model.eval()(torch.zeros(1, 3, SIZE, SIZE))
    assert seen == [stem.out_channels]


def test_the_linear_head_is_dropout_and_one_linear_layer(arch: str) -> None:
    model = models.create(arch, 3, head="linear")
    head = [m for m in model.get_submodule(models.layout(arch).head).modules() if isinstance(m, torch.nn.Linear)]
    assert [layer.out_features for layer in head] == [3]


def test_dropout_acts_in_training_only(arch: str) -> None:
    image = torch.rand(1, 3, SIZE, SIZE)
    model = models.create(arch, 2, dropout=0.9)
    model.eval()
    assert torch.equal(model(image), model(image))
    rates = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.9] or getattr(model, "drop_rate", None) == 0.9


def test_defaults_fill_in_what_is_not_said(arch: str) -> None:
    default = models.defaults(arch)
    spec = models.spec(arch, 2)
    assert (spec.image_size, spec.dropout, spec.head) == (default.image_size, default.dropout, default.head)
    assert models.spec(arch, 2, image_size=96, dropout=0.0, head="linear") == models.Spec(arch, 2, 96, 0.0, "linear")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"arch": "resnet50"}, "mobilenet_v2"),
        ({"num_classes": 1}, "at least 2"),
        ({"image_size": 16}, "32 to 1024"),
        ({"dropout": 1.0}, "below 1"),
        ({"head": "attention"}, "default, linear"),
    ],
)
def test_a_choice_that_cannot_be_is_named_with_what_could(choices: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        models.spec(**{"arch": "meshnet", "num_classes": 2, **choices})


def test_meshnet_sees_the_whole_image() -> None:
    """Its point is a wide view: a pixel of the last feature map at 160 px must depend on a pixel 180 columns away."""
    model = models.create("meshnet", 2).eval()
    image = torch.rand(1, 3, 64, 256, requires_grad=True)
    features = model.get_submodule("features")(image)
    features[0, :, features.shape[2] // 2, 5].sum().backward()
    columns = image.grad.abs().sum((0, 1, 2)).nonzero()
    assert columns.max() >= 180
