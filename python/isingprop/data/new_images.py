"""Loader of images to classify, as a network takes them."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isingprop.network.base_network import Network


def load_images(
    source: str | os.PathLike[str] | ArrayLike, network: Network
) -> NDArray[np.float32]:
    """Returns the user's own images as a network takes them, scaled as those of its training.

    The network knows their shape and scale, and the columns of a table by name, from the ImageSet
    that it was trained on, or from its file. `isingprop predict` reads images in this way, too.

    Args:
        source: a file or folder, see `ImageSet.from_file`, or an array, (n, ...). A file may have
            labels, too, which are left out.
        network: trained, a `BipartiteNetwork` or a `LayeredNetwork`.

    Returns:
        (n, I) in [0, 1], for `network.predict` and the like.

    Raises:
        ValueError: with file, row and reason for what cannot be used.
        OSError: for what is not there or cannot be read.
        ImportError: without Pillow or pyarrow, where a file needs one of them.

    Example:
        >>> import isingprop as ip
        >>> values, labels = np.arange(60.0).reshape(20, 3) ** 2, ["low", "high"] * 10
        >>> images = ip.ImageSet.from_arrays(values, labels)
        >>> network = ip.BipartiteNetwork.random(num_inputs=3, num_hidden=10, num_classes=2)
        >>> _ = ip.Trainer(network).fit(images, epochs=1)
        >>> ip.load_images([[0.0, -1.0, 9999.0]], network)
        array([[0., 0., 1.]], dtype=float32)
    """
    from isingprop.data.formats.own_source import read_unlabelled
    from isingprop.data.formats.raw_images import RawImages
    from isingprop.data.preparation import scaled_for

    known, num_inputs = network.input_format, network.num_inputs
    if isinstance(source, str | os.PathLike):
        raw = read_unlabelled(os.fspath(source), known, num_inputs=num_inputs)
    else:
        raw = RawImages("images", np.asarray(source), None)
    return scaled_for(raw, known, num_inputs)[0]
