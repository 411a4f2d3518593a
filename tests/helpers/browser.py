"""A headless Chromium, controlled by its DevTools protocol: it shows a page and points at it.

    with Browser.started(folder) as browser:
        browser.open(page, width=800)
        browser.value("document.title")

References:
    https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from helpers.tolerances import PROCESS_SECONDS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_HEIGHT = 900
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


class Browser:
    """One tab of it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []  # all that it told of, in order
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Performance.enable", timeDomain="threadTicks")

    @classmethod
    @contextlib.contextmanager
    def started(cls, folder: Path) -> Iterator[Self]:
        """Starts a browser with its files in a folder, and ends it."""
        import websocket

        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log"
        command = [CHROMIUM, *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        with log.open("w") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env={**os.environ, "HOME": str(folder)}
            )
        try:
            # Its second line is the path of the browser itself.
            port = _content(folder / "profile" / "DevToolsActivePort", log).split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
                pages = [each for each in json.load(answer) if each["type"] == "page"]
            address = pages[0]["webSocketDebuggerUrl"]
            socket = websocket.create_connection(
                address, timeout=PROCESS_SECONDS, suppress_origin=True
            )
            with contextlib.closing(socket):
                yield cls(socket)
        finally:
            process.terminate()
            process.wait(PROCESS_SECONDS)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol and returns its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, page: Path, width: int, height: int = _HEIGHT) -> None:
        """Shows a file in a window of this size, and waits until it says it can be used."""
        self.resize(width, height)
        self.events.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        self.wait_for("document.documentElement?.dataset.interactive")

    def resize(self, width: int, height: int = _HEIGHT) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def value(self, expression: str) -> Any:
        """Returns what JavaScript evaluates to, after a promise of it is kept."""
        answer = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Waits until JavaScript evaluates to something true, and returns it."""
        deadline = time.monotonic() + PROCESS_SECONDS
        while not (value := self.value(expression)):
            assert time.monotonic() < deadline, f"{expression} did not come true"
            time.sleep(0.02)
        return value

    def point_at(self, x: float, y: float) -> None:
        """Moves the mouse to a place in the window, in pixels."""
        for step in (3, 0):
            self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x - step, y=y - step)

    def press(self, key: str) -> None:
        """Presses and releases a key by the name that the DOM has for it."""
        code = {"ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    def picture(self, path: Path) -> None:
        """Writes a PNG file of the whole page."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "scale": 1, "width": size["width"], "height": size["height"]}
        answer = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def busy_seconds(self) -> float:
        """Returns the CPU time of the page's own thread since `open`: what its user waits for on an
        idle machine.
        """
        metrics = self.ask("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    def complaints(self) -> list[str]:
        """Returns errors and warnings that the page, or what it loads, has raised since `open`."""
        found = []
        for event in self.events:
            details = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(details))
            elif event["method"] == "Log.entryAdded":
                found.append(details["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and details["type"] != "log":
                found.append(json.dumps(details["args"]))
        return found

    def requests(self) -> list[str]:
        """Returns the addresses that the page has asked for since `open`, but for data: ones."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        urls = [event["params"]["request"]["url"] for event in sent]
        return [url for url in urls if not url.startswith("data:")]


def _content(path: Path, log: Path) -> str:
    """Waits for a file of the browser that has started."""
    deadline = time.monotonic() + PROCESS_SECONDS
    while not path.is_file() or "\n" not in (text := path.read_text()):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return text
