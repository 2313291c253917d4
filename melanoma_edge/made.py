"""What a build leaves behind."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from melanoma_edge.report.document import Report


@dataclass(frozen=True)
class Made:
    """What a build left in `folder`: a bundle, or, when a gate failed, its report alone."""

    folder: Path
    report: "Report"

    @property
    def ships(self) -> bool:
        """Whether every gate passed."""
        return self.report.verdict.ships

    @property
    def files(self) -> dict[str, Path]:
        """The bundle's files by their names in it; none when it does not ship."""
        from melanoma_edge.report.bundle import verify_bundle

        return {name: self.folder / name for name in verify_bundle(self.folder)["files"]} if self.ships else {}
