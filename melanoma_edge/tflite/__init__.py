"""The TFLite file format: tensors, layouts, weights, versions, metadata. It knows no ONNX operator."""
