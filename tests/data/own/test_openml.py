"""Data sets of OpenML: what its service answers, played back, and what scikit-learn makes of it."""

import hashlib
import io
import json
import urllib.error
from email.message import Message
from urllib.parse import urlparse

import numpy as np
import pytest
from sklearn.datasets import _openml

import isingprop as ip
from helpers.idx_files import refusal
from helpers.own_files import bars

IMAGES, LABELS = bars(20, side=3)
NAMES = np.array(["flat", "upright"])[LABELS]


class Answer(io.BytesIO):
    """An answer of the service, without compression."""

    def info(self):
        return Message()


def arff(rows, names):
    columns = [f"@ATTRIBUTE p{k} REAL" for k in range(9)]
    lines = ["@RELATION bars", *columns, "@ATTRIBUTE shape {flat,upright}", "@DATA"]
    lines += [",".join([*map(str, row), name]) for row, name in zip(rows, names, strict=True)]
    return "\n".join(lines).encode()


def feature(index, name, kind, is_target="false"):
    flags = {"is_target": is_target, "is_ignore": "false", "is_row_identifier": "false"}
    flags["number_of_missing_values"] = "0"
    return {"index": str(index), "name": name, "data_type": kind, **flags}


@pytest.fixture
def service(monkeypatch, tmp_path):
    """Answers of OpenML by path; the list of paths that were asked for."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))
    data = arff(IMAGES.reshape(20, 9), NAMES)
    description = {
        "id": "7",
        "name": "bars",
        "version": "1",
        "format": "ARFF",
        "file_id": "70",
        "status": "active",
        "description": "Bars in noise.",
        "url": "https://www.openml.org/data/v1/download/70/bars.arff",
        "default_target_attribute": "shape",
        "md5_checksum": hashlib.md5(data).hexdigest(),
    }
    features = [feature(k, f"p{k}", "numeric") for k in range(9)]
    features.append(feature(9, "shape", "nominal", "true"))
    found = {"did": 7, "name": "bars", "version": 1, "status": "active"}
    api, asked = "/api/v1/json/data", []
    answers = {
        f"{api}/list/data_name/bars/limit/2/status/active/": {"data": {"dataset": [found]}},
        f"{api}/7": {"data_set_description": description},
        f"{api}/features/7": {"data_features": {"feature": features}},
        f"{api}/qualities/7": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "20"}]}
        },
    }
    contents = {path: json.dumps(answer).encode() for path, answer in answers.items()}
    contents["/data/v1/download/70/bars.arff"] = data

    def urlopen(request):
        path = urlparse(request.full_url).path
        asked.append(path)
        if path not in contents:
            raise urllib.error.HTTPError(request.full_url, 412, "nothing", Message(), None)
        return Answer(contents[path])

    monkeypatch.setattr(_openml, "urlopen", urlopen)
    return asked


def test_a_data_set_by_name_or_number_is_kept(service):
    images = ip.ImageSet.from_file("openml:bars")
    expected = ip.ImageSet.from_arrays(IMAGES.reshape(20, 9), NAMES)
    np.testing.assert_array_equal(images.train_images, expected.train_images, strict=True)
    np.testing.assert_array_equal(images.train_labels, expected.train_labels)
    assert images.class_names == ("flat", "upright")
    assert images.input_format.column_names == tuple(f"p{k}" for k in range(9))
    assert images.name == "bars"

    count = len(service)
    assert ip.ImageSet.from_file("openml:bars").checksum == images.checksum
    assert ip.ImageSet.from_file("openml:7").checksum == images.checksum
    assert len(service) == count, "all is in scikit-learn's cache"


def test_a_name_that_openml_does_not_know(service):
    with pytest.raises(ValueError, match=r"^openml:stripes must be a data set of OpenML, got No "):
        ip.ImageSet.from_file("openml:stripes")


@pytest.mark.slow  # a second try
def test_without_a_network(service, monkeypatch):
    def urlopen(_):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(_openml, "urlopen", urlopen)
    message = (
        "cannot download openml:bars: <urlopen error no route to host>; try again, or take a file "
        "of your own"
    )
    with pytest.raises(ConnectionError, match=refusal(message)):
        ip.ImageSet.from_file("openml:bars")
