import base64
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import jsonschema
import msgspec
import pytest

from melanoma_edge.artifact import json_text
from melanoma_edge.data.inspect import DataSummary
from melanoma_edge.report import html
from melanoma_edge.report.schemas import schema
from melanoma_edge.verify.document import FlipRow

VOID = {"meta", "link", "br", "img", "path", "use", "wbr", "hr", "input"}
HOSTILE = "\"><script>alert(1)</script>'&amp;$x_{y}$%{{7*7}}\u202e"


class Page(HTMLParser):
    """What a page holds: elements, ids, texts, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements, self.texts, self.stack, self.broken = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.stack or self.stack.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data):
        if self.stack and self.stack[-1] not in {"style", "script"}:
            self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def text(report, thumbnail):
    return html.render_html(report, {flip["image_id"]: thumbnail for flip in report["flips"]})


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_nothing_is_loaded_from_anywhere(text, page):
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (name, value)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "embed", "form", "base"})
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org)", text)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_page_is_well_formed_and_accessible(page):
    assert not page.broken
    assert not page.stack
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all(image.get("alt") for image in page.all("img"))
    assert all(drawing.get("role") == "img" and drawing["aria-labelledby"] in ids for drawing in page.all("svg"))
    assert all(cell.get("scope") in {"row", "col", "colgroup"} for cell in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    linked = {a["href"][1:] for a in page.all("a")}
    assert linked <= set(ids)
    uses = {a["xlink:href"][1:] for a in page.all("use")}
    assert uses <= set(ids)


def test_the_verdict_and_its_gates_come_first(page):
    text = page.text
    assert "Ships" in text
    assert "Does not ship" not in text
    order = [
        text.index(words) for words in ("All 6 gates hold", "Decisions that flip", "Sensitivity Specificity", "ROC")
    ]
    assert order == sorted(order)


def test_a_failed_gate_says_why(inputs, build):
    inputs["verify"]["gates"][1] |= {"value": 0.0621, "passed": False}
    text = Page(html.render_html(build(inputs), {})).text
    assert "Does not ship because mobilenet_v2_int8.tflite: Decisions that flip 6.21 %; the limit is 5.00 %" in text
    assert "fails" in text


def test_the_tables_have_every_figure(page):
    text = page.text
    for words in (
        "2.69 MB",
        "1.29",
        "36",
        "2.39 %",
        "0.1221",
        "max |Δp|",
        "p50 p90 p99",
        "1 thread, ms",
        "2 threads, ms",
    ):
        assert words in text
    assert text.count("ai-edge-litert") >= 4


def test_cold_start_memory_and_the_wait_before_the_network_stand_beside_the_latencies(page):
    for words in (
        "Cold start, ms",
        "15.8",
        "6.71 MB",
        "19.02 MB",
        "a 600 x 450 JPEG to 128 pixels",
        "5.67",
        "3.45 ms of it",
    ):
        assert words in page.text
    assert "the reference's predictions and times are those of a CPU" in page.text


def test_a_gpu_has_a_table_of_its_own(inputs, build):
    row = {"name": "reference", "runtime": "torch", "version": "2", "batch": 64, "precision": "float16", "runs": 100}
    times = {"p50": 4.321, "p90": 4.4, "p99": 4.5, "images_per_second": 14811.4}
    inputs["bench"]["gpu"] = {
        "method": "m",
        "device": HOSTILE,
        "skipped": [],
        "rows": [{"version": "1", **row, **times}],
    }
    report = build(inputs)
    jsonschema.validate(json.loads(json_text(report)), schema())
    page = Page(html.render_html(report, {}))
    assert not page.all("script") and not page.broken
    assert "float16 64 4.321" in page.text and "14,811" in page.text
    assert "those of a CPU" not in page.text


BROWSER = {"browser": f"Chromium 1 {HOSTILE}", "integer_dot": False, "why": None}


def test_a_browser_has_a_table_of_its_own(inputs, build):
    ratio = {"median": 0.85, "low": 0.84, "high": 0.87}
    rows = [{"name": "m_int8.tflite", "p50": 16.65, "p90": 17.5, "p99": 19.0, "runs": 50, "threads": 1, "ratio": ratio}]
    inputs["bench"]["browser"] = {**BROWSER, "rows": rows}
    report = build(inputs)
    jsonschema.validate(json.loads(json_text(report)), schema())
    page = Page(html.render_html(report, {}))
    assert not page.all("script") and not page.broken
    for words in ("the package's default", "16.65", "0.84 to 0.87", "no exact integer dot product"):
        assert words in page.text


def test_without_a_browser_the_page_says_what_the_order_is_from(inputs, build):
    rows = [{"name": "m_int8.tflite", "p50": None, "ratio": None}]
    inputs["bench"]["browser"] = {**BROWSER, "browser": None, "why": f"none was found {HOSTILE}", "rows": rows}
    report = build(inputs)
    jsonschema.validate(json.loads(json_text(report)), schema())
    page = Page(html.render_html(report, {}))
    assert not page.all("script") and "not timed in a browser (none was found" in page.text


def test_tables_of_all_but_the_first_file_fold_and_their_verdicts_do_not(text, page):
    assert [tag for tag, _ in page.elements].count(
        "details"
    ) == 3  # intervals, groups and other photographs of the second file
    folded = "".join(re.findall(r"<details>.*?</details>", text, re.DOTALL))
    assert "too few melanomas" not in folded and "one group loses" not in folded
    assert page.text.count("too few melanomas to tell") == 2


def test_flipped_images_show_with_both_probabilities(report, thumbnail, page):
    pictures = [image["src"] for image in page.all("img")]
    assert pictures == [f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode()}"] * 36
    first = next(f for f in report["flips"] if f["label"] == "melanoma" and f["direction"] == "melanoma->other")
    assert f"{first['p_reference']:.3f} → {first['p_artifact']:.3f}" in page.text
    assert "2 are melanomas that the reference finds and a file misses." in page.text


def test_many_flips_are_capped_and_counted(report):
    text = html.render_html(report, {}, shown=10)
    assert text.count('class="nopicture"') == 10
    assert "The first 10 are shown; report.json lists all of them." in Page(text).text
    assert "36 of 1,507" in Page(text).text


def test_no_flips_is_said(inputs, build):
    inputs["verify"]["flips"] = []
    text = Page(html.render_html(build(inputs), {})).text
    assert "No file decides any test image otherwise than the reference." in text


def test_a_network_from_elsewhere_has_no_training(inputs, build):
    inputs["training"] = None
    inputs["build"]["arch"] = None
    text = Page(html.render_html(build(inputs), {})).text
    assert "this build did not train it" in text
    assert "a network from elsewhere" in text


def test_synthetic_data_is_labelled_loudly(inputs, page, build):
    assert "Procedural images, not patients." not in page.text
    inputs["data"]["clinical"] = False
    text = Page(html.render_html(build(inputs), {})).text
    assert text.index("Procedural images, not patients.") < text.index("Ships")
    assert "drawn by a program, not clinical" in text
    assert "No patient is in this data." in text


def test_a_leak_is_shown(inputs, build):
    inputs["data"]["split_check"] |= {"groups_shared": ["HAM_1"], "identical_files_shared": [["a", "b"]]}
    inputs["data"]["calibration"]["groups_shared_with_evaluation"] = 3
    text = Page(html.render_html(build(inputs), {})).text
    assert "1 lesions or patients are in more than one split: HAM_1" in text
    assert "3 of their lesions or patients and 0 identical files are among" in text


def test_limits_of_use_and_provenance_stand_there(page):
    assert "never a diagnosis" in page.text
    assert "CC BY-NC 4.0" in page.text
    assert "01" * 32 in page.text
    assert "AMD EPYC 9B14" in page.text


def poison(value):
    """Hostile text in place of every text, null in place of every measured figure."""
    if isinstance(value, dict):
        keep = {
            "created_utc",
            "format",
            "precision",
            "direction",
            "phase",
            "sha256",
            "threshold",
            "size",
            "mean",
            "std",
        }
        return {k: v if k in keep else poison(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poison(item) for item in value]
    return HOSTILE if isinstance(value, str) else None if isinstance(value, float) else value


def test_hostile_names_and_missing_figures_stay_text(inputs, thumbnail, build):
    inputs["verify"]["reference"] |= {"auc": None, "sensitivity": None, "roc": {"fpr": [], "tpr": []}}
    report = build(inputs)
    hostile = poison(json.loads(json_text({"flips": report.flips, "data": report.data, "artifacts": report.artifacts})))
    data, classes = hostile["data"], (HOSTILE, HOSTILE + "m")
    data["splits"] = {HOSTILE: {"images": 1, "classes": {HOSTILE: 1, HOSTILE + "m": 0}, "diagnoses": {}}}
    data["split_check"]["groups"] = {HOSTILE: 1}
    report = replace(
        report,
        name=HOSTILE,
        flips=msgspec.convert(hostile["flips"], tuple[FlipRow, ...]),
        data=msgspec.convert(data, DataSummary),
        artifacts=tuple(
            replace(row, name=HOSTILE, runtime=HOSTILE, auc=None, sensitivity=None, flip_rate=None)
            for row in report.artifacts
        ),
        build=replace(report.build, arch=HOSTILE, command=HOSTILE, task=replace(report.build.task, classes=classes)),
        bench=replace(report.bench, method=HOSTILE, machine=replace(report.bench.machine, processor=HOSTILE)),
    )
    page = Page(html.render_html(report, {HOSTILE: thumbnail}))
    assert not page.all("script")
    assert not page.broken
    assert "alert(1)" in page.text
    assert "49" not in page.text.split("Limits")[0].split("alert(1)")[1][:20]
    assert "\u202e" not in page.text


def test_equal_inputs_give_equal_bytes(inputs, thumbnail, text, build):
    pictures = {flip["image_id"]: thumbnail for flip in inputs["verify"]["flips"]}
    assert html.render_html(build(inputs), pictures) == text


def test_every_section_has_its_template_and_the_css_its_colours():
    environment = html._environment()
    for section in html.SECTIONS:
        environment.get_template(section.template)
    css = environment.get_template("style.css").render()
    used = set(re.findall(r"var\((--[\w-]+)\)", css))
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    light, dark, printed = (set(re.findall(r"(--[\w-]+):", block)) for block in blocks)
    assert used <= light
    assert dark <= light
    assert printed | {"--loud", "--loud-ink"} >= dark


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2) of `#rrggbb` or `#rgb`."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_text_and_lines_are_legible_in_light_dark_and_print(scheme):
    css = html._environment().get_template("style.css").render()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block))
    for text in ("ink", "muted", "accent", "good", "bad", "fair"):
        for ground in ("paper", "panel"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["bad"], colours["bad-wash"]) >= 4.5
    assert contrast(colours["good"], colours["good-wash"]) >= 4.5
    for name, colour in colours.items():
        if name.startswith("series"):
            assert contrast(colour, colours["paper"]) >= 3, name


def test_calibration_and_refusal_have_a_section(page, report):
    assert "Calibration and refusal" in page.text
    assert "divided by the temperature 1.6300" in page.text
    row = report["artifacts"][1]
    own, changes = row["answering"], row["uncertainty"]
    assert f"{own['own_temperature']:.4f}" in page.text and f"{report['rejection']['threshold']:.4f}" in page.text
    assert f"{own['answered']['n']:,}" in page.text and f"{changes['answered_by_both']:,}" in page.text
    assert any(drawing["aria-labelledby"] == "answering-alt" for drawing in page.all("svg"))


def test_probabilities_that_are_no_shares_are_called_so(page, inputs, build):
    assert "These probabilities are not shares" not in page.text
    inputs["reference"]["temperature"]["ece"] = [0.32, 0.31]
    assert "These probabilities are not shares" in Page(html.render_html(build(inputs), {})).text
    inputs["reference"]["temperature"] |= {"wanted": "shift", "shifts": [0.9, -0.9]}
    told = Page(html.render_html(build(inputs), {})).text
    assert "not shares" not in told and "+0.900, −0.900" in told  # noqa: RUF001


def test_a_reference_without_a_temperature_says_why(inputs, build):
    inputs["reference"]["temperature"] |= {"value": 1.0, "why": "it <b>was</b> not asked for"}
    page = Page(html.render_html(build(inputs), {}))
    assert not page.broken
    assert "The reference's logits are left as they are: it <b>was</b> not asked for." in page.text


def test_without_answers_there_is_no_section(inputs, build):
    for row in (inputs["verify"]["reference"], *inputs["verify"]["artifacts"]):
        row["answering"] = None
    assert "Calibration and refusal" not in Page(html.render_html(build(inputs), {})).text


@pytest.mark.parametrize(
    ("wanted", "holds", "words"),
    [
        ("auto", True, "the best of those that held the gates"),
        ("auto", False, "none held the gates with room to spare"),
        ("static", False, "asked for by name"),
    ],
)
def test_the_recipes_that_were_tried_are_listed_when_the_build_has_them(inputs, wanted, holds, words, build):
    assert "INT8 recipes" not in Page(html.render_html(build(inputs), {})).text
    figures = {"flips": 9, "flip_rate": 0.006, "sensitivity_drop": None, "auc_delta": -0.001, "mean_abs_dp": 0.004}
    times = {"seconds": 21.5, "latency_ratio": 0.48, "onnx_latency_ratio": 0.56, "float_nodes": 3}
    row = {"recipe": HOSTILE, "holds": holds, **figures, **times}
    expected = {"recipe": HOSTILE, "flip_rate": 0.0123, "latency_ratio": 0.856}
    skipped = [] if holds else [{**expected, "why": why} for why in ("flips", "dearer", "little", "slow")]
    skipped += [] if holds else [{"recipe": HOSTILE, "flip_rate": 0.0123}]  # as older builds have it
    search = {"wanted": wanted, "chosen": "static", "tried": [row], "skipped": skipped}
    told = {"recipe": {"name": "static"}, "images": 1, "seconds": 1.0, "tensors": {}, "integer_nodes": []}
    told |= {"float_nodes": [], "inexact_nodes": [], "signal_to_noise": {}, "passes": {}, "quantizer": search}
    inputs["build"]["quantization"] = told
    page = Page(html.render_html(build(inputs), {}))
    assert not page.broken and not page.all("script")
    assert words in page.text and "0.60 %" in page.text and "0.48" in page.text
    assert ("Not made" in page.text and "1.23 %" in page.text and "0.86 of float's time" in page.text) is not holds
