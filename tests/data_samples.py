"""What the tests of scripts/get-data share: small files as their publishers lay them out."""

import hashlib
import io
import json
import os
import pathlib
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("LOOKBACK_DATA", ROOT.parent / "shared" / "data"))
sys.path.insert(0, str(ROOT / "scripts"))
sys.dont_write_bytecode = True


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tar_xz(files):
    """A tar.xz of {name: bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


ARC_LINE = {
    "id": "Q_1",
    "question": {
        "stem": "What is wet?",
        "choices": [{"text": "fire", "label": "1"}, {"text": "eau – water", "label": "2"}],
    },
    "answerKey": "2",
}
ARC_UPSTREAM = json.dumps(ARC_LINE).encode() + b"\n"
ARC_HERE = (
    '{"id": "Q_1", "query": "Question: What is wet?\\nAnswer:", '
    '"choices": ["fire", "eau – water"], "gold": 1}\n'
).encode()
BOOK = (
    "\ufeffThe Project Gutenberg eBook of War and Peace\r\n\r\nTitle: War and Peace\r\n\r\n"
    "Release date: April 1, 2001 [eBook #2600]\r\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK WAR AND PEACE ***\r\nWell, Prince\r\n"
    "*** END OF THE PROJECT GUTENBERG EBOOK WAR AND PEACE ***\r\n"
).encode()
