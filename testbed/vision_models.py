"""Three tiny seeded models for TorchServe's handlers of images, and what torchvision answers with each.

    python vision_models.py FOLDER

runs where torchvision is: in an image that has it. It imports nothing of this project, so that its text can
be given to any Python.
"""

import json
import sys
from pathlib import Path

import torch
from PIL import Image
from torchvision import models, transforms

LABELS = ["background", "cat", "dog", "fox", "owl"]
# The class that `object_detector` loads the weights into; scripted, it would answer in another form.
DETECTOR = """\
import torch
from torchvision.models.detection import ssdlite320_mobilenet_v3_large


class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = ssdlite320_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=2, detections_per_img=5, topk_candidates=50
        )

    def forward(self, images):
        return self.net(list(images))
"""
# As TorchServe's documentation says of these handlers.
NORMALIZED = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
CROPPED = transforms.Compose(
    [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), NORMALIZED]
)


def main(root: Path) -> None:
    """Write a folder for each handler, `picture.png`, and `expected.json` with a prediction for each."""
    torch.manual_seed(0)
    pixels = (torch.rand(48, 64, 3) * 255).to(torch.uint8)
    picture = Image.fromarray(pixels.numpy())
    picture.save(root / "picture.png")
    cropped = CROPPED(picture).unsqueeze(0)
    expected = {
        "image_classifier": classifier(root / "image_classifier", cropped),
        "image_segmenter": segmenter(root / "image_segmenter", cropped),
        "object_detector": detector(root / "object_detector", transforms.ToTensor()(picture)),
    }
    (root / "expected.json").write_text(json.dumps(expected))


def classifier(folder: Path, cropped: torch.Tensor) -> dict[str, float]:
    """The names of the five classes with their probabilities."""
    model = models.shufflenet_v2_x0_5(weights=None, num_classes=len(LABELS)).eval()
    folder.mkdir()
    torch.jit.script(model).save(folder / "model.pt")
    (folder / "index_to_name.json").write_text(json.dumps(dict(enumerate(LABELS))))
    probabilities = model(cropped).softmax(dim=1)[0]
    return {label: float(each) for label, each in zip(LABELS, probabilities, strict=True)}


def segmenter(folder: Path, cropped: torch.Tensor) -> list[list[list[float]]]:
    """The class of each pixel, and its probability."""
    model = models.segmentation.lraspp_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=3
    ).eval()
    folder.mkdir()
    torch.jit.script(model).save(folder / "model.pt")
    best = model(cropped)["out"].softmax(dim=1).max(dim=1)
    answer: list[list[list[float]]] = torch.stack([best.indices.float(), best.values], dim=3)[0].tolist()
    return answer


def detector(folder: Path, picture: torch.Tensor) -> list[dict[str, object]]:
    """The name, the box and the score of what is found with a score of at least 0.5."""
    folder.mkdir()
    (folder / "model.py").write_text(DETECTOR)
    names: dict[str, object] = {}
    exec(DETECTOR, names)  # noqa: S102 (the text above)
    model = names["Detector"]().eval()  # type: ignore[operator]
    with torch.no_grad():
        for layer in model.net.head.classification_head.module_list:
            layer[-1].bias.view(-1, 2)[:, 1] = 2.0  # of random weights, none would be sure of anything
    torch.save(model.state_dict(), folder / "model.pt")
    (folder / "index_to_name.json").write_text(json.dumps({"1": "cat"}))
    [found] = model([picture])
    return [
        {"cat": box, "score": score}
        for box, score in zip(found["boxes"].tolist(), found["scores"].tolist(), strict=True)
        if score >= 0.5
    ]


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
