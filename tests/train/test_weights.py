"""Weights find their tensors, their normalisation goes into the first convolution, and nothing unsafe is read."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tiny_training import tiny_network

from melanoma_edge import models
from melanoma_edge.errors import InputError
from melanoma_edge.models import IMAGENET_MEAN, IMAGENET_STD, Pretrained
from melanoma_edge.train.weights import fold_normalization, load_model, load_weights, save_model

SIZE = 64


def randomized(arch: str, classes: int = 2) -> torch.nn.Module:
    """A network whose batch norms are not the identity."""
    model = models.create(arch, classes).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, 0, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


def after_stem(model: torch.nn.Module, arch: str, image: torch.Tensor) -> torch.Tensor:
    layout = models.layout(arch)
    with torch.no_grad():
        return model.get_submodule(layout.norm)(model.get_submodule(layout.stem)(image))


def states(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("arch", models.names())
def test_folding_moves_the_normalisation_into_the_first_convolution(arch: str) -> None:
    torch.manual_seed(0)
    model = randomized(arch)
    pixels = torch.randint(0, 256, (2, 3, SIZE, SIZE)).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    expected = after_stem(model, arch, (pixels - mean) / std)
    fold_normalization(model, arch, IMAGENET_MEAN, IMAGENET_STD)
    found = after_stem(model, arch, (pixels - 128) / 128)
    inside = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-5, atol=2e-5)
    assert not torch.allclose(found, expected, atol=1e-3), "the zero-padded border cannot be exact"


@settings(max_examples=25, deadline=None)
@given(
    mean=st.lists(st.floats(0, 255), min_size=3, max_size=3), std=st.lists(st.floats(10, 255), min_size=3, max_size=3)
)
def test_folding_is_exact_inside_for_any_normalisation(mean: list[float], std: list[float]) -> None:
    torch.manual_seed(0)
    model = models.create("meshnet", 2).double().eval()
    pixels = torch.randint(0, 256, (1, 3, 32, 32)).double()
    own = [torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in (mean, std)]
    expected = after_stem(model, "meshnet", (pixels - own[0]) / own[1])
    fold_normalization(model, "meshnet", mean, std)
    found = after_stem(model, "meshnet", (pixels - 128) / 128)
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=1e-9, atol=1e-9)


def test_no_weights_change_nothing() -> None:
    model = tiny_network()
    before = states(model)
    report = load_weights(model, "meshnet", None)
    assert (report.source, report.loaded, report.folded) == ("none", 0, False)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def written(tmp_path: Path, state: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> str:
    path = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata)
    return str(path)


OURS = {"mean": "128", "std": "[128.0, 128.0, 128.0]"}


@pytest.mark.parametrize("arch", models.names())
def test_a_thousand_class_head_stays_behind(arch: str, tmp_path: Path) -> None:
    published, model = randomized(arch, 1000), models.create(arch, 2)
    report = load_weights(model, arch, written(tmp_path, published.state_dict(), OURS))
    head = models.layout(arch).head + "."
    state, source = model.state_dict(), published.state_dict()
    assert all(torch.equal(state[name], source[name]) for name in state if not name.startswith(head))
    assert report.left_random
    assert all(name.startswith(head) for name in report.left_random)
    assert report.loaded == len(state) - len(report.left_random)
    assert not report.folded


def test_features_alone_are_enough(tmp_path: Path) -> None:
    state = {k: v for k, v in randomized("mobilenet_v2").state_dict().items() if k.startswith("features")}
    report = load_weights(models.create("mobilenet_v2", 2), "mobilenet_v2", written(tmp_path, state, OURS))
    assert (report.loaded, report.left_random) == (312, ("classifier.1.weight", "classifier.1.bias"))


def test_an_unstated_normalisation_is_imagenets_and_said_so(tmp_path: Path) -> None:
    published, model = randomized("meshnet"), models.create("meshnet", 2)
    report = load_weights(model, "meshnet", written(tmp_path, published.state_dict()))
    assert (report.mean, report.std, report.assumed, report.folded) == (IMAGENET_MEAN, IMAGENET_STD, True, True)
    fold_normalization(published, "meshnet", IMAGENET_MEAN, IMAGENET_STD)
    assert all(torch.equal(tensor, published.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_a_stated_normalisation_is_taken(tmp_path: Path) -> None:
    state = randomized("meshnet").state_dict()
    path = written(tmp_path, state, {"mean": "[127.5, 127.5, 127.5]", "std": "127.5"})
    report = load_weights(models.create("meshnet", 2), "meshnet", path)
    assert (report.mean, report.std, report.assumed) == ((127.5,) * 3, (127.5,) * 3, False)
    assert report.folded


@pytest.mark.parametrize("text", ["grey", "[1, 2]", "{}", "[1, 2, null]"])
def test_a_normalisation_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    path = written(tmp_path, randomized("meshnet").state_dict(), {"mean": text, "std": "128"})
    with pytest.raises(InputError, match="mean in the metadata"):
        load_weights(models.create("meshnet", 2), "meshnet", path)


def test_a_zero_std_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, randomized("meshnet").state_dict(), {"mean": "128", "std": "0"})
    with pytest.raises(InputError, match="positive"):
        load_weights(models.create("meshnet", 2), "meshnet", path)


def test_another_networks_features_are_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    model = models.create("mobilenet_v3_small", 2)
    before = states(model)
    path = written(tmp_path, models.create("mobilenet_v3_large", 2).state_dict(), OURS)
    with pytest.raises(InputError, match=r"features of mobilenet_v3_small: .*features.*more") as caught:
        load_weights(model, "mobilenet_v3_small", path)
    assert len(str(caught.value)) < 400
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_imagenet_weights_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    published = randomized("meshnet", 1000)
    source = Pretrained(states(published), (120.0,) * 3, (60.0,) * 3)
    monkeypatch.setattr(models, "pretrained", lambda arch: source)
    model = models.create("meshnet", 2)
    report = load_weights(model, "meshnet", "imagenet")
    assert (report.source, report.mean, report.assumed, report.folded) == ("imagenet", (120.0,) * 3, False, True)
    stem = model.get_submodule(models.layout("meshnet").stem).weight
    torch.testing.assert_close(stem, published.get_submodule(models.layout("meshnet").stem).weight * 128 / 60)


class Harmful:
    """Unpickling this would create a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)


