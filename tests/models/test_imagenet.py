"""Published weights: the download's failures teach, and what arrives is handed on with its normalisation."""

import urllib.error
from typing import Any

import pytest
import torch

from melanoma_edge import models
from melanoma_edge.errors import InputError


def hub(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[str]:
    urls = []

    def fetch(url: str, **options: Any) -> Any:
        urls.append(url)
        assert options["weights_only"]
        assert options["check_hash"]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fetch)
    return urls


@pytest.mark.parametrize("arch", [name for name in models.names() if name != "meshnet"])
def test_each_published_backbone_names_its_file_and_normalisation(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = hub(monkeypatch, {"a": torch.zeros(1)})
    found = models.pretrained(arch)
    assert arch in urls[0]
    assert list(found.state_dict) == ["a"]
    expected = (127.5, 127.5) if arch == "efficientnet_lite0" else (123.675, 58.395)
    assert (found.mean[0], found.std[0]) == expected


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (urllib.error.URLError("no route to host"), "could not be downloaded .no route to host."),
        (OSError("disk is full"), "could not be downloaded .disk is full."),
        (RuntimeError("invalid hash value"), "arrived damaged"),
    ],
)
def test_a_failed_download_is_one_clear_line(error: Exception, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, error)
    with pytest.raises(InputError, match=message) as caught:
        models.pretrained("mobilenet_v2")
    assert "\n" not in str(caught.value)
    assert "--weights FILE" in str(caught.value)


def test_meshnet_has_no_published_weights() -> None:
    with pytest.raises(InputError, match="no ImageNet weights"):
        models.pretrained("meshnet")
