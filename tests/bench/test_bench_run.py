from dataclasses import replace
from pathlib import Path

import msgspec
import onnx_ir as ir
import pytest
from onnx_graphs import Builder

from melanoma_edge import models
from melanoma_edge.artifact import json_text
from melanoma_edge.bench import run
from melanoma_edge.bench.document import BenchReport, CudaReport, Ratio
from melanoma_edge.errors import InputError
from melanoma_edge.export.emit import emit
from melanoma_edge.train.weights import save_model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bench")
    b = Builder((1, 3, 32, 32))
    model = b.done(b.linear(b.op("Flatten", b.op("GlobalAveragePool", b.conv(b.image, 4, 3, strides=[2, 2]))), 2))
    ir.save(model, folder / "tiny.onnx")
    emit(model, folder / "tiny.tflite", name="tiny")
    spec = models.spec("meshnet", 2, image_size=32)
    network = models.create("meshnet", 2, dropout=spec.dropout, head=spec.head)
    save_model(folder / "tiny.safetensors", network, spec, ("other", "melanoma"))
    return {
        "reference": folder / "tiny.safetensors",
        "web": folder / "tiny.onnx",
        "phone": folder / "tiny.tflite",
    }


def test_every_file_is_timed_at_every_thread_count(files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "usable_cores", lambda: 2)
    tasks = []
    result = run.bench(
        files, runs=5, threads=(1, 2, 64), progress=lambda task, done, total, detail="": tasks.append(task)
    )
    assert msgspec.json.decode(json_text(result), type=BenchReport) == result
    assert [(row.name, row.threads) for row in result.rows] == [(n, t) for t in (1, 2) for n in files]
    assert result.skipped_threads == (64,)
    assert set(tasks) == {"timing, 1 thread", "timing, 2 threads", "measuring memory"}
    for row in result.rows:
        assert row.runs == 5
        assert 0 < row.p50 <= row.p90 <= row.p99
        assert row.load_ms > 0
        assert row.first_run_ms > 0
        assert row.bytes == files[row.name].stat().st_size
        assert row.device == "cpu"
        assert row.peak_memory_bytes is None or 1e5 < row.peak_memory_bytes < 1e8
    reference, web, phone = result.rows[:3]
    assert reference.ratio == Ratio(1, 1, 1)
    assert web.ratio.median == pytest.approx(web.p50 / reference.p50)
    assert (reference.runtime, web.runtime) == ("torch", "onnxruntime")
    assert (phone.partitions, phone.outside_delegate, web.partitions) == (1, (), None)
    assert result.machine.processor


def test_ratios_divide_by_the_named_baseline(files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "peak_memory", lambda path: None)
    few = {name: files[name] for name in ("web", "phone")}
    rows = run.bench(few, baseline="phone", threads=(1,), runs=3).rows
    assert rows[1].ratio.median == 1
    with pytest.raises(InputError, match="baseline 'desk' is none of the files to time: web, phone"):
        run.bench(few, baseline="desk")


def test_without_a_gpu_there_are_no_rows_of_one(files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("melanoma_edge.runtime.pytorch.gpu", lambda: None)
    monkeypatch.setattr(run, "peak_memory", lambda path: None)
    assert run.bench({"reference": files["reference"]}, threads=(1,), runs=1).gpu is None


def test_with_a_gpu_the_reference_is_timed_there_too(files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("melanoma_edge.runtime.pytorch.gpu", lambda: "a GPU")
    monkeypatch.setattr(run, "peak_memory", lambda path: None)
    report = CudaReport("how", "a GPU", (), (), run.machine())
    monkeypatch.setattr(run, "bench_cuda", lambda files, runs, progress: report)
    assert run.bench(files, threads=(1,), runs=1).gpu == replace(report, machine=None)


def test_nothing_and_broken_files_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="nothing to time"):
        run.bench({})
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="is not a model that ONNX Runtime"):
        run.bench({"m": tmp_path / "m.onnx"})


def test_more_threads_than_cores_and_nothing_else_are_refused(files):
    with pytest.raises(InputError, match="asked for 9999, at most"):
        run.bench(files, threads=(9999,), runs=1)


def test_what_comes_before_the_network_is_timed_too(files, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "peak_memory", lambda path: None)
    (row,) = run.bench(files, runs=3, threads=(1,)).preparing
    assert row.size == 32 and 0 < row.decoding_p50 < row.p50 <= row.p90 < 1000 and "JPEG" in row.image
