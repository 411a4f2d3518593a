"""Tables as strangers write them: separators, headers, labels anywhere, and rows that are wrong."""

import re
import sys

import numpy as np
import pytest

import isingprop as ip
from helpers.idx_files import refusal
from helpers.own_files import bars, pixel_names, write_csv
from isingprop.data.formats.own_source import read_unlabelled
from isingprop.util.input_format import InputFormat

IMAGES, LABELS = bars(20, side=4)
NAMES = pixel_names(16)
EXPECTED = ip.ImageSet.from_arrays(IMAGES, LABELS)


def assert_bars(images):
    np.testing.assert_array_equal(images.train_images, EXPECTED.train_images, strict=True)
    np.testing.assert_array_equal(images.train_labels, EXPECTED.train_labels)
    np.testing.assert_array_equal(images.test_images, EXPECTED.test_images)
    assert images.class_names == ("0", "1")


@pytest.mark.parametrize(
    ("options", "label"),
    [
        ({"names": NAMES}, None),
        ({"names": NAMES}, "label"),
        ({"names": ["Class", *NAMES[1:]]}, None),
        ({"names": ["digit", *NAMES[1:]]}, "digit"),
        ({"names": NAMES, "mark": ";"}, None),
        ({"names": NAMES, "mark": "\t"}, None),
        ({"names": NAMES, "start": "\ufeff"}, None),
        ({"names": ['"the, label"', *NAMES[1:]]}, "the, label"),
        ({"names": ["label", *map(str, range(16))]}, "label"),
        ({"names": list(map(str, range(17)))}, "0"),
        ({}, "0"),
        ({}, "-17"),
        ({"start": "\n\n"}, "0"),
    ],
)
def test_tables_of_any_form(tmp_path, options, label):
    path = write_csv(tmp_path / "bars.csv", IMAGES, LABELS, **options)
    assert_bars(ip.ImageSet.from_file(path, label=label))


def test_labels_in_the_last_column_without_a_header(tmp_path):
    """The first line, numbers and a name, is a row and no header."""
    rows = ["0.1,0.9,setosa", "0.2,0.8,setosa", "0.9,0.3,virginica", "0.8,0.1,virginica"] * 3
    (tmp_path / "iris.data.csv").write_text("\n".join(rows))
    images = ip.ImageSet.from_file(tmp_path / "iris.data.csv", label="-1")
    assert len(images.train_images) + len(images.test_images) == 12
    assert images.class_names == ("setosa", "virginica")
    assert images.input_format.column_names is None


