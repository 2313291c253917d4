"""LiteRT (TensorFlow Lite), as Android, iOS and embedded Linux run it: NHWC float32 image in, float32 logits out."""

from melanoma_edge.formats.tflite import FORMAT as TFLITE
from melanoma_edge.targets import NoOptions, Place, Target

TARGET = Target(
    name="tflite",
    places=(Place(TFLITE, "float32"), Place(TFLITE, "int8")),
    options=NoOptions(),
)
