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
    medians = {(row["format"], row["precision"]): row["latency_ms"]["p50"] for row in report["artifacts"]}
    failed = {gate["artifact"] for gate in report["gates"] if not gate["passed"]}
    chosen = report["build"]["quantization"]["quantizer"]["chosen"]
    for artifact in report["artifacts"]:
        if artifact["precision"] == "float32":
            continue
        int8 = artifact["precision"] == "int8"
        cells = (
            report["name"],
            chosen if int8 else "",
            f"{artifact['format']} {'INT8' if int8 else 'weights only'}",
            artifact["flips"],
            f"{artifact['mean_abs_dp']:.4f}",
            f"{artifact['auc_delta']:+.4f}",
            f"{medians[artifact['format'], artifact['precision']] / medians[artifact['format'], 'float32']:.2f}",
            f"{medians[artifact['format'], artifact['precision']]:.2f}",
            artifact["partitions"] or "",
            "no" if artifact["name"] in failed else "yes",
        )
        yield f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print("\n".join(rows(Path(folder))))
