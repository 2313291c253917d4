from dataclasses import replace

import pytest
from scipy.stats import binomtest

from melanoma_edge.bench.document import MachineFacts
from melanoma_edge.report import view
from melanoma_edge.verify.document import Counts
from melanoma_edge.verify.gates import Gate


def test_the_headline_is_the_first_int8_file_beside_its_float_twin(report):
    small, twin = view.headline(report)
    assert (small.name, small.p50) == ("mobilenet_v2_int8.tflite", 1.29)
    assert (twin.p50, twin.bytes) == (2.05, 8_902_120)


def test_no_int8_file_has_no_headline(report):
    floats = tuple(row for row in report.artifacts if row.precision == "float32")
    assert view.headline(replace(report, artifacts=floats)) is None


def test_a_thread_count_that_one_file_lacks_leaves_dashes(inputs, build):
    inputs["bench"]["rows"] = [r for r in inputs["bench"]["rows"] if r["threads"] == 1 or r["runtime"] == "torch"]
    rows = view.timed(build(inputs))
    assert rows[0].timings[1].p50 is not None
    assert rows[1].timings[1] is None


@pytest.mark.parametrize(
    ("value", "limit", "passed", "filled"),
    [
        (0.005, 0.01, True, 40),
        (0.01, 0.01, True, 80),
        (0.5, 0.01, False, 100),
        (-1, 0.01, True, 0),
        (None, 0.01, False, 100),
        (0.0, 0.0, True, 0),
        (0.1, 0.0, False, 100),
    ],
)
def test_the_meter_shows_how_much_of_a_limit_is_used(value, limit, passed, filled):
    assert view.used(Gate("g", "a", limit, value, passed)) == filled


def test_provenance_names_seed_options_versions_machine_and_reference(report):
    facts = dict(view.provenance(report))
    assert facts["Seed"] == "0"
    assert facts["Options: train"] == "epochs = 8, lr = 0.001, balance = sampler"
    assert {"onnxruntime 1.31.1", "onnx-ir 1.1.0"} <= set(facts["Versions"].split(", "))
    assert facts["Machine"] == "AMD EPYC 9B14, 2 cores, Linux 6.1"
    assert facts["Reference"] == "torch 2.14.1 on the CPU, 1 thread"
    assert facts["Reference network, sha256"] == "ab" * 32


def test_the_machine_is_told_without_its_tables():
    facts = MachineFacts("", 4, "", "", "", None, ("avx2", "amx_int8"), {"torch": "2"})
    assert view.machine(facts) == "an unnamed processor, 4 cores, avx2 amx_int8"


def test_options_within_options_are_told_by_their_path(inputs, build):
    inputs["build"]["options"] = {"train": {"spec": {"arch": "meshnet", "dropout": None}, "epochs": 2}}
    facts = dict(view.provenance(build(inputs)))
    assert facts["Options: train"] == "spec.arch = meshnet, epochs = 2"


def test_what_speaks_against_the_latencies_is_said(report):
    machine = replace(report.bench.machine, cores=2)
    busy = replace(
        report.bench, method="Interleaved.", machine=machine, load_average=(6.8, 3.7, 1.7), skipped_threads=(4,)
    )
    assert view.method(busy) == [
        "Interleaved.",
        "The machine was busy (load 6.8 on 2 cores): believe the ratios, not the milliseconds.",
        "4 threads were not timed, for want of cores.",
    ]
    assert view.method(replace(busy, load_average=(1.9, 0, 0), skipped_threads=())) == ["Interleaved."]
    assert view.method(replace(busy, load_average=None, skipped_threads=(), method="")) == ["One image at a time."]


def test_the_margin_of_a_sensitivity_is_wilsons():
    interval = binomtest(142, 171).proportion_ci(method="wilson")
    assert view.margin(Counts(142, 0, 0, 29)) == pytest.approx((interval.high - interval.low) / 2, abs=1e-5)


def test_the_margin_without_melanomas_is_none_and_with_all_found_is_not_zero():
    assert view.margin(Counts(0, 0, 0, 0)) is None
    assert view.margin(Counts(10, 0, 0, 0)) == pytest.approx(0.1388, abs=1e-3)  # Wilson's interval is 0.7225 to 1


def test_the_wait_before_the_network_stands_with_one_thread(inputs, build):
    inputs["bench"]["preparing"][0]["p50"] = 3.14
    ((row, timings),) = view.prepared(build(inputs))
    assert timings == [row, None] and row.p50 == 3.14
