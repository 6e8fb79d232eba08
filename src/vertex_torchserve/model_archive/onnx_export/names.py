"""What the process that exports and the one that packages agree on."""

REQUEST_NAME, ANSWER_NAME = "request.json", "answer.json"
# In the archive, as Hugging Face's Hub has it.
FOLDER = "onnx"
FLOAT_FILE = f"{FOLDER}/model.onnx"
INT8_FILE = f"{FOLDER}/model_int8.onnx"
