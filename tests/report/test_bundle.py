import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoma_edge.errors import InputError
from melanoma_edge.report import bundle

REPORT = {"report.html": "<p>new</p>", "report.json": '{"generator": "melanoma-edge 1"}'}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "made.tflite"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def ship(output, model, names=("tflite/a_int8.tflite",)):
    return bundle.publish(
        output, dict.fromkeys(names, model), REPORT, {"name": "a", "files": {names[0]: {"from": "x"}}}
    )


def test_a_bundle_lists_every_file_with_its_sha256_and_how_it_was_made(output, model):
    manifest = ship(output, model)
    assert set(tree(output)) == {"manifest.json", "report.html", "report.json", "tflite/a_int8.tflite"}
    digest = hashlib.sha256(b"weights").hexdigest()
    assert manifest["files"]["tflite/a_int8.tflite"] == {"sha256": digest, "bytes": 7, "from": "x"}
    assert manifest == json.loads((output / "manifest.json").read_text()) == bundle.verify_bundle(output)
    assert manifest["name"] == "a"


def test_equal_inputs_give_equal_bytes(tmp_path, model):
    for name in ("one", "two"):
        ship(tmp_path / name, model)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_a_second_build_replaces_the_first_and_leaves_the_users_own_files(output, model):
    ship(output, model, ("web/a_int8.onnx", "tflite/a_int8.tflite"))
    (output / "tflite" / "notes.txt").write_text("mine")
    ship(output, model, ("tflite/b_int8.tflite",))
    assert set(tree(output)) == {"manifest.json", *REPORT, "tflite/b_int8.tflite", "tflite/notes.txt"}
    assert not (output / "web").exists()


def test_withhold_leaves_the_report_and_nothing_that_ships(output, model):
    ship(output, model)
    bundle.withhold(output, REPORT)
    assert set(tree(output)) == set(REPORT)
    assert not (output / "tflite").exists()
    with pytest.raises(InputError, match="a gate failed there"):
        bundle.verify_bundle(output)
    ship(output, model)
    assert bundle.verify_bundle(output)["name"] == "a"


class Killed(BaseException):
    pass


STEPS = ("replace", "unlink", "write_bytes", "rmdir", "mkdir")


def run_killed_at(monkeypatch, step: int, call) -> bool:
    """Run `call`, dying before the `step`-th change to the disk. True when it got that far."""
    left = [step]

    def dying(original):
        def method(self, *args, **options):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return original(self, *args, **options)

        return method

    with monkeypatch.context() as patch:
        for name in STEPS:
            patch.setattr(Path, name, dying(getattr(Path, name)))
        try:
            call()
        except Killed:
            return True
    return False


@pytest.mark.parametrize("act", ["publish", "withhold"])
def test_killed_at_any_moment_a_reader_sees_a_whole_bundle_or_none(tmp_path, model, monkeypatch, act):
    newer = tmp_path / "newer.tflite"
    newer.write_bytes(b"newer weights")

    def call(output):
        if act == "publish":
            ship(output, newer, ("tflite/a_int8.tflite", "web/b.onnx"))
        else:
            bundle.withhold(output, REPORT)

    seen = set()
    for step in range(200):
        output = tmp_path / f"out{step}"
        ship(output, model, ("tflite/a_int8.tflite", "web/old.onnx"))
        died = run_killed_at(monkeypatch, step, lambda output=output: call(output))
        if (output / "manifest.json").exists():
            seen.add(frozenset(bundle.verify_bundle(output)["files"]))
        else:
            seen.add(frozenset())
        call(output)
        clean = {"manifest.json", "tflite/a_int8.tflite", "web/b.onnx"} if act == "publish" else set()
        assert set(tree(output)) == clean | set(REPORT)
        if not died:
            break
    else:
        pytest.fail("never got to the end")
    assert step > 5
    old = frozenset({"tflite/a_int8.tflite", "web/old.onnx", *REPORT})
    new = frozenset({"tflite/a_int8.tflite", "web/b.onnx", *REPORT})
    assert {frozenset(), old} <= seen <= {frozenset(), old, new}


