"""The calls and payloads of Google's notebooks for Hugging Face models, with the emulator for Google.

The cells are this project's own. They follow notebooks of GoogleCloudPlatform/vertex-ai-samples (below
notebooks/community/model_garden: model_garden_huggingface_pytorch_inference_deployment, _vllm_, _tgi_ and
_tei_deployment, model_garden_openai_api_*) and of huggingface/Google-Cloud-Containers (examples/vertex-ai).
"""

from typing import Any

from tests.integration.docs.deployed_model import run_cells

PYTORCH_INFERENCE = """\
MODEL_ID, TASK = "gs://models/text-classification", "text-classification"
use_dedicated_endpoint = False
models, endpoints = {}, {}

endpoints["it"] = aiplatform.Endpoint.create(
    display_name="classifier-endpoint", dedicated_endpoint_enabled=use_dedicated_endpoint
)
models["it"] = aiplatform.Model.upload(
    display_name="classifier",
    artifact_uri=MODEL_ID,
    serving_container_image_uri=SERVE_DOCKER_URI,
    serving_container_ports=[7080],
    serving_container_predict_route="/pred",
    serving_container_health_route="/ping",
    serving_container_environment_variables={
        "HF_TASK": TASK, "MODEL_ID": MODEL_ID, "DEPLOY_SOURCE": "notebook", "VTS_WORKERS": "1"
    },
    serving_container_shared_memory_size_mb=4 * 1024,
    model_garden_source_model_name="publishers/hf-distilbert/models/sst-2",
)
models["it"].deploy(
    endpoint=endpoints["it"],
    machine_type="g2-standard-8",
    accelerator_type="NVIDIA_L4",
    accelerator_count=1,
    deploy_request_timeout=1800,
    service_account="",
    system_labels={"NOTEBOOK_NAME": "notebook.ipynb"},
)

instances = ["I love this product", "I hate this product"]
response = endpoints["it"].predict(instances=instances, use_dedicated_endpoint=use_dedicated_endpoint)
best = response.predictions
both = endpoints["it"].predict(instances=instances, parameters={"top_k": 2}).predictions

for endpoint in endpoints.values():
    endpoint.delete(force=True)
for model in models.values():
    model.delete()
left = aiplatform.Endpoint.list(filter='display_name="classifier-endpoint"')
said = {"best": best, "both": both, "left": len(left)}
"""

ASK = """\
import google.auth, google.auth.transport.requests, openai

endpoint = aiplatform.Endpoint(os.environ["ENDPOINT"])
use_dedicated_endpoint = True
prompt, max_tokens = "What is a car?", 8

sampling = {"temperature": 1.0, "top_p": 1.0, "top_k": 1}
vllm = [{"prompt": prompt, "max_tokens": max_tokens, **sampling, "raw_response": False}]
tgi = [{
    "inputs": f"### Human: {prompt}### Assistant: ",
    "parameters": {"max_new_tokens": max_tokens, **sampling},
}]
chat = [{
    "@requestFormat": "chatCompletions",
    "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
    "max_tokens": max_tokens,
}]
vllm, tgi, chat = (
    endpoint.predict(instances=instances, use_dedicated_endpoint=use_dedicated_endpoint).predictions
    for instances in (vllm, tgi, chat)
)

creds, project = google.auth.default()
creds.refresh(google.auth.transport.requests.Request())
BASE_URL = f"https://{endpoint.gca_resource.dedicated_endpoint_dns}/v1beta1/{endpoint.resource_name}"
messages = [{"role": "user", "content": prompt}]
asked = {"messages": messages, "max_tokens": max_tokens, "temperature": 1.0, "top_p": 0.9}
answer = requests.post(
    f"{BASE_URL}/chat/completions",
    headers={"Authorization": f"Bearer {creds.token}"},
    json={**asked, "stream": True, "min_tokens": 8},
    stream=True,
)
if not answer.ok:
    raise ValueError(answer.text)
deltas = []
for chunk in answer.iter_lines(chunk_size=8192, decode_unicode=False):
    if chunk:
        chunk = chunk.decode("utf-8").removeprefix("data:").strip()
        if chunk == "[DONE]":
            deltas.append(chunk)
            break
        data = json.loads(chunk)
        if type(data) is not dict or "error" in data:
            raise ValueError(data)
        delta = data["choices"][0]["delta"].get("content")
        if delta:
            deltas.append(delta)

client = openai.OpenAI(base_url=BASE_URL, api_key=creds.token)
completion = client.chat.completions.create(model="", **asked)
try:
    client.chat.completions.create(model="", messages=[{"role": "tool", "content": "a", "tool_call_id": "1"}])
except openai.BadRequestError as error:
    refused = str(error.body)
said = {
    "vllm": vllm, "tgi": tgi, "chat": chat["choices"][0]["message"], "deltas": deltas,
    "openai": [completion.object, completion.choices[0].message.role, completion.usage.completion_tokens],
    "refused": refused,
}
"""


def test_a_classifier_from_upload_to_clean_up(hosts: dict[str, str]) -> None:
    said = run_cells(PYTORCH_INFERENCE, hosts)
    assert [set(prediction) for prediction in said["best"]] == [{"label", "score"}] * 2
    for best, both in zip(said["best"], said["both"], strict=True):
        assert len(both) == 2
        assert both[0] == best
    assert said["left"] == 0


def test_a_model_that_writes_is_asked_as_each_server_of_the_notebooks(writer: dict[str, str]) -> None:
    said: dict[str, Any] = run_cells(ASK, writer)
    ((vllm,),) = said["vllm"]
    assert vllm["generated_text"].startswith("What is a car?")
    ((tgi,),) = said["tgi"]
    assert tgi["generated_text"].startswith("### Human: What is a car?### Assistant: ")
    assert said["chat"]["role"] == "assistant"
    *deltas, end = said["deltas"]
    assert end == "[DONE]"
    assert len(deltas) > 2
    kind, role, tokens = said["openai"]
    assert (kind, role) == ("chat.completion", "assistant")
    assert 0 < tokens <= 8
    assert "messages[0].role is out of order" in said["refused"]
