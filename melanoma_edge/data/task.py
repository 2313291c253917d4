"""The two questions a network may be trained to answer, and the class order of its logits."""

from dataclasses import dataclass

from melanoma_edge.errors import InputError

MELANOMA_NAMES = frozenset({"mel", "melanoma", "malignant_melanoma"})
HAM10000_CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@dataclass(frozen=True)
class Task:
    """`classes` in logit order; `melanoma` is the index of the melanoma logit."""

    name: str
    classes: tuple[str, ...]
    melanoma: int

    def label(self, diagnosis: str) -> int:
        """Class index of a diagnosis. Raises InputError when a seven-class task meets an unknown diagnosis."""
        if self.name == "binary":
            return int(diagnosis in MELANOMA_NAMES)
        known = "mel" if diagnosis in MELANOMA_NAMES else diagnosis
        if known not in self.classes:
            raise InputError(f"diagnosis {diagnosis!r} is none of the task's classes: {', '.join(self.classes)}")
        return self.classes.index(known)


TASKS = {
    "binary": Task("binary", ("other", "melanoma"), 1),
    "seven": Task("seven", HAM10000_CLASSES, HAM10000_CLASSES.index("mel")),
}
