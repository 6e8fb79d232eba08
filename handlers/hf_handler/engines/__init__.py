"""What runs an encoder: torch, or onnxruntime with the model's ONNX file."""
