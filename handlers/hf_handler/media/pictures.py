"""Pictures, opened the way transformers' pipelines do."""

import warnings
from typing import Any

from hf_handler.allowance import Allowance
from hf_handler.archive import Archive
from hf_handler.bounds import REQUEST_IMAGES, REQUEST_PIXELS
from hf_handler.items import Query
from hf_handler.optional import need
from hf_handler.schema import Refused

# Pillow's names. Formats that it reads by other programs, such as EPS, are not among them.
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


# A picture whose sides differ more becomes gigabytes when its short side is scaled to what a model takes.
LONGEST_TO_SHORTEST = 100


PICTURE_ALIASES = {"images": "image"}


# Pixels on a side of what counts as 1 in a picture's cost: 224 x 224 pixels cost 196.
PATCH = 16

# A grey PNG of 32 x 32 pixels, for examples that are answered at load.
GREY = {
    "b64": "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mNsYMAPmBhGFYwqGFUwQhUAAJe+AMD8"
    "WknZAAAAAElFTkSuQmCC"
}


class Pictures:
    """Opens pictures the way transformers' pipelines do: first frame, upright, RGB.

    Args:
        archive: Its settings say how many pixels are too many.

    Raises:
        ValueError: Pillow is not installed.
    """

    def __init__(self, archive: Archive) -> None:
        self.image = need("PIL.Image", "a task with images")
        self.upright = need("PIL.ImageOps", "a task with images").exif_transpose
        self.most = archive.settings.max_image_pixels

    def read(self, query: Query) -> None:
        """Put what stands for pictures in the place of a query's files.

        Done as an instance is read: all pictures of a request are measured before one is decoded.

        Raises:
            Refused: As `opened` does.
        """
        files = query.fields.get("image")
        if isinstance(files, list):
            query.fields["image"] = [self.opened(one, query.allowance) for one in files]
        elif files is not None:
            query.fields["image"] = self.opened(files, query.allowance)

    def opened(self, content: bytes, allowance: Allowance) -> Any:
        """Return Pillow's image of a file whose header alone was read.

        Args:
            content: The file's bytes.
            allowance: Of the request that it came with.

        Raises:
            Refused: No picture of a known format (415), too long for its width (422), or too large alone or
                beside the request's others (413).
        """
        import io

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata; and about size, which is measured below
            try:
                picture = self.image.open(io.BytesIO(content), formats=PICTURE_FORMATS)
            except self.image.DecompressionBombError:
                raise Refused(f"the image has more than {self.most} pixels", 413) from None
            except Exception:  # each format's plugin has errors of its own
                raise Refused(f"expected an image as {', '.join(PICTURE_FORMATS)}", 415) from None
        self._measure(*picture.size)
        allowance.take(REQUEST_IMAGES, 1)
        allowance.take(REQUEST_PIXELS, picture.width * picture.height)
        return picture

    def decoded(self, picture: Any) -> Any:
        """Return a picture that was opened, decoded and upright, as RGB.

        Raises:
            Refused: It is damaged (422).
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return self.upright(picture).convert("RGB")
            except Exception:
                raise Refused("the image is damaged or cut short", 422) from None

    def _measure(self, width: int, height: int) -> None:
        if width * height > self.most:
            raise Refused(f"the image has {width} x {height} pixels, more than {self.most}", 413)
        if max(width, height) > LONGEST_TO_SHORTEST * min(width, height):
            raise Refused(
                f"the image has {width} x {height} pixels, more than {LONGEST_TO_SHORTEST} to 1", 422
            )
