"""The rows of docs/results/int8.md from builds: every compressed file, with what the gates judge and what it costs.

.venv/bin/python benchmarks/int8_rows.py artifacts/*/
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path


def rows(bundle: Path) -> Iterator[str]:
    """One Markdown row for each compressed file of a build, shipped or withheld."""
    report = json.loads((bundle / "report.json").read_text())
    medians = {(a["format"], a["precision"]): a["latency_ms"]["p50"] for a in report["artifacts"]}
    failed = {gate["artifact"] for gate in report["gates"] if not gate["passed"]}
    chosen = report["build"]["quantization"]["quantizer"]["chosen"]
    for a in report["artifacts"]:
        if a["precision"] == "float32":
            continue
        int8 = a["precision"] == "int8"
        told = (
            report["name"],
            chosen if int8 else "",
            f"{a['format']} {'INT8' if int8 else 'weights only'}",
            a["flips"],
            f"{a['mean_abs_dp']:.4f}",
            f"{a['auc_delta']:+.4f}",
            f"{medians[a['format'], a['precision']] / medians[a['format'], 'float32']:.2f}",
            f"{medians[a['format'], a['precision']]:.2f}",
            a["partitions"] or "",
            "no" if a["name"] in failed else "yes",
        )
        yield f"| {' | '.join(map(str, told))} |"


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print("\n".join(rows(Path(folder))))
