"""Files with a checksum: changed ones, and those from before there were checksums."""

import json

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open

from helpers.tolerances import same_bits
from helpers.written_files import KINDS, take_checksum_away
from isingprop.util import checked_files
from isingprop.util.checked_files import load_json, load_tensors, save_json, save_tensors

CHANGED = "must hold what was written there, got a content that does not fit its checksum"
ARRAY = np.arange(6, dtype=np.int32).reshape(2, 3)


@pytest.fixture(autouse=True)
def nothing_read_yet(monkeypatch, tmp_path):
    monkeypatch.setattr(checked_files, "_has_warned", False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_files_of_earlier_versions_are_read_with_a_warning_once(tmp_path, kind):
    written = kind(tmp_path)
    expected = written.read()
    for path in written.paths:
        take_checksum_away(path)

    with pytest.warns(UserWarning, match="has no checksum, as files of earlier versions") as told:
        found = [written.read(), written.read()]
    assert found == [expected, expected]
    assert len(told) == 1
    assert any(str(path) in str(told[0].message) for path in written.paths)


def test_any_array_is_written_as_safetensors_reads_it(tmp_path):
    kinds = ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8", ">i4", ">f8"]
    arrays = {f"{kind} é": (np.arange(3) % 2).astype(kind) for kind in kinds}
    arrays |= {"none": np.zeros((0, 3), np.float32), "one": np.float64(2.5)}
    arrays |= {"turned": np.arange(6.0).reshape(2, 3).T, "part": np.arange(9)[::2]}
    save_tensors(tmp_path / "file", "thing", arrays, {"note": "α\n"})

    for found in (
        load_tensors(tmp_path / "file", "thing", tuple(arrays))[0],
        safetensors.numpy.load((tmp_path / "file").read_bytes()),
    ):
        assert set(found) == set(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype.newbyteorder("<")
            assert found[name].shape == array.shape
            np.testing.assert_array_equal(found[name], array)


def test_a_file_of_one_type_has_the_bytes_that_safetensors_writes(tmp_path):
    arrays = {"b": ARRAY, "a": ARRAY + 1}
    save_tensors(tmp_path / "file", "thing", arrays, {})
    with safe_open(tmp_path / "file", "numpy") as file:
        metadata = file.metadata()
    expected = safetensors.numpy.save(arrays, metadata)
    assert (tmp_path / "file").read_bytes() == expected


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": ARRAY, "c": ARRAY + 1},
        {"a": ARRAY, "b": ARRAY},
        {"a": ARRAY, "b": (ARRAY + 1).reshape(3, 2)},
        {"a": ARRAY, "b": (ARRAY + 1).view(np.uint32)},
        {"a": ARRAY + 1, "b": ARRAY},
        {"a": ARRAY},
    ],
)
def test_other_arrays_under_the_same_checksum_are_refused(tmp_path, assert_refused, arrays):
    """Another name, value, shape, type or order, and one that is missing."""
    path = tmp_path / "file"
    save_tensors(path, "thing", {"a": ARRAY, "b": ARRAY + 1}, {"note": "text"})
    assert all(
        same_bits(*pair)
        for pair in zip(
            load_tensors(path, "thing", ())[0].values(), (ARRAY, ARRAY + 1), strict=True
        )
    )
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    safetensors.numpy.save_file(arrays, path, metadata)
    assert_refused(lambda: load_tensors(path, "thing", ()), f"ValueError: {path} {CHANGED}")


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("text", "test", CHANGED),
        ('\\"sha256', '\\"sha257', "must have a checksum, got none"),
        ("format_version", "format_vershun", "must have format version 2, got None"),
    ],
)
def test_another_text_under_the_same_checksum_is_refused(
    tmp_path, assert_refused, old, new, refusal
):
    path = tmp_path / "file"
    save_tensors(path, "thing", {"a": ARRAY}, {"note": "text"})
    content = path.read_bytes()
    path.write_bytes(content.replace(old.encode(), new.encode()))
    assert path.read_bytes() != content
    assert_refused(lambda: load_tensors(path, "thing", ()), f"ValueError: {path} {refusal}")


def test_an_object_of_json_comes_back_whatever_its_white_space(tmp_path):
    path, content = tmp_path / "file", {"b": [1, 2.5, None], "a": {"é": True}}
    save_json(path, content, indent=2)
    assert load_json(path, "things") == content
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert load_json(path, "things") == content


@pytest.mark.parametrize(
    ("old", "new"),
    [("2.5", "2.4"), ('"a"', '"c"'), ("sha256", "sha257"), ("format_version", "version")],
)
def test_a_changed_object_of_json_is_refused_or_where_it_may_be_edited_told(
    tmp_path, assert_refused, old, new
):
    path = tmp_path / "file"
    save_json(path, {"b": [1, 2.5, None], "a": 1})
    path.write_text(path.read_text().replace(old, new))
    assert_refused(lambda: load_json(path, "things"), f"ValueError: {path} {CHANGED}")
    with pytest.warns(UserWarning, match=f"{path} {CHANGED}, as edited by hand or damaged"):
        load_json(path, "things", is_editable=True)


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_object_of_json_is_refused(tmp_path, assert_refused, text):
    path = tmp_path / "file"
    path.write_bytes(text)
    assert_refused(lambda: load_json(path, "things"), f"ValueError: {path} must hold things, got ")