def test_a_pickle_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, save in (
        ("torch.pth", torch.save),
        ("plain.pt", lambda value, path: path.write_bytes(pickle.dumps(value))),
    ):
        save({"weight": Harmful()}, tmp_path / name)
        with pytest.raises(InputError, match="not a plain state dict"):
            load_weights(tiny_network(), "meshnet", str(tmp_path / name))
    assert not Path("harm").exists()


def test_a_plain_state_dict_is_read(tmp_path: Path) -> None:
    source = randomized("meshnet")
    for wrapped in (source.state_dict(), {"epoch": 3, "state_dict": source.state_dict()}):
        torch.save(wrapped, tmp_path / "weights.pth")
        assert load_weights(models.create("meshnet", 2), "meshnet", str(tmp_path / "weights.pth")).left_random == ()
    torch.save([1, 2], tmp_path / "weights.pth")
    with pytest.raises(InputError, match="state dict"):
        load_weights(tiny_network(), "meshnet", str(tmp_path / "weights.pth"))


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_files_that_are_no_weights_are_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken|features"):
        load_weights(tiny_network(), "meshnet", str(path))
    with pytest.raises(InputError):
        load_model(path)


def test_a_missing_file_says_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.safetensors.*imagenet"):
        load_weights(tiny_network(), "meshnet", str(tmp_path / "nowhere.safetensors"))


@pytest.mark.parametrize("head", models.HEADS)
@pytest.mark.parametrize("arch", models.names())
def test_a_checkpoint_builds_its_network_again(arch: str, head: str, tmp_path: Path) -> None:
    model = models.create(arch, 3, head=head, dropout=0.3).eval()
    spec = models.spec(arch, 3, image_size=96, dropout=0.3, head=head)
    save_model(tmp_path / "model.safetensors", model, spec, ("a", "b", "melanoma"))
    again, made_with = load_model(tmp_path / "model.safetensors")
    assert (made_with.spec, made_with.classes) == (spec, ("a", "b", "melanoma"))
    assert (made_with.mean, made_with.std) == ((128.0,) * 3, (128.0,) * 3)
    assert not again.training
    assert states(again).keys() == states(model).keys()
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in again.state_dict().items())


def test_equal_weights_give_equal_bytes(tmp_path: Path) -> None:
    model = tiny_network()
    spec = models.Spec("meshnet", 2, 32, 0.2, "default")
    files = [tmp_path / f"{i}.safetensors" for i in range(8)]
    for path in files:
        save_model(path, model, spec, ("other", "melanoma"))
    assert len({path.read_bytes() for path in files}) == 1
    assert load_file(files[0]).keys() == model.state_dict().keys()


def test_a_checkpoint_of_ours_is_not_folded_again(tmp_path: Path) -> None:
    source = models.create("meshnet", 2)
    save_model(tmp_path / "m.safetensors", source, models.spec("meshnet", 2), ("other", "melanoma"))
    report = load_weights(models.create("meshnet", 2), "meshnet", str(tmp_path / "m.safetensors"))
    assert (report.assumed, report.folded, report.left_random) == (False, False, ())


@pytest.mark.parametrize(
    "change",
    [
        {"arch": None},
        {"num_classes": "two"},
        {"classes": "other"},
        {"classes": "3"},
        {"classes": '["a"]'},
        {"head": "x"},
    ],
)
def test_incomplete_metadata_is_refused(change: dict[str, str | None], tmp_path: Path) -> None:
    metadata = {"arch": "meshnet", "num_classes": "2", "image_size": "160", "dropout": "0.1", "head": "default"}
    metadata |= {"classes": json.dumps(["other", "melanoma"]), "mean": "128.0", "std": "128.0"}
    metadata = {key: value for key, value in {**metadata, **change}.items() if value is not None}
    with pytest.raises(InputError):
        load_model(Path(written(tmp_path, models.create("meshnet", 2).state_dict(), metadata)))


def test_metadata_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, models.create("meshnet", 2), models.spec("mobilenet_v3_small", 2), ("other", "melanoma"))
    with pytest.raises(InputError, match="does not fit the mobilenet_v3_small"):
        load_model(path)


@pytest.mark.data
def test_the_imagenet_features_that_come_with_the_project(shared_weights: Path) -> None:
    report = load_weights(models.create("mobilenet_v2", 2), "mobilenet_v2", str(shared_weights))
    assert (report.loaded, report.left_random) == (312, ("classifier.1.weight", "classifier.1.bias"))
    assert report.assumed
