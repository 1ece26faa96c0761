"""Downloads that can go on where they were stopped, and files that are whole or not there."""

import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from data_convert import DataError

CHUNK = 1 << 20
TIMEOUT = 60  # seconds without a byte
MOST_UNSUMMED = 64 << 20  # bytes of a file whose size upstream does not promise


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def aside(target):
    """A path beside `target` to write to; it takes target's place at the end, or vanishes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name}.{os.getpid()}.aside")
    try:
        yield path
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        os.replace(path, target)
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_whole(target, data):
    with aside(target) as path:
        path.write_bytes(data)


def check_scheme(url):
    """https alone; http of this machine itself is for tests."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1"):
        return
    raise DataError(f"{url}: not https")


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        check_scheme(url)
        return super().redirect_request(request, file, code, message, headers, url)


OPENER = urllib.request.build_opener(SafeRedirects)


def reason(error):
    """What went wrong with a request, in one line."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", error)) or type(error).__name__


def progress(name, done, size, last):
    """A line now and then on a terminal or in a log; returns when it was written."""
    now = time.monotonic()
    if now - last < 5:
        return last
    total = f" of {size / 1e6:.0f}" if size else ""
    print(f"get-data: {name}: {done / 1e6:.0f}{total} MB", file=sys.stderr, flush=True)
    return now


def transfer(url, part, source):
    """Appends what is missing of `url` to `part`; a server that knows no ranges begins anew."""
    check_scheme(url)
    begin = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "lookback get-data"})
    if begin:
        request.add_header("Range", f"bytes={begin}-")
    with OPENER.open(request, timeout=TIMEOUT) as response:
        if response.status != 206 or not response.headers.get(
            "Content-Range", ""
        ).startswith(f"bytes {begin}-"):
            begin = 0
        length = response.headers.get("Content-Length")
        size = source.get("bytes") or (begin + int(length) if length else None)
        most = source.get("bytes", MOST_UNSUMMED)
        done, last = begin, time.monotonic()
        with open(part, "ab" if begin else "wb") as out:
            while chunk := response.read(CHUNK):
                done += len(chunk)
                if done > most:
                    raise DataError(f"longer than the {most} bytes expected")
                out.write(chunk)
                last = progress(source["file"], done, size, last)
    if size is not None and done < size:
        raise ConnectionError(f"the connection ended after {done} of {size} bytes")


def download(source, folder):
    """The path of a download, verified where a checksum is known, in `folder`.

    A stopped download leaves FILE.part, from which the next one goes on; where no checksum would
    notice a mixture of two versions it begins anew. A file of a wrong checksum is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (source["file"] + ".part")
    expected = source.get("sha256")
    if "npm" in source:
        return npm_package(source, part)
    failures = []
    for url in source["urls"]:
        if expected is None or (part.exists() and part.stat().st_size > source.get("bytes", 0)):
            part.unlink(missing_ok=True)
        try:
            whole = part.exists() and part.stat().st_size == source.get("bytes")
            if not whole:
                transfer(url, part, source)
            if expected is not None:
                check_sum(part, expected)
            return part
        except DataError as error:
            part.unlink(missing_ok=True)
            failures.append(f"{url}: {error}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{url}: {reason(error)}")
    kept = "; the same command goes on from there" if part.exists() else ""
    raise DataError("; ".join(failures) + kept)


def check_sum(path, expected):
    found = sha256_of(path)
    if found != expected:
        raise DataError(f"sha256 {found}, expected {expected}")


def npm_package(source, part):
    """A package of the npm registry as npm itself gets it; no script of it is run."""
    with tempfile.TemporaryDirectory() as scratch:
        command = ["npm", "pack", source["npm"], "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=600)
        except FileNotFoundError:
            raise DataError(f"{source['npm']}: npm is not installed (scripts/setup)") from None
        except subprocess.TimeoutExpired:
            raise DataError(f"{source['npm']}: npm gave nothing within ten minutes") from None
        found = Path(scratch) / source["file"]
        if done.returncode != 0 or not found.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[0]
            raise DataError(f"{source['npm']}: npm pack failed: {last}")
        try:
            check_sum(found, source["sha256"])
        except DataError as error:
            raise DataError(f"{source['npm']}: {error}") from None
        shutil.copyfile(found, part)
    return part
