"""Our recipes before and after, as docs/results/core.md has them, from two folders of `against_peers.py`'s documents.

.venv/bin/python benchmarks/core_table.py docs/results/peers build/peers_after
"""

import json
import sys
from pathlib import Path

HEAD = """| network | recipe | file | flips | mean Δp | AUC change | by float32's |
| --- | --- | --- | ---: | ---: | ---: | ---: |"""


def rows(path: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """The figures of a document's files, by recipe and format."""
    return {
        (row["name"], row["format"]): (
            str(row["flips"]),
            f"{row['mean_abs_dp']:.4f}",
            f"{row['auc_delta']:+.4f}",
            f"{row['ratio']['median']:.2f}",
        )
        for row in json.loads(path.read_text())["rows"]
    }


def main(before: Path, after: Path) -> None:
    """One row for each file that both folders have."""
    print(HEAD)
    for path in sorted(after.glob("*.json")):
        old, new = rows(before / path.name), rows(path)
        for (recipe, form), figures in new.items():
            if (recipe, form) in old and recipe != "float32":
                pairs = (f"{a} → {b}" for a, b in zip(old[recipe, form], figures, strict=True))
                print(f"| {path.stem} | {recipe} | {form} | {' | '.join(pairs)} |")


if __name__ == "__main__":
    main(*(Path(folder) for folder in sys.argv[1:3]))
