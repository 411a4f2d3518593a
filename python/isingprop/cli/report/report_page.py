"""The page of a report: its HTML, styles, scripts and numbers in one text."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

_PAGE = files("isingprop.cli.report") / "page"


def page_of(payload: dict[str, Any]) -> str:
    """Returns the HTML file that shows a payload; it needs no other file and no network.

    Raises:
        ImportError: without plotly, which `pip install "isingprop[report]"` brings.
    """
    parts = {
        "styles": _part("styles.css"),
        "plotly": plotly_script(),
        "script": "".join(_part(f"{name}.js") for name in ("common", "graphs", "start")),
        "payload": json_in_html(payload),
    }
    # In one pass, since no part is searched for the names of others.
    return re.sub("@@(\\w+)@@", lambda name: parts[name[1]], _part("page.html"))


def plotly_script() -> str:
    """Returns the source of plotly.js.

    Raises:
        ImportError: without plotly.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise ImportError('a report needs plotly: pip install "isingprop[report]"') from None
    script: str = get_plotlyjs()
    return script


def json_in_html(content: Any) -> str:
    """Returns JSON that cannot end the element it is in, whatever its texts are."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _part(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
