"""The wheel holds all that it needs and works away from the checkout."""

import json
import os
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command: object, cwd: Path) -> str:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # which would lend the checkout
    words = [str(c) for c in command]
    done = subprocess.run(words, cwd=cwd, env=own, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


def empty_environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    return folder / "bin"


def test_the_wheel_holds_templates_schema_and_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "melanoma_edge/py.typed" in names
    assert any(n.startswith("melanoma_edge/report/templates/") for n in names)
    assert any(n.endswith("report.schema.json") for n in names)
    assert {f"melanoma_edge/targets/aar/{jar}" for jar in ("classes.jar", "sources.jar", "javadoc.jar")} <= set(names)
    assert {f"melanoma_edge/targets/python/{file}" for file in ("predict.py", "README.md")} <= set(names)
    assert not [n for n in names if n.startswith(("tests/", "docs/"))]


def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    bin_ = empty_environment(tmp_path / "env")
    run(bin_ / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    # the dependencies' folder is lent, not the checkout: a full installation takes minutes (see the slow test)
    packages = next((tmp_path / "env" / "lib").glob("python3*/site-packages"))
    (packages / "lent.pth").write_text(f"{site.getsitepackages()[0]}\n")
    where = run(bin_ / "python", "-c", "import melanoma_edge; print(melanoma_edge.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(tmp_path)
    listed = json.loads(run(bin_ / "melanoma-edge", "data", "list", "--json", cwd=tmp_path))
    assert {"synthetic", "ham10000", "folder"} <= set(listed)
    assert json.loads(run(bin_ / "melanoma-edge", "doctor", "--json", cwd=tmp_path))


@pytest.mark.slow
def test_the_wheel_installs_with_all_its_dependencies(wheel, tmp_path):
    bin_ = empty_environment(tmp_path / "env")
    run(bin_ / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    bundle = tmp_path / "bundle"
    out = run(
        *(bin_ / "melanoma-edge", "build", "--data", "synthetic:240", "--arch", "meshnet", "--image-size", "64"),
        *("--epochs", "1", "--output", bundle, "--max-auc-drop", "1", "--max-flip-rate", "1"),
        "--accept-suspicious-reference",
        *("--max-sensitivity-drop", "1", "--json"),
        cwd=tmp_path,
    )
    assert json.loads(out)["artifacts"]
    assert (bundle / "report.html").is_file()


def test_importing_and_help_load_nothing_heavy_and_are_quick(tmp_path):
    code = (
        "import sys, melanoma_edge, melanoma_edge.cli\n"
        "heavy = {'torch', 'onnx', 'onnx_ir', 'onnxruntime', 'ai_edge_litert', 'sklearn', 'timm', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run(sys.executable, "-c", code, cwd=tmp_path).strip() == "[]"
    timed = "import subprocess, sys, time; t = time.perf_counter()\n" + (
        "subprocess.run([sys.argv[1], '--help'], check=True, stdout=subprocess.DEVNULL); print(time.perf_counter() - t)"
    )
    command = Path(sys.executable).with_name("melanoma-edge")
    best = min(float(run(sys.executable, "-c", timed, command, cwd=tmp_path)) for _ in range(5))
    assert best < 0.5
