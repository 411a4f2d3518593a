"""A small data set in the files that MNIST comes in, to test reading, finding and
downloading them.
"""

import gzip
import re

import numpy as np

from isingprop.data.download import FILES

NUM_TRAIN, NUM_TEST, SIDE = 60, 30, 8
TRAIN_IMAGES_GZ = f"{FILES[0]}.gz"


def refusal(message):
    """A pattern for the whole message, word for word."""
    return f"^{re.escape(message)}$"


def header(*sizes):
    return bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes()


def idx(array):
    return header(*array.shape) + array.astype(np.uint8).tobytes()


def spoiled(content, at):
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def small_arrays(seed=0):
    """Noise images, which do not compress, with labels 0 ... 9 in turn: keyed by FILES."""
    rng = np.random.default_rng(seed)
    arrays = []
    for count in (NUM_TRAIN, NUM_TEST):
        arrays += [
            rng.integers(0, 256, (count, SIDE, SIDE), np.uint8),
            np.arange(count, dtype=np.uint8) % 10,
        ]
    return dict(zip(FILES, arrays, strict=True))


def write_folder(folder, arrays=None, packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for file, array in (arrays or small_arrays()).items():
        path = folder / (f"{file}.gz" if packed else file)
        path.write_bytes(gzip.compress(idx(array), mtime=0) if packed else idx(array))
    return folder
