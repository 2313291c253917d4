"""What several rooms' tests need: where the real images and networks are, if they are there at all."""

from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

# The same examples every time: a suite that fails must fail again. `--hypothesis-profile default` draws new ones.
# Numerical code takes as long as the machine is slow: no deadline per example.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(*parts: str) -> Path:
    """A path in the folder of real data beside the checkout; skips the test, with the reason, where it is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"needs {'/'.join(parts)} in {SHARED.name}/ beside the checkout, which is not part of the repository"
        )
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `-n 2 --dist loadgroup`: a file's tests stay together, for its fixtures, as do all that need `guard_bundle`,
    which takes a minute, or a browser, where others would be in the way of what is timed.
    """
    names = [(item, set(getattr(item, "fixturenames", ()))) for item in items]
    together = {item.path for item, fixtures in names if fixtures & {"guard_bundle", "chromium"}}
    for item, _ in names:
        item.add_marker(pytest.mark.xdist_group("bundle" if item.path in together else str(item.path)))


@pytest.fixture(scope="session")
def guard_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a trained network, compiled as a user would: tests/networks/meshnet_synthetic.onnx is what
    `make demo` trained, MeshNet on synthetic lesions at 160 pixels."""
    from melanoma_edge import targets
    from melanoma_edge.data.preprocess import Normalization
    from melanoma_edge.options import CompileOptions, DataOptions, ProofOptions
    from melanoma_edge.pipeline import compile_network
    from melanoma_edge.targets.web import WebOptions

    options = CompileOptions(proof=ProofOptions(bench_runs=50))
    web = replace(targets.named("web"), options=WebOptions(web_models="all", browser="none"))
    output = tmp_path_factory.mktemp("guard") / "guard"
    network, plain = Path(__file__).parent / "networks" / "meshnet_synthetic.onnx", Normalization()
    assert compile_network(output, ("tflite", web, "android", "onnx"), network, plain, DataOptions(), options).ships
    return output


@pytest.fixture(scope="session")
def ham10000() -> Path:
    """Folder of the real HAM10000 images and metadata."""
    return shared("data", "ham10000")


@pytest.fixture(scope="session")
def networks() -> Path:
    """Folder of the trained networks."""
    return shared("networks")