def test_a_failing_copy_leaves_the_old_bundle_and_no_scratch(output, model, tmp_path):
    ship(output, model)
    before = tree(output)
    with pytest.raises(FileNotFoundError):
        bundle.publish(output, {"tflite/a_int8.tflite": model, "tflite/b": tmp_path / "absent"}, REPORT, {})
    assert tree(output) == before
    with pytest.raises(ValueError, match="JSON"):
        bundle.publish(output, {"tflite/a_int8.tflite": model}, REPORT, {"auc": float("nan")})
    assert tree(output) == before


@pytest.mark.parametrize("name", ["notes.txt", "manifest.json", "report.json", "report.html"])
def test_a_folder_of_foreign_files_is_refused_untouched(output, model, name):
    output.mkdir()
    (output / name).write_text('{"short_name": "a web app"}')
    for call in (lambda: ship(output, model), lambda: bundle.withhold(output, REPORT)):
        with pytest.raises(InputError, match=rf"did not write \({name}\)"):
            call()
    assert set(tree(output)) == {name}


def test_new_empty_and_locked_folders_and_those_with_our_work_are_accepted(output):
    bundle.check_output(output)
    output.mkdir()
    bundle.check_output(output)
    (output / ".lock").write_text("1")
    bundle.check_output(output)
    (output / ".work").mkdir()
    (output / "notes.txt").write_text("mine")
    bundle.check_output(output)


def test_a_file_in_place_of_the_folder_is_refused(output):
    output.write_text("")
    with pytest.raises(InputError, match="is a file"):
        bundle.check_output(output)


def test_a_changed_a_missing_and_an_unlisted_sha256_are_named(output, model):
    ship(output, model)
    shipped = output / "tflite/a_int8.tflite"
    shipped.write_bytes(b"weightz")
    with pytest.raises(InputError, match=r"a_int8\.tflite is not the file that was built"):
        bundle.verify_bundle(output)
    shipped.unlink()
    with pytest.raises(InputError, match=r"tflite/a_int8\.tflite is missing"):
        bundle.verify_bundle(output)
    shipped.write_bytes(b"weights")
    manifest = json.loads((output / "manifest.json").read_text())
    manifest["files"]["tflite/a_int8.tflite"] = None
    (output / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="the manifest says None"):
        bundle.verify_bundle(output)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"generator": "melanoma-edge", "files": []}', "\udcff", "{"])
def test_a_broken_manifest_is_one_clear_error(output, text):
    output.mkdir()
    (output / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"holds no bundle|not written by melanoma-edge"):
        bundle.verify_bundle(output)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside", "", "link/outside", "."])
def test_a_manifest_cannot_reach_outside_its_folder(output, model, tmp_path, name):
    ship(output, model)
    (output / "link").symlink_to(tmp_path)
    outside = tmp_path / "outside"
    outside.write_text("precious")
    manifest = json.loads((output / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": ""}
    (output / "manifest.json").write_text(json.dumps(manifest))
    for call in (
        lambda: bundle.verify_bundle(output),
        lambda: bundle.withhold(output, REPORT),
        lambda: bundle.publish(output, {name: model}, REPORT, {}),
    ):
        with pytest.raises(InputError, match="is not a file inside"):
            call()
    assert outside.read_text() == "precious"


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}(/[a-z0-9_]{1,8})?\.(tflite|onnx)", fullmatch=True),
        st.binary(max_size=40),
        min_size=1,
    )
)
def test_what_was_published_verifies(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("bundle")
    sources = {}
    for i, (name, content) in enumerate(files.items()):
        sources[name] = folder / f"source{i}"
        sources[name].write_bytes(content)
    bundle.publish(folder / "out", sources, {}, {})
    assert set(bundle.verify_bundle(folder / "out")["files"]) == set(files)
    assert {n: (folder / "out" / n).read_bytes() for n in files} == files
