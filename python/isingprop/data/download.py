"""Download of the published MNIST and Fashion-MNIST files, once, into the user's cache."""

from __future__ import annotations

import fcntl
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from isingprop.util.messages import reason_of

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
MD5_SUMS = {  # of the gzipped files, in the order of FILES
    "mnist": (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
}
TIMEOUT_S = 30  # max wait for the connection, and then for each next byte
CHUNK_BYTES = 2**16  # max amount that is downloaded again after a lost connection


def download(name: str, files: tuple[str, ...] = FILES) -> list[Path]:
    """Returns the paths of some of the FILES of a data set, gzipped, in the user's cache.

    Files that are missing or have another MD5 sum are downloaded.

    Args:
        name: "mnist" or "fashion-mnist".
        files: those of FILES that are needed.

    Raises:
        ConnectionError: where the network failed; the next call resumes the download.
        OSError: for other failures: no such page, a wrong sum, a cache that cannot be written.
    """
    sums = dict(zip(FILES, MD5_SUMS[name], strict=True))
    return [_cached(name, f"{file}.gz", sums[file]) for file in files]


def _cached(name: str, file: str, md5: str) -> Path:
    """Returns the path of one file in the cache, which is downloaded unless its sum is right."""
    import pooch
    import requests

    folder = Path(pooch.os_cache("isingprop")) / name
    path, url = folder / file, URLS[name] + file
    if path.exists() and pooch.file_hash(str(path), alg="md5") == md5:
        return path  # nothing has been written, so a read-only cache works

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The lock keeps two processes from writing the same .part file.
        with (folder / ".lock").open("a") as lock:
            with suppress(OSError):  # some network file systems have no locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            pooch.retrieve(url, f"md5:{md5}", file, folder, downloader=_resume)
    except (OSError, ValueError) as error:
        lost = isinstance(error, (ConnectionError, requests.RequestException))
        kind = ConnectionError if lost and not isinstance(error, requests.HTTPError) else OSError
        advice = (
            "call again to go on, or get it by hand and name its folder "
            "with data_dir or ISINGPROP_DATA"
        )
        raise kind(f"cannot download {url}: {reason_of(error)}; {advice}") from error
    return path


def _resume(url: str, output_file: str, pooch: object) -> None:
    """Completes the file FILE.part beside `output_file` and renames it: a downloader for pooch.

    A lost connection leaves the .part file for the next call. A complete one is renamed before
    pooch checks its sum, and pooch deletes a file of the wrong sum, so a corrupt .part cannot stay.
    """
    import requests

    part = Path(output_file).with_name(url.rpartition("/")[2] + ".part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})

    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        # A range that cannot be satisfied means that the .part file is already complete.
        if response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            response.raise_for_status()
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            with part.open("ab" if resumed else "wb") as file:
                got = sum(file.write(chunk) for chunk in response.iter_content(CHUNK_BYTES))

            promised = int(response.headers.get("Content-Length", got))
            if got < promised:  # urllib3 1 does not raise
                raise ConnectionError(f"lost the connection after {got} of {promised} bytes")

    part.replace(output_file)
