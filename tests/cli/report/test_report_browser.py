"""The page of a report in a headless Chromium: it loads, its slider moves, its tooltips show."""

import json
import shutil

import pytest

from helpers.browser import CHROMIUM, Browser
from helpers.cli import cli_runs
from isingprop.cli.report.report_page import json_in_html
from isingprop.cli.report.snapshots import snapshot_path, snapshot_paths

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]

MAX_BYTES = 8_000_000
MAX_SECONDS = 2.0  # to interactive
MNIST = ("--data", "mnist", "--num-train", "1000", "--epochs", "3", "--snapshots")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser.started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page_of(run_of, tmp_path_factory):
    """page_of(kind): the report of a run, written once."""
    made = {}

    def page_of(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("pages") / f"{kind}.html"
            arguments = "report", str(run_of(kind)), "--out", str(made[kind])
            done = cli_runs.isingprop(*arguments, cwd=made[kind].parent)
            assert done.returncode == 0, done.stderr
        return made[kind]

    return page_of


@pytest.mark.parametrize("kind", ["class-states", "deep"])
@pytest.mark.parametrize("width", [320, 800, 1600])
def test_a_page_loads_alone_and_fits_its_window(browser, page_of, kind, width):
    browser.open(page_of(kind), width)
    assert browser.complaints() == []
    assert browser.requests() == [page_of(kind).as_uri()]
    assert browser.value("document.documentElement.scrollWidth") == width
    assert browser.value("document.querySelectorAll('.main-svg').length") >= 4
    names = "['errors', 'accuracies', 'map', 'distances']"
    sizes = browser.value(f"{names}.map((name) => element(name).clientWidth)")
    assert all(250 < size < width for size in sizes)


def test_names_of_classes_are_texts(browser, page_of, tmp_path):
    """They are long, and not the HTML that they look like."""
    names = [f"a class of some length <b>{k}</b>" for k in range(10)]
    text = page_of("class-states").read_text()
    old = json.dumps([str(k) for k in range(10)], separators=(",", ":"))
    assert text.count(f'"classes":{old}') == 1
    renamed = tmp_path / "page.html"
    renamed.write_text(text.replace(f'"classes":{old}', f'"classes":{json_in_html(names)}'))

    browser.open(renamed, 320)
    assert browser.value("document.documentElement.scrollWidth") == 320
    for selector in (
        "#confusion",
        "#map .legend",
        "#map .annotation",
        "#distances .yaxislayer-above",
    ):
        shown = browser.value(f"document.querySelector('{selector}').textContent")
        assert "length <b>" in shown, selector
    assert browser.value("document.querySelectorAll('b, tspan[style*=bold]').length") == 0
    assert browser.complaints() == []


def test_the_slider_moves_through_the_epochs(browser, page_of):
    browser.open(page_of("class-states"), 1600)
    drawn = "element('map').data.flatMap((trace) => trace.customdata.map((each) => each.state))"
    per_epoch = 60 * 6
    browser.value("element('epoch').focus()")
    for key, epoch in (("ArrowLeft", 1), ("Home", 0), ("ArrowRight", 1), ("End", 2)):
        browser.press(key)
        browser.wait_for(f"element('epoch-number').textContent === '{epoch}'")
        states = browser.value(drawn)
        assert sorted(states) == list(range(epoch * per_epoch, (epoch + 1) * per_epoch))
        xs = "element('map').data.flatMap((trace) => Array.from(trace.x))"
        assert browser.value(xs) == [browser.value(f"land.x[{state}]") for state in states[:3]] + (
            browser.value(f"[{','.join(map(str, states[3:]))}].map((state) => land.x[state])")
        )
        heat = browser.value("element('distances').data[0].z")
        assert heat == browser.value(f"land.classDistances[{epoch}]")
        assert browser.value("element('pairs').layout.shapes[0].x0") == epoch
        right = browser.value(f"land.right[{epoch}]")
        assert browser.value("element('epoch-text').textContent").startswith(f"{right:.1%}"[:-1])
    assert browser.complaints() == []


def test_without_snapshots_there_is_no_slider(browser, page_of):
    browser.open(page_of("deep"), 800)
    assert (
        browser.value("element('slider').offsetHeight + element('pairs-figure').offsetHeight") == 0
    )
    assert "kept no model" in browser.value("element('snapshots-text').innerText")


@pytest.mark.parametrize("width", [320, 1600])
def test_a_point_shows_its_image_and_outputs(browser, page_of, width):
    browser.open(page_of("class-states"), width)
    # The place in the window of a state with a class of its own.
    place = """(() => {
      const map = element("map");
      map.scrollIntoView({block: "center"});
      const trace = map.data.find((each) => each.name === "4");
      const {xaxis, yaxis} = map._fullLayout, box = map.getBoundingClientRect();
      const x = box.x + xaxis._offset + xaxis.l2p(trace.x[0]);
      return [x, box.y + yaxis._offset + yaxis.l2p(trace.y[0])];
    })()"""
    assert browser.value("element('tip').hidden")
    browser.point_at(*browser.value(place))
    browser.wait_for("!element('tip').hidden")
    text = browser.value("element('tip').innerText")
    assert "lowest class state" in text
    assert "outputs: 4" in text
    assert "energy −" in text.replace("-", "−")
    assert "+1 +1 +1 +1" in text
    assert browser.value("element('tip').querySelectorAll('.pixels.test-images').length") == 1
    box = json.loads(browser.value("JSON.stringify(element('tip').getBoundingClientRect())"))
    assert box["left"] >= 0
    assert box["right"] <= width

    browser.point_at(5, 5)
    browser.wait_for("element('tip').hidden")


def test_a_cell_of_the_confusion_matrix_shows_its_images(browser, page_of):
    browser.open(page_of("class-states"), 800)
    middle = """(() => {
      const cell = document.querySelector("#confusion tr:nth-child(%d) button:enabled");
      cell.scrollIntoView({block: "center"});
      const box = cell.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2, cell.getAttribute("aria-label")];
    })()"""
    for row in (1, 3, 8):
        x, y, name = browser.value(middle % row)
        browser.point_at(x, y)
        sentence, count = name.replace("label", "Label", 1).rsplit(": ", 1)
        browser.wait_for(
            f"element('cell-text').textContent.startsWith('{sentence}: {count} image')"
        )
        shown = browser.value("element('cell-images').children.length")
        assert shown == min(int(count), browser.value("run.images.mostPerCell"))
    shown = browser.value("element('wrong').children.length")
    assert shown == min(60, browser.value("run.confusion.wrong.length"))
    assert browser.complaints() == []


def test_a_page_of_mnist_is_small_and_soon_interactive(browser, shared_data, tmp_path):
    """1,000 training images, all test images, and as many epochs as there are on a slider."""
    options = "--data-dir", str(shared_data), "--out", "run"
    done = cli_runs.isingprop("train", *MNIST, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = list(snapshot_paths(tmp_path / "run").values())
    for epoch in range(4, 16):
        shutil.copy(files[epoch % 4], snapshot_path(tmp_path / "run", epoch))
    assert cli_runs.isingprop("report", "run", cwd=tmp_path).returncode == 0

    page = tmp_path / "run" / "report.html"
    assert page.stat().st_size < MAX_BYTES
    # The CPU time of the page's thread is the time on an idle machine, and this one may be busy. A
    # browser that has shown no report yet takes 1 s more, to compile plotly.js.
    seconds = []
    for _ in range(3):
        browser.open(page, 1600)
        seconds.append(browser.busy_seconds())
    assert min(seconds) < MAX_SECONDS
    assert browser.value("land.epochs.length") == 16
    assert browser.complaints() == []
