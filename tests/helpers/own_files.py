"""Small data sets in all kinds of files that users have: two shapes in noise, and their labels."""

import gzip

import numpy as np

SIDE = 12
CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def bars(count, seed=0, side=SIDE):
    """Unsigned bytes, (count, side, side): dark noise with a bright bar, upright in every second
    image; and 0, 1, 0, 1 ...
    """
    images = np.random.default_rng(seed).integers(0, 60, (count, side, side), np.uint8)
    images[:, 0, :2] = 0, 255
    labels = np.arange(count) % 2
    images[labels == 0, side // 2, :] = 250
    images[labels == 1, :, side // 2] = 250
    return images, labels


def idx_bytes(array):
    """The content of an IDX file of the array's own type."""
    code = CODES[array.dtype.str[1:]]
    sizes = np.array(array.shape, ">u4").tobytes()
    return (
        bytes([0, 0, code, array.ndim])
        + sizes
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_csv(path, images, labels, *, names=None, mark=",", start=""):
    """A table with the labels first, and a header if there are names."""
    lines = [] if names is None else [mark.join(names)]
    for label, image in zip(labels, images.reshape(len(images), -1), strict=True):
        lines.append(mark.join([str(label), *map(str, image)]))
    path.write_text(start + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def pixel_names(count):
    return ["label", *(f"pixel{k}" for k in range(count))]


def write_pictures(folder, images, labels, suffix=".png"):
    """A folder for each label."""
    from PIL import Image

    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        file = folder / str(label) / f"{number:04}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return folder