def test_an_index_that_pandas_wrote_is_no_value(tmp_path):
    lines = [",a,label", *(f"{k},{k % 7 / 7},{k % 2}" for k in range(10))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    images = ip.ImageSet.from_file(tmp_path / "a.csv")
    assert images.input_format.column_names == ("a",)
    assert f"{tmp_path / 'a.csv'}: column '' is left out" in images.notes


def test_other_columns_are_scaled_by_their_ranges(tmp_path):
    values = np.random.default_rng(3).normal([5, -200], [1, 30], (40, 2))
    write_csv(tmp_path / "a.csv", values, LABELS[:2].repeat(20), names=["label", "x", "y"])
    images = ip.ImageSet.from_file(tmp_path / "a.csv")
    expected = ip.ImageSet.from_arrays(values, LABELS[:2].repeat(20))
    np.testing.assert_array_equal(images.train_images, expected.train_images)
    assert images.notes[1].startswith("scale: each column by its range in the training images")


FINITE = "must be a finite number, got"
A_LABEL = "label must be a whole number or text, got"
DIFFERENT = "must have columns of different names, got"


def changed(line, old, new):
    """The lines of a table with one of them changed; the header is line 1."""
    lines = [",".join(NAMES)]
    lines += [
        ",".join(map(str, [label, *image.ravel()]))
        for label, image in zip(LABELS, IMAGES, strict=True)
    ]
    assert re.search(old, lines[line - 1])
    lines[line - 1] = re.sub(old, new, lines[line - 1], count=1)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (changed(7, ",0,255,", ",0,,"), f", line 7: column 'pixel1' {FINITE} ''"),
        (changed(3, ",0,255,", ",NaN,255,"), f", line 3: column 'pixel0' {FINITE} 'NaN'"),
        (changed(3, ",0,255,", ",inf,255,"), f", line 3: column 'pixel0' {FINITE} 'inf'"),
        (changed(3, ",0,255,", ",red,255,"), f", line 3: column 'pixel0' {FINITE} 'red'"),
        (changed(9, r",\d+$", ""), ", line 9: must have 17 columns, got 16"),
        (changed(4, "$", ",1"), ", line 4: must have 17 columns, got 18"),
        (changed(5, "^.", ""), f", line 5: {A_LABEL} nothing"),
        (changed(5, ",0,255,", ',"0,255,'), ", line 21: unexpected end of data"),
        (changed(1, "pixel3", "pixel2"), f" {DIFFERENT} 'pixel2' twice"),
        ("", " must hold a table, got nothing"),
        ("a,label\n", " must hold a row for each image, got none"),
        ("label\n1\n", " must have columns beside its labels, got 1 in all"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=refusal(f"{path}{message}")):
        ip.ImageSet.from_file(path)


@pytest.mark.parametrize(
    ("label", "names", "known"),
    [
        ("digit", NAMES, "columns label, pixel0, pixel1, pixel2, pixel3, pixel4, pixel5, pixel6, "
         "pixel7, pixel8 and 7 more"),
        (None, None, "17 columns without a header"),
        ("17", None, "17 columns without a header"),
        ("label", None, "17 columns without a header"),
    ],
)  # fmt: skip
def test_a_column_of_labels_that_is_not_there(tmp_path, label, names, known):
    path = write_csv(tmp_path / "a.csv", IMAGES, LABELS, names=names)
    message = (
        f"label must name the column of labels in {path}, or be its number from 0, "
        f"got {label!r} for {known}"
    )
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(path, label=label)


def test_text_that_is_not_utf_8(tmp_path):
    """The line is counted from the start of the file, far beyond a buffer."""
    path = tmp_path / "a.csv"
    path.write_bytes(("label,x\n" + "1,2\n" * 9000 + "é,2\n").encode("latin-1"))
    message = f"{path}, line 9002: must be text in UTF-8, got byte 0xe9: save it as UTF-8"
    with pytest.raises(ValueError, match=refusal(message)):
        ip.ImageSet.from_file(path)


def test_a_label_without_a_table(tmp_path):
    with pytest.raises(ValueError, match=r"^label must go with a table, "):
        ip.ImageSet.from_file(tmp_path, label="digit")


def unlabelled(path, wanted=None, label=None):
    known = InputFormat(column_names=wanted)
    return read_unlabelled(str(path), known, num_inputs=16, label=label).images


def test_columns_of_a_table_to_classify_are_taken_by_name(tmp_path):
    rows = IMAGES.reshape(20, 16)
    backwards = write_csv(
        tmp_path / "a.csv", rows[:, ::-1], LABELS, names=[NAMES[0], *NAMES[:0:-1]]
    )
    np.testing.assert_array_equal(unlabelled(backwards, tuple(NAMES[1:])), rows)
    message = f"{backwards} must have the columns of the training images, got no width"
    with pytest.raises(ValueError, match=refusal(message)):
        unlabelled(backwards, (*NAMES[1:16], "width"))


def test_a_table_to_classify_may_have_its_labels_or_not(tmp_path):
    rows = IMAGES.reshape(20, 16)
    labelled = write_csv(tmp_path / "a.csv", rows, LABELS)
    bare = write_csv(tmp_path / "b.csv", rows[:, 1:], rows[:, 0])
    np.testing.assert_array_equal(unlabelled(labelled, label="0"), rows)
    np.testing.assert_array_equal(unlabelled(bare), rows)
    np.testing.assert_array_equal(unlabelled(bare, label="0"), rows)
    message = f"{labelled} must have 16 columns, one for each input of the network, got 17"
    with pytest.raises(ValueError, match=refusal(message)):
        unlabelled(labelled)


def write_parquet(path, columns):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (test extra)")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.mark.slow  # the import of pyarrow
def test_parquet_files_are_tables_like_others(tmp_path):
    rows = IMAGES.reshape(20, 16)
    columns = {name: rows[:, k] for k, name in enumerate(NAMES[1:])}
    index = {"__index_level_0__": np.arange(20)}
    path = write_parquet(tmp_path / "a.parquet", columns | {"label": LABELS} | index)
    assert_bars(ip.ImageSet.from_file(path))
    np.testing.assert_array_equal(unlabelled(path, tuple(NAMES[1:])), rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.5, None, 2], "label": [0, 1, 1]}, f", row 1: column 'a' {FINITE} none"),
        (
            {"a": [1, float("nan")] * 3, "label": [0, 1] * 3},
            ", row 1: column 'a' must be finite, got nan",
        ),
        ({"a": ["x", "y"], "label": [0, 1]}, ": column 'a' must hold numbers, got type string"),
        ({"a": [1, 2, 3], "label": ["x", None, "y"]}, f", row 1: {A_LABEL} None"),
    ],
)
def test_parquet_files_that_cannot_be_used(tmp_path, columns, message):
    path = write_parquet(tmp_path / "a.parquet", columns)
    with pytest.raises(ValueError, match=refusal(f"{path}{message}")):
        ip.ImageSet.from_file(path)


@pytest.mark.slow  # the import of pyarrow
def test_what_is_no_parquet_file(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (test extra)")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(ValueError, match=r"a\.parquet must be a Parquet file, got "):
        ip.ImageSet.from_file(tmp_path / "a.parquet")


def test_without_pyarrow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").touch()
    with pytest.raises(
        ImportError, match=refusal('a Parquet file needs pyarrow: pip install "isingprop[tables]"')
    ):
        ip.ImageSet.from_file(tmp_path / "a.parquet")
