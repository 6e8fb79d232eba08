"""A model made into ONNX when it is packaged, and held against what torch gives."""
