"""The converters of scripts/get-data: upstream's layouts to the files that lookback reads.

What needs ../shared/data (or the directory that LOOKBACK_DATA names) is skipped without it.
"""

import errno
import json
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from data_samples import ARC_HERE, ARC_LINE, ARC_UPSTREAM, BOOK, SHARED, sha256, tar_xz
import data_convert
from data_convert import DataError


class Converters(unittest.TestCase):
    def test_arc_becomes_the_prompt_of_the_harness_with_the_place_of_the_answer(self):
        self.assertEqual(data_convert.convert_arc(ARC_UPSTREAM, "arc"), ARC_HERE)

    def test_arc_refuses_an_answer_that_is_no_label(self):
        line = json.dumps({**ARC_LINE, "answerKey": "C"}).encode()
        with self.assertRaisesRegex(DataError, r"arc:2: answerKey 'C' is none of \['1', '2'\]"):
            data_convert.convert_arc(b"\n" + line, "arc")

    def test_lambada_is_split_at_its_last_space(self):
        data = b'{"text": "She said,\\n\\"no,  not \\u2013 Bob"}\n'
        expected = '{"context": "She said,\\n\\"no,  not –", "continuation": "Bob"}\n'
        self.assertEqual(data_convert.convert_lambada(data, "lambada"), expected.encode())

    def test_lambada_refuses_a_text_of_one_word_and_what_is_not_json(self):
        with self.assertRaisesRegex(DataError, "x:1: no text of two words"):
            data_convert.convert_lambada(b'{"text": "alone"}', "x")
        with self.assertRaisesRegex(DataError, "x:1: not JSON"):
            data_convert.convert_lambada(b'{"text": "torn of', "x")

    @unittest.skipUnless(SHARED.is_dir(), f"{SHARED} is not there")
    def test_openais_lambada_becomes_the_file_of_the_shared_data(self):
        here = (SHARED / "evals/lambada_openai.jsonl").read_bytes()
        rows = [json.loads(line) for line in here.splitlines()]
        texts = [{"text": f"{row['context']} {row['continuation']}"} for row in rows]
        upstream = "".join(json.dumps(text) + "\n" for text in texts).encode()
        published = "4aa8d02cd17c719165fc8a7887fddd641f43fcafa4b1c806ca8abc31fabdb226"
        self.assertEqual(sha256(upstream), published)
        self.assertEqual(data_convert.convert_lambada(upstream, "lambada"), here)

    def test_openwebtext_becomes_a_file_a_subset_with_two_blank_lines_between_documents(self):
        subset = tar_xz({"0001-a.txt": b"one\n\n\r\n\r\n\ntwo\n", "0002-b.txt": b"\n", "3.txt": b"three"})
        archive = tar_xz(
            {"openwebtext/urlsf_subset00-1_data.xz": subset, "openwebtext/x.xz.lock": b""}
        )
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "openwebtext.tar.xz")
            path.write_bytes(archive)
            self.assertEqual(data_convert.convert_openwebtext(path, path.parent), 1)
            text = path.with_name("urlsf_subset00-1_data.txt").read_bytes()
            self.assertEqual(text, b"one\n\ntwo\n\n\nthree")
            for torn in (archive[: len(archive) // 2], archive[:100], b"", subset):
                path.write_bytes(torn)
                with self.assertRaises(DataError), tempfile.TemporaryDirectory() as folder:
                    data_convert.convert_openwebtext(path, pathlib.Path(folder))

    def test_a_full_disk_is_no_fault_of_the_archive(self):
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "openwebtext.tar.xz")
            path.write_bytes(tar_xz({"openwebtext/a.xz": tar_xz({"1.txt": b"one"})}))
            with (
                unittest.mock.patch.object(data_convert, "write_documents", side_effect=full),
                self.assertRaisesRegex(OSError, "No space left on device"),
            ):
                data_convert.convert_openwebtext(path, path.parent)

    def test_a_book_needs_its_title_number_and_both_ends(self):
        entry = {"to": "b.txt", "ebook": 2600, "title": "War and Peace", "bytes": [100, 900]}
        torn = BOOK[: BOOK.index(b"*** END")]
        wrong = {
            "the line that ends the book": torn,
            "number .eBook #2600": BOOK.replace(b"#2600", b"#2601"),
            'line "Title: War and Peace"': BOOK.replace(b"Title: War", b"Title: Moby"),
            "900 are expected": BOOK * 4,
            "not UTF-8": BOOK.replace(b"Well", b"\xff"),
        }
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "b.txt")
            path.write_bytes(BOOK)
            data_convert.check_ebook(path, entry)
            for message, data in wrong.items():
                path.write_bytes(data)
                with self.assertRaisesRegex(DataError, message):
                    data_convert.check_ebook(path, entry)


if __name__ == "__main__":
    unittest.main()
