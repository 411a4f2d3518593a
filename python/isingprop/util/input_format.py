"""How images become the inputs of a network, and what its classes are called."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isingprop.util.checks import Doubles, Floats, check_shape

WHITE = 255  # the highest value of unsigned bytes
_KEY = "input_format"  # in the text of a model file
_PORTION = 4096  # images that are scaled at a time, which bounds the memory


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class Scaling:
    """The scale of pixels: (value - lowest) / (highest - lowest).

    Where it differs from pixel to pixel, what is outside is clipped to [0, 1].

    Args:
        lowest: the value that becomes 0: (), the same for all pixels, or (pixels,).
        highest: the value that becomes 1, of the same shape. Where it equals the lowest value, all
            higher values become 1. Highest is below lowest where dark and bright are exchanged.
    """

    lowest: Doubles
    highest: Doubles

    @classmethod
    def of_all(cls, limit: float) -> Scaling:
        """Returns the scale of pixels that are all in 0 ... limit."""
        return cls(np.array(0.0), np.array(float(limit)))

    def darkened(self, values: NDArray[Any]) -> Scaling:
        """Returns the scale with dark and bright exchanged if these values are bright in the mean.

        Networks learn less from bright images: the same input, the background, is in all of them.
        """
        parts = range(0, len(values), _PORTION)
        total = sum(self.pixels(values[k : k + _PORTION]).sum(dtype=np.float64) for k in parts)
        return self.exchanged() if total > values.size / 2 else self

    def exchanged(self) -> Scaling:
        """Returns the scale that makes 0 of what is 1 in this one, and 1 of what is 0."""
        return Scaling(self.highest, self.lowest)

    @property
    def limit(self) -> float | None:
        """The end of the scale that is not 0, where all pixels have one scale; None otherwise."""
        return None if self.lowest.ndim else float(max(self.lowest, self.highest))

    @property
    def is_exchanged(self) -> bool:
        """Whether dark and bright are exchanged."""
        return bool((self.lowest > self.highest).any())

    def pixels(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Returns (n, ...) values as (n, pixels) float32 in [0, 1]."""
        rows = values.reshape(len(values), -1)
        pixels = np.empty(rows.shape, np.float32)

        for first in range(0, len(rows), _PORTION):
            part = slice(first, first + _PORTION)
            if self.limit is None:
                pixels[part] = self._clipped(rows[part])
            else:
                pixels[part] = rows[part]
                pixels[part] /= np.float32(self.limit)
                if self.is_exchanged:
                    pixels[part] = 1 - pixels[part]

        return pixels

    def _clipped(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        with np.errstate(over="ignore"):  # an infinite distance is clipped
            spread = self.highest - self.lowest
            distances = (rows - self.lowest) / np.where(spread != 0, spread, 1.0)
        return np.asarray(np.clip(distances, 0, 1))

    def __str__(self) -> str:
        """Returns the scale in words."""
        if self.limit is None:
            text = "each column by its range in the training images, values outside clipped"
        else:
            text = "values as they are" if self.limit == 1 else f"values / {self.limit:g}"
        return f"{text}; 0 and 1 exchanged, as the mean is above 1/2" if self.is_exchanged else text


@dataclass(frozen=True)
class InputFormat:
    """What is known of the images behind the inputs of a network; None is unknown.

    Args:
        class_names: a name for each class.
        image_shape: of an image, such as (28, 28) or (32, 32, 3), in row-major order.
        scaling: of its values to pixels in [0, 1].
        column_names: of a table whose rows are the images, in the order of the pixels.
    """

    class_names: tuple[str, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    scaling: Scaling | None = None
    column_names: tuple[str, ...] | None = None

    def names(self, num_classes: int) -> tuple[str, ...]:
        """Returns a name for each class, which is its number where it has no other."""
        return self.class_names or tuple(str(number) for number in range(num_classes))

    def as_given(self, pixels: Floats) -> Floats:
        """Returns pixels in [0, 1] with dark and bright as the user's images have them."""
        return 1 - pixels if self.scaling is not None and self.scaling.is_exchanged else pixels

    def metadata(self, num_inputs: int, num_classes: int) -> dict[str, str]:
        """Returns the text that the file of a network keeps; empty where nothing is known."""
        if self == InputFormat():
            return {}
        self.check_fits(num_inputs, num_classes)
        scaling = self.scaling
        content = {
            "class_names": self.class_names,
            "image_shape": self.image_shape,
            "scaling": scaling and [scaling.lowest.tolist(), scaling.highest.tolist()],
            "column_names": self.column_names,
        }
        return {_KEY: json.dumps(content)}

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        metadata: Mapping[str, str],
        num_inputs: int,
        num_classes: int,
    ) -> InputFormat:
        """Returns what the text in the file of a network says; older files say nothing.

        Raises:
            ValueError: for a text that does not fit the network of the file.
        """
        if _KEY not in metadata:
            return cls()

        try:
            content = json.loads(metadata[_KEY])
            found = cls(
                _texts(content["class_names"]),
                None if (shape := content["image_shape"]) is None else tuple(map(int, shape)),
                None if (scaling := content["scaling"]) is None else _scaling(*scaling),
                _texts(content["column_names"]),
            )
            found.check_fits(num_inputs, num_classes)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} must say what its inputs are, got {error}") from None
        return found

    def check_fits(self, num_inputs: int, num_classes: int) -> None:
        """Raises ValueError unless names, shape and scale are of so many inputs and classes."""
        if self.class_names is not None and len(set(self.class_names)) != num_classes:
            raise ValueError(f"class_names must be {num_classes} different names")
        if self.image_shape is not None and np.prod(self.image_shape) != num_inputs:
            raise ValueError(
                f"image_shape must have {num_inputs} pixels in all, got {self.image_shape}"
            )

        if self.scaling is not None and self.scaling.limit is None:
            for name in ("lowest", "highest"):
                check_shape(name, getattr(self.scaling, name), (num_inputs,))
        if self.column_names is not None and len(self.column_names) != num_inputs:
            raise ValueError(
                f"column_names must be {num_inputs} names, got {len(self.column_names)}"
            )


def _texts(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(each) for each in value)


def _scaling(lowest: Any, highest: Any) -> Scaling:
    """Returns the scale of these numbers, after a check that it can be used."""
    scaling = Scaling(np.asarray(lowest, np.float64), np.asarray(highest, np.float64))
    if scaling.lowest.shape != scaling.highest.shape:
        raise ValueError("a scale with more lowest than highest values, or fewer")
    if not (np.isfinite(scaling.lowest) & np.isfinite(scaling.highest)).all():
        raise ValueError("a scale that is not finite")
    if scaling.limit is not None and scaling.limit <= 0:
        raise ValueError(f"a scale to {scaling.limit:g}")
    return scaling
