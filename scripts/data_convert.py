"""Upstream's files to the formats that lookback reads; docs/data.md says which.

Each converter takes the file as upstream publishes it and gives bytes, or raises DataError with one
clear line. Nothing here reaches for a network.
"""

import io
import json
import lzma
import re
import shutil
import tarfile
import zipfile
import zlib


class DataError(Exception):
    """One clear line: which file, what was found, what is allowed."""


def raise_disk_error(error):
    """Passes on what the system says (a full disk): it is not the archive's fault.

    gzip and bz2 name torn archives by OSErrors too, without a number.
    """
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def member_of(archive, member):
    """The bytes of one file of a zip or a tar."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as files:
                return files.read(member)
        with tarfile.open(archive) as files:
            found = files.extractfile(member)
            if found is None:
                raise KeyError(member)
            return found.read()
    except KeyError:
        raise DataError(f"{archive.name}: has no file {member}") from None
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
        raise_disk_error(error)
        raise DataError(f"{archive.name}: not an archive, or torn: {error}") from None


def json_lines(data, name):
    """Yields (line number, object) of a file of JSON lines; empty lines are left out."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{name}:{number}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DataError(f"{name}:{number}: not a JSON object")
        yield number, row


def convert_arc(data, name):
    """{id, question: {stem, choices: [{text, label}]}, answerKey} -> {id, query, choices, gold}.

    The prompt is lm-evaluation-harness's (tasks/arc), gold the place of the answer's label.
    """
    lines = []
    for number, row in json_lines(data, name):
        try:
            stem = row["question"]["stem"]
            choices = row["question"]["choices"]
            labels = [choice["label"] for choice in choices]
            item = {
                "id": row["id"],
                "query": f"Question: {stem}\nAnswer:",
                "choices": [choice["text"] for choice in choices],
                "gold": labels.index(row["answerKey"]),
            }
        except (KeyError, TypeError) as error:
            raise DataError(f"{name}:{number}: not an item of ARC: no {error}") from None
        except ValueError:
            raise DataError(
                f"{name}:{number}: answerKey {row['answerKey']!r} is none of {labels}"
            ) from None
        lines.append(json.dumps(item, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def convert_lambada(data, name):
    """{text} -> {context, continuation}: the text up to its last space, and its last word."""
    lines = []
    for number, row in json_lines(data, name):
        text = row.get("text")
        if not isinstance(text, str) or " " not in text:
            raise DataError(f"{name}:{number}: no text of two words or more")
        context, word = text.rsplit(" ", 1)
        item = {"context": context, "continuation": word}
        lines.append(json.dumps(item, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


CONVERTERS = {"arc": convert_arc, "lambada": convert_lambada}


def convert_openwebtext(archive, folder):
    """The archive's subsets, each a tar.xz of documents -> folder/SUBSET.txt; the file count.

    Documents are stripped and hold one blank line at most in a row (so huggingface/datasets reads
    them, datasets/openwebtext/openwebtext.py); two blank lines stand between them. Subsets come in
    the archive's order, one document in memory at a time.
    """
    count = 0
    try:
        with tarfile.open(archive, "r|xz") as subsets:
            for subset in subsets:
                name = re.fullmatch(r"(?:.*/)?([\w.-]+)\.xz", subset.name)
                if not subset.isfile() or name is None:
                    continue  # its folder, and .xz.lock files
                target = folder / (name.group(1).removesuffix(".tar") + ".txt")
                with open(target, "xb") as out:
                    write_documents(subsets.extractfile(subset), out)
                count += 1
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise_disk_error(error)
        raise DataError(f"{archive.name}: not an archive of OpenWebText: {error}") from None
    if count == 0:
        raise DataError(f"{archive.name}: holds no subsets (files that end in .xz)")
    return count


def write_documents(subset, out):
    """The texts of one subset, with two blank lines between."""
    separator = b""
    with tarfile.open(fileobj=subset, mode="r|xz") as documents:
        for document in documents:
            if not document.isfile() or not document.name.endswith("txt"):
                continue
            text = documents.extractfile(document).read()
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # as Python reads text
            text = re.sub(rb"\n\n\n+", b"\n\n", text).strip()
            if text:
                out.write(separator)
                shutil.copyfileobj(io.BytesIO(text), out)
                separator = b"\n\n\n"


def check_ebook(path, entry):
    """Whether `path` is Project Gutenberg's book of that number, and whole."""
    name, number, title = entry["to"], entry["ebook"], entry["title"]
    least, most = entry["bytes"]
    size = path.stat().st_size
    if not least <= size <= most:
        raise DataError(f"{name}: {size} bytes, where {least} to {most} are expected")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: not UTF-8: {error}") from None
    needed = {
        f'the line "Title: {title}"': rf"(?m)^Title: {re.escape(title)}",
        f"the number [eBook #{number}]": rf"(?i)\[e-?(?:book|text) #{number}\]",
        "the line that starts the book": r"(?i)\*\*\* ?START OF TH[EIS]+ PROJECT GUTENBERG EBOOK",
        "the line that ends the book (it is torn)": r"(?i)END OF TH[EIS]+ PROJECT GUTENBERG EBOOK",
    }
    for what, pattern in needed.items():
        if not re.search(pattern, text):
            raise DataError(f"{name}: lacks {what}")
