"""The dark pixels of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inputs.wording import shown

PNG = b"\x89PNG\r\n\x1a\n"  # the first bytes of such a file
DARK = 0.5  # brightness below which a pixel is dark; white is 1


def dark_pixels(image: str | Path | ArrayLike) -> NDArray[np.bool_]:
    """Whether the pixels of an image are dark, shape (columns, rows) as sites along x and y: the bottom row of the image has
    the smallest y.

    `image` is the path of a PNG file or an array of brightness, shape (rows, columns), or of colours, shape (rows, columns, 3)
    or with opacity 4: floats from 0 to 1 or unsigned whole numbers from 0 to their largest. Transparent pixels are white.

    Raises
    ------
    ValueError
        for a file that cannot be read or is no PNG, and for another shape or kind of numbers.

    Examples
    --------
    >>> dark_pixels([[1.0, 1.0, 0.0],
    ...              [0.0, 1.0, 1.0]]).tolist()
    [[True, False], [False, False], [False, True]]
    """
    pixels: NDArray[Any]
    name, pixels = _read(Path(image)) if isinstance(image, (str, Path)) else ("image", _array(image))
    if pixels.dtype.kind == "u":
        pixels = pixels / np.iinfo(pixels.dtype).max
    if pixels.dtype.kind != "f":
        raise ValueError(
            f"{name} = {shown(image)}: brightness must be floats from 0 to 1 or unsigned whole numbers; {_remedy(pixels)}"
        )
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))) or not pixels.size:
        raise ValueError(
            f"{name} has the shape {pixels.shape}: must be (rows, columns), (rows, columns, 3) or (rows, columns, 4)"
        )
    if not ((pixels >= 0.0) & (pixels <= 1.0)).all():
        raise ValueError(
            f"{name} has the brightness {pixels[~((pixels >= 0.0) & (pixels <= 1.0))][0]:g}: must be 0 to 1; divide it by that "
            "of white"
        )
    bright = pixels if pixels.ndim == 2 else pixels[..., :3] @ np.array([0.299, 0.587, 0.114])  # luma of ITU-R BT.601
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        bright = bright * pixels[..., 3] + 1.0 - pixels[..., 3]
    return np.asarray(bright[::-1].T < DARK)


def _remedy(pixels: NDArray[Any]) -> str:
    """What to give in place of pixels of another kind."""
    if pixels.dtype.kind == "b":
        return "give np.float64(image) if True is bright, or an array over the sites of a box as a Mask"
    if pixels.dtype.kind != "i" or pixels.min(initial=0) < 0:
        return "give an array of these"
    white = int(pixels.max(initial=0))
    return f"give {'np.uint8(image) if 255 is white' if 1 < white <= 255 else f'np.float64(image) / {max(white, 1)}'}"


def _array(image: ArrayLike) -> NDArray[Any]:
    """The pixels that are given themselves."""
    try:
        return np.asarray(image)
    except ValueError:
        raise ValueError(f"image = {shown(image)}: its rows differ in length; give as many pixels in each") from None


def _read(path: Path) -> tuple[str, NDArray[Any]]:
    """(the path for messages, the pixels) of a PNG file."""
    from matplotlib.image import imread  # here, because importing it takes long

    try:
        with path.open("rb") as file:
            begins = file.read(len(PNG))
        if begins != PNG:
            raise ValueError(f"{path} is no PNG image: save it as one, without loss (not as JPEG)")
        return str(path), imread(path, format="png")
    except (OSError, SyntaxError) as error:  # a broken PNG is a SyntaxError
        raise ValueError(f"{path} cannot be read: {error}") from None
