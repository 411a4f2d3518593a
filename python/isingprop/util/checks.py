"""Checks of arguments, which return them in the form that the package uses.

Each error message quotes the name of the argument, what it must be and what it was.
"""

from __future__ import annotations

import math
import operator
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Doubles: TypeAlias = NDArray[np.float64]
Spins: TypeAlias = NDArray[np.int8]

_BOOLS = (bool, np.bool_)
_LARGEST_SEED = 2**64 - 1
_LARGEST_SINGLE = float(np.finfo(np.float32).max)


def whole_number(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Returns `value` as an int in [least, most]; True, 1.0 and "1" are refused."""
    if isinstance(value, _BOOLS):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None

    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most}, got {number}")
    return number


def seed_number(value: object) -> int:
    """Returns `value` as a seed; None takes one from the operating system."""
    if value is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    return whole_number("seed", value, least=0, most=_LARGEST_SEED)


@lru_cache(maxsize=1024)
def seed_for(*numbers: int) -> int:
    """Returns a seed that is derived from a seed and the numbers of its purpose."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def real_number(
    name: str,
    value: object,
    *,
    least: float = -np.inf,
    above: float = -np.inf,
    most: float = _LARGEST_SINGLE,
) -> float:
    """Returns `value` as a float that is >= least, > above and of a size <= most.

    Most kernels compute in float32, so by default a number that overflows there is not finite.
    """
    if isinstance(value, bool | np.bool_ | str | bytes):
        raise TypeError(f"{name} must be a number, got {value!r}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a number, got {value!r}") from None
    except OverflowError:
        number = np.inf

    if not abs(number) <= most or number < least or number <= above:
        bound = f" and above {above:g}" if np.isfinite(above) else ""
        bound = f" and at least {least:g}" if np.isfinite(least) else bound
        raise ValueError(f"{name} must be finite{bound}, got {number}")
    return number


def true_or_false(name: str, value: object) -> bool:
    """Returns `value`, which must be True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def float_array(
    name: str, value: ArrayLike, *, shape: tuple[int | None, ...], single: bool = False
) -> Floats:
    """Returns `value` as a finite, C-ordered float32 or float64 array.

    Args:
        name: the argument's name in messages.
        value: real numbers. float32 and narrower floats become float32; float64 and integers become
            float64, or float32 with `single`. Other types are refused.
        shape: the shape it must have, in which None stands for any length >= 1.
        single: whether to return float32 in any case.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    narrow = array.dtype.kind == "f" and array.dtype.itemsize <= np.dtype(np.float32).itemsize
    check_shape(name, array, shape)

    with np.errstate(over="ignore"):  # too large numbers become infinite and are refused below
        result: Any = np.ascontiguousarray(
            array, dtype=np.float32 if narrow or single else np.float64
        )

    check_finite(name, result, array)
    checked: Floats = result
    return checked


def check_finite(name: str, array: NDArray[Any], quoted: NDArray[Any] | None = None) -> None:
    """Refuses an array with NaN or infinity, and quotes that number, from `quoted` if given."""
    flat = array.ravel("K")
    # The sum of squares takes a fifth of the time. It is infinite for some large numbers, too.
    if math.isfinite(np.vdot(flat, flat)):
        return
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        got = (array if quoted is None else quoted)[where]
        raise ValueError(f"{name} must be finite, got {got} at index {where}")


def spin_array(name: str, value: ArrayLike, *, shape: tuple[int | None, ...]) -> Spins:
    """Returns `value`, integers or floats that are all -1 or +1, as a C-ordered int8 array."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be an array of spins, got dtype {array.dtype}")
    check_shape(name, array, shape)
    good = (array == 1) | (array == -1)
    if not good.all():
        where = tuple(int(k) for k in np.argwhere(~good)[0])
        raise ValueError(f"{name} must be -1 or +1, got {array[where]} at index {where}")
    return np.ascontiguousarray(array, dtype=np.int8)


def bit_array(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> NDArray[np.int8]:
    """Returns `value`, numbers or booleans that are all 0 or 1, as an int8 array."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of 0 and 1, got dtype {array.dtype}")
    check_shape(name, array, shape)
    good = (array == 0) | (array == 1)
    if not good.all():
        where = tuple(int(k) for k in np.argwhere(~good)[0])
        raise ValueError(f"{name} must be 0 or 1, got {array[where]} at index {where}")
    return array.astype(np.int8)


def broadcast_starts(initial: Spins, lengths: tuple[int, int, int]) -> Spins:
    """Returns start states as a (B, R, N) array, checked.

    Args:
        initial: (B, R, N), or with a length of 1 in place of B or R.
        lengths: B, R and N.
    """
    ones = [False, False]
    if initial.ndim == len(lengths):
        ones = [length == 1 for length in initial.shape[:2]]
    shape = tuple(1 if one else length for one, length in zip([*ones, False], lengths, strict=True))
    return np.broadcast_to(spin_array("initial", initial, shape=shape), lengths)


def label_array(name: str, value: ArrayLike, *, count: int, num_classes: int) -> NDArray[np.int64]:
    """Returns `value` as (count,) int64 class labels in 0 ... num_classes - 1."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an array of integers, got dtype {array.dtype}")
    check_shape(name, array, (count,))
    labels = array.astype(np.int64)
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(f"{name} must be in 0 ... {num_classes - 1}, got {labels[k]} at index {k}")
    return labels


def image_array(name: str, value: ArrayLike, *, num_inputs: int | None) -> NDArray[np.float32]:
    """Returns `value` as C-ordered float32 images, (n, num_inputs); None is any number of inputs.

    The range of the pixels is not checked here but by `check_pixels`, or where they are used.
    """
    array = np.asarray(value)
    if array.dtype.kind != "f":
        advice = f": divide by 255, {name} / 255" if array.dtype == np.uint8 else ""
        raise TypeError(
            f"{name} must be floating-point pixels in [0, 1], got dtype {array.dtype}{advice}"
        )

    if array.ndim > 2 and len(array):
        raise ValueError(
            f"{name} must have a row of pixels for each image, got shape {array.shape}: "
            f"{name}.reshape({len(array)}, -1) has them"
        )
    check_shape(name, array, (None, num_inputs))
    with np.errstate(over="ignore"):  # infinite pixels are refused where they are used
        return np.ascontiguousarray(array, dtype=np.float32)


def check_pixels(name: str, images: NDArray[np.float32]) -> None:
    """Refuses pixels outside [0, 1]."""
    if not (images.min() >= 0 and images.max() <= 1):  # both are NaN if any pixel is
        where = tuple(int(k) for k in np.argwhere(~((images >= 0) & (images <= 1)))[0])
        raise ValueError(f"{name} must be in [0, 1], got {images[where]} at index {where}")


def check_shape(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Refuses an array whose shape differs from `shape`, in which None is any length >= 1."""
    good = array.ndim == len(shape)
    for have, want in zip(array.shape, shape, strict=False):
        good = good and (have > 0 if want is None else have == want)
    if not good:
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        wanted += "," if len(shape) == 1 else ""
        raise ValueError(f"{name} must have shape ({wanted}), got {array.shape}")
