"""The table and the plot of what `against_peers.py` measured: docs/results/peers.md and peers/latency_flips.svg."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from against_peers import RESULTS
from convert import PEERS

from melanoma_edge.report.markdown import table

HEADS = (
    *("file", "MB", "ms", "by float32's", "AUC change", "flips", "mean Δp", "max Δp", "partitions", "seconds"),
    "peak MB",
)
TITLES = {
    "litert_torch_static": "litert-torch",
    "onnx2tf_static": "onnx2tf",
    "onnx2tf_float_io": "onnx2tf, float32 in and out",
    "ort_static": "ORT quantize_static",
    "nncf_default": "NNCF",
}


def section(document: Mapping[str, Any]) -> str:
    """One network in Markdown."""
    adds, best = document["multiply_adds"] / 1e6, document["peak_per_second"] / 1e9
    images = document["rows"][0]["images"]
    return "\n\n".join(
        (
            f"## {document['network']}",
            f"{adds:.0f} million multiply-adds; at the {best:.0f} billion a second that a large INT8 convolution "
            f"reached on the same core in the same run, {adds / best:.2f} ms. "
            f"Flips of {images:,} test images.",
            table(HEADS, [_row(row) for row in document["rows"]]),
        )
    )


def _row(row: Mapping[str, Any]) -> list[str]:
    name = f"{TITLES.get(row['name'], row['name'])}, {row['format']}"
    float32, ours = row["name"] == "float32", row["name"] not in PEERS
    figures = [f"{row['bytes'] / 1e6:.2f}", f"{row['p50_ms']:.2f}", f"{row['ratio']['median']:.2f}"]
    judged = [f"{row['auc_delta']:+.4f}", str(row["flips"]), f"{row['mean_abs_dp']:.4f}", f"{row['max_abs_dp']:.3f}"]
    parts = "" if row["partitions"] is None else str(row["partitions"])
    made = ["", ""] if float32 else [f"{row['seconds']:.0f}", str(row["megabytes"])]
    return [f"**{name}**" if ours and not float32 else name, *figures, *judged, parts, *made]


def plot(documents: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Latency by float's against flips, a panel a network; full marks are ours, hollow ones other people's."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    mpl.rcParams["svg.hashsalt"] = "melanoma-edge"
    names = list(dict.fromkeys(row["name"] for document in documents for row in document["rows"][2:]))
    marks = dict(zip(names, "sDv^<>pPXd*ohs", strict=False))
    rows = -(-len(documents) // 2)
    figure, panels = plt.subplots(rows, 2, figsize=(12, 5.3 * rows), layout="constrained")
    for panel, document in zip(panels.flat, documents, strict=False):
        for row in document["rows"][2:]:
            colour = "tab:blue" if row["format"] == "tflite" else "tab:orange"
            x, y = row["ratio"]["median"], row["flips"] + 0.5
            panel.plot(x, y, marks[row["name"]], mec=colour, mfc="none" if row["name"] in PEERS else colour, ms=8)
        panel.axhline(0.005 * document["rows"][0]["images"] + 0.5, color="grey", lw=0.8, ls=":")
        panel.axvline(1, color="grey", lw=0.8, ls=":")
        panel.set(xlabel="latency by float32's", ylabel="flips + 0.5", yscale="log", xscale="log")
        panel.set(title=document["network"])
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 6, 8) if axis is panel.xaxis else (1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_formatter(NullFormatter())
    for panel in panels.flat[len(documents) :]:
        panel.axis("off")
    legend = [_mark(marks[name], TITLES.get(name, name), "black", hollow=name in PEERS) for name in names]
    legend += [_mark("o", form, colour) for form, colour in (("TFLite", "tab:blue"), ("ONNX", "tab:orange"))]
    figure.legend(handles=legend, loc="outside lower center", ncols=5)
    figure.suptitle("Full: melanoma-edge. Hollow: others. Dotted: 0.5 % flips, and float's latency.", fontsize=10)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _mark(mark: str, label: str, colour: str, *, hollow: bool = False) -> Any:
    """An entry of the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], ls="", marker=mark, mec=colour, mfc="none" if hollow else colour, ms=8, label=label)


def main() -> None:
    """Write both from every document in docs/results/peers."""
    documents = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    versions = ", ".join(f"{name} {version}" for name, version in documents[0]["versions"].items())
    head = (
        "# Against other converters\n\n"
        "Made by `make bench-peers`. Every converter got the same float32 graph and the same "
        f"{documents[0]['calibration_images']} calibration images; one thread, medians of {documents[0]['runs']} runs "
        "taken by turns in one process. "
        f"{documents[0]['machine']['processor']}; {versions}. Flips: decisions that differ from float32's at the "
        "threshold of validation sensitivity 0.90. Rows in bold are ours.\n\n"
        "![latency against flips](peers/latency_flips.svg)"
    )
    text = "\n\n".join((head, *map(section, documents)))
    (RESULTS.parent / "peers.md").write_text(text + "\n")
    plot(documents, RESULTS / "latency_flips.svg")


if __name__ == "__main__":
    main()
