"""Reader of data sets from OpenML, by name, with scikit-learn's download and its cache."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from isingprop.data.formats.raw_images import RawData, RawImages
from isingprop.util.messages import reason_of

PREFIX = "openml:"


def read_openml(source: str) -> RawData:
    """Reads the data set that openml:NAME names; a number is taken for OpenML's own of a data set.

    scikit-learn keeps what it has downloaded in its data folder, ~/scikit_learn_data.

    Raises:
        ValueError: for a name that OpenML does not know, or a data set without a target.
        ConnectionError: where OpenML cannot be reached.
    """
    from sklearn.datasets import fetch_openml

    name = source.removeprefix(PREFIX)
    which: dict[str, Any] = {"data_id": int(name)} if name.isdecimal() else {"name": name}
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "A network error occurred")  # the last one is raised
            # The other parser needs pandas, and rounds some numbers otherwise.
            found = fetch_openml(**which, as_frame=False, parser="liac-arff", n_retries=1)
    except OSError as error:  # urllib's errors are of this kind
        raise ConnectionError(
            f"cannot download {source}: {reason_of(error)}; try again, or take a file of your own"
        ) from None
    except (ValueError, KeyError) as error:  # KeyError: an answer that lacks something
        raise ValueError(f"{source} must be a data set of OpenML, got {error}") from None

    if found.target is None or not len(found.target):
        raise ValueError(f"{source} must have a target, got none")
    values = found.data.toarray() if hasattr(found.data, "toarray") else found.data
    return RawData(
        RawImages(
            source,
            np.asarray(values),
            np.asarray(found.target),
            has_type=False,
            column_names=tuple(map(str, found.feature_names)),
        )
    )
