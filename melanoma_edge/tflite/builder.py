"""A .tflite file while it is written: tensors, buffers, operator codes, and packing to bytes.

The classes of the format are LiteRT's own (`ai_edge_litert.schema_py_generated`); equal constants share one tensor,
equal data one buffer, and equal vectors of the FlatBuffer (scales, zero points, shapes) one copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from melanoma_edge.tflite import schema

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
SIGNATURE = "serving_default"
BUFFER_ALIGNMENT = 16  # `force_align: 16` of Buffer.data in schema.fbs, which Python's generated code leaves out
RUNTIME_VERSION_BYTES = 16  # fixed width of the `min_runtime_version` buffer

TYPES = {np.dtype(np.float32): "FLOAT32", np.dtype(np.int8): "INT8", np.dtype(np.int32): "INT32"}


@dataclass(frozen=True)
class Quantization:
    """real = scale * (integer - zero_point): float32 and int64 `[1]`, or `[C]` along `axis` of the tensor."""

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int = 0

    @property
    def key(self) -> tuple[bytes, bytes, int]:
        """What makes two equal."""
        return self.scale.tobytes(), self.zero_point.tobytes(), self.axis


@dataclass
class ModelBuilder:
    """Collects one subgraph. Tensors are named by index, as in the file."""

    tensors: list[Any] = field(default_factory=list)  # TensorT, BufferT, OperatorT
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    operators: list[Any] = field(default_factory=list)
    codes: dict[tuple[str, int], int] = field(default_factory=dict)
    _data: dict[bytes, int] = field(default_factory=dict)
    _constants: dict[object, int] = field(default_factory=dict)

    def tensor(self, name: str, shape: Sequence[int], dtype: type, quantization: Quantization | None = None) -> int:
        """Index of a new activation tensor."""
        return self._add(name, shape, np.dtype(dtype), 0, quantization)

    def constant(self, name: str, array: NDArray[np.generic], quantization: Quantization | None = None) -> int:
        """Index of a constant tensor holding `array`, shared with an equal one; `name` is then the first one's."""
        data = np.asarray(array, order="C").tobytes()
        key = (array.shape, array.dtype.str, data, None if quantization is None else quantization.key)
        if key not in self._constants:
            self._constants[key] = self._add(name, array.shape, array.dtype, self._buffer(data), quantization)
        return self._constants[key]

    def operator(
        self, name: str, version: int, inputs: Sequence[int], outputs: Sequence[int], options: object | None = None
    ) -> None:
        """Append a builtin operator, e.g. `CONV_2D`; `options` is its options object of the schema."""
        code = self.codes.setdefault((name, version), len(self.codes))
        kind = 0
        if options is not None:
            kind = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.operators.append(
            schema.OperatorT(
                opcodeIndex=code,
                inputs=np.array(inputs, np.int32),
                outputs=np.array(outputs, np.int32),
                builtinOptionsType=kind,
                builtinOptions=options,
            )
        )

    def pack(
        self,
        *,
        name: str,
        inputs: Mapping[str, int],
        outputs: Mapping[str, int],
        min_runtime: str,
        metadata: Mapping[str, bytes],
    ) -> bytes:
        """The file's bytes, with a signature `serving_default` of `inputs` and `outputs` (name to tensor).

        metadata: what else the file's list of metadata names.
        """
        told = {"min_runtime_version": min_runtime.encode().ljust(RUNTIME_VERSION_BYTES, b"\0"), **metadata}
        first = len(self.buffers)
        model = schema.ModelT(
            version=SCHEMA_VERSION,
            operatorCodes=[_operator_code(*key) for key in self.codes],
            subgraphs=[
                schema.SubGraphT(
                    tensors=self.tensors,
                    inputs=np.array(list(inputs.values()), np.int32),
                    outputs=np.array(list(outputs.values()), np.int32),
                    operators=self.operators,
                    name=name,
                )
            ],
            buffers=[*self.buffers, *(schema.BufferT(data=np.frombuffer(one, np.uint8)) for one in told.values())],
            metadata=[schema.MetadataT(name=name, buffer=first + n) for n, name in enumerate(told)],
            signatureDefs=[
                schema.SignatureDefT(inputs=_tensor_maps(inputs), outputs=_tensor_maps(outputs), signatureKey=SIGNATURE)
            ],
        )
        packer = _SharingBuilder(1 << 20)
        packer.Finish(model.Pack(packer), FILE_IDENTIFIER)
        return bytes(packer.Output())

    def _add(
        self,
        name: str,
        shape: Sequence[int],
        dtype: np.dtype[np.generic],
        buffer: int,
        quantization: Quantization | None,
    ) -> int:
        parameters = None
        if quantization is not None:
            parameters = schema.QuantizationParametersT(
                scale=quantization.scale, zeroPoint=quantization.zero_point, quantizedDimension=quantization.axis
            )
        self.tensors.append(
            schema.TensorT(
                shape=np.array(shape, np.int32),
                type=getattr(schema.TensorType, TYPES[dtype]),
                buffer=buffer,
                name=name,
                quantization=parameters,
                hasRank=True,
            )
        )
        return len(self.tensors) - 1

    def _buffer(self, data: bytes) -> int:
        if data not in self._data:
            self._data[data] = len(self.buffers)
            self.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        return self._data[data]


class _SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """Writes equal vectors once, which FlatBuffers allows, and aligns byte vectors as TFLite asks."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._vectors: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # noqa: N802
        """Offset of a vector equal to `x`."""
        key = (x.dtype.str, x.tobytes())
        if key not in self._vectors:
            if x.dtype == np.uint8:
                self.Prep(BUFFER_ALIGNMENT, x.nbytes)
            self._vectors[key] = int(super().CreateNumpyVector(x))
        return self._vectors[key]


def _operator_code(name: str, version: int) -> Any:
    code = getattr(schema.BuiltinOperator, name)
    # readers older than the 32-bit code look at the byte, in which 127 means "see the other field"
    return schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version)


def _tensor_maps(tensors: Mapping[str, int]) -> list[Any]:
    return [schema.TensorMapT(name=name, tensorIndex=index) for name, index in tensors.items()]
