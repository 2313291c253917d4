"""Which group each test image belongs to: what the dataset tells of it, and what its frame says of the skin."""

from collections.abc import Mapping

from melanoma_edge.data import skin_tone
from melanoma_edge.data.pixels import CHUNK, in_chunks
from melanoma_edge.data.prepared import Images

TOLD = {"sex": "sex", "site": "localization"}  # attribute to the metadata's name
BANDS = (30, 50, 70)  # years at which an age band ends
TONE = "skin tone, estimated"


def members(images: Images) -> dict[str, dict[str, str]]:
    """Attribute to the value of each test image, by its id. Attributes that no image has are left out.

    Skin tone is estimated for photographs only, not for images that a program drew.
    """
    samples = images.samples("test")
    groups: dict[str, dict[str, str]] = {
        name: {sample.id: sample.metadata[key] for sample in samples if sample.metadata.get(key)}
        for name, key in TOLD.items()
    }
    groups["age"] = {sample.id: band for sample in samples if (band := _band(sample.metadata))}
    groups["diagnosis"] = {sample.id: sample.diagnosis for sample in samples if sample.diagnosis}
    if images.summary.clinical:
        shown = (image for chunk in in_chunks(images.pixels("test"), CHUNK) for image in chunk)
        tones = (skin_tone.tone(skin_tone.angle(image)) for image in shown)
        groups[TONE] = {sample.id: tone for sample, tone in zip(samples, tones, strict=True)}
    return {name: values for name, values in groups.items() if values}


def _band(metadata: Mapping[str, str]) -> str:
    """The age band of an image, empty where the age is not known."""
    try:
        age = float(metadata.get("age", ""))
    except ValueError:
        return ""
    low = 0
    for end in BANDS:
        if age < end:
            return f"{low} to {end - 1} years"
        low = end
    return f"{low} years and over"
