"""Files of a code repository, with their language and licence."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from attrs import define
from attrs.validators import ge, min_len

import mlm
from mlm_plugins.detectors import code, licenses
from mlm_plugins.sources.ids import RowIds
from mlm_plugins.sources.lines import Fault
from mlm_plugins.sources.reading import sized
from mlm_plugins.sources.repositories import Entry, Reader, Repository, git

COLUMNS = ("text", "path", "language", "license", "repository", "commit")


@define(kw_only=True)
class Git:
    """Reads a repository's files at a revision, one row a file, by the `git` command.

    Left out, each with its reason: binary, vendored, generated, minified and large files, links, empty files, and
    where they are named, other languages and licences. A file's licence is that of its SPDX header, or else of the
    nearest LICENSE file above it that is a well-known text.
    """

    url: str = mlm.setting(validator=min_len(1), help="a local clone, or a URL that git can clone")
    revision: str = mlm.setting("HEAD", help="branch, tag or commit")
    languages: list[str] = mlm.setting(factory=list, help="languages to keep, by Linguist's names; all where empty")
    licenses: list[str] = mlm.setting(factory=list, help="SPDX identifiers to keep; all where empty, unknown ones too")
    max_file_bytes: int = mlm.setting(1 << 20, validator=ge(1), unit="bytes", help="a larger file is left out")

    @mlm.hookimpl
    def mlm_version(self, context: mlm.Context) -> str:
        local = self._local(context)
        if local is not None:
            return Repository(local).commit(self.revision)
        found = git(None, "ls-remote", "--", self.url, self.revision).split()
        return found[0] if found else self.revision

    @mlm.hookimpl
    def mlm_read(self, context: mlm.Context) -> mlm.Dataset:
        import pyarrow as pa

        repository = Repository(self._local(context) or self._cloned(context))
        commit = repository.commit(self.revision)
        name, ids = PurePosixPath(self.url.rstrip("/").removesuffix(".git")).name or "repository", RowIds()
        # A path says nothing elsewhere, and a URL may hold a password.
        where = name if self._local(context) else re.sub(r"(?<=://)[^/@]*@", "", self.url)
        with repository.reader() as reader, context.writer() as writer:
            for chunk in sized(self._rows(repository, commit, reader)):
                removed = tuple(
                    mlm.Removal(row_id, f"{name}:{fault.head.decode()}", fault.reason, fault.detail)
                    for row_id, fault in zip(ids.of([fault.head for fault in chunk.faults]), chunk.faults, strict=True)
                )
                columns = {
                    "row_id": ids.of(chunk.raws),
                    "source": [f"{name}:{row['path']}" for row in chunk.values],
                    **{column: [row.get(column) for row in chunk.values] for column in COLUMNS},
                    "repository": [where] * len(chunk.values),
                    "commit": [commit] * len(chunk.values),
                }
                table = pa.table({column: pa.array(values, pa.string()) for column, values in columns.items()})
                writer.write(mlm.Batch(table, removed))
        return writer.dataset

    def _local(self, context: mlm.Context) -> Path | None:
        folder = context.project / self.url
        if not folder.is_dir():
            return None
        if git(folder, "rev-parse", "--show-prefix"):
            raise mlm.DataError(f"{folder} is a folder inside a repository, expected its top  [{context.step}]")
        return folder

    def _cloned(self, context: mlm.Context) -> Path:
        folder = context.work / "clone"
        shutil.rmtree(folder, ignore_errors=True)
        git(None, "clone", "--bare", "--quiet", "--", self.url, str(folder))
        return folder

    def _rows(
        self, repository: Repository, commit: str, reader: Reader
    ) -> Iterator[tuple[int, Mapping[str, str], bytes] | Fault]:
        entries = repository.entries
        known = {
            str(PurePosixPath(entry.path).parent): licenses.recognized(
                reader.read(entry.object).decode("utf-8", "replace")
            )
            for entry in entries(commit)
            if licenses.is_license_file(PurePosixPath(entry.path).name) and not entry.link and entry.size < 200_000
        }
        for number, entry in enumerate(entries(commit), start=1):
            path = entry.path.encode("utf-8", "replace")
            left_out = self._left_out(entry)
            if left_out:
                yield Fault(number, left_out[1], path, left_out[0])
                continue
            content = reader.read(entry.object)
            row = self._row(entry, content, known)
            if isinstance(row, tuple):
                yield Fault(number, row[1], path, row[0])
            else:
                yield number, row, path + b"\0" + content

    def _left_out(self, entry: Entry) -> tuple[str, str] | None:
        """Return (reason, detail) where a file is left out unread."""
        if entry.link:
            return "link", entry.link
        if code.is_vendored(entry.path):
            return "vendored", "it lies where other people's code is kept"
        if not entry.size:
            return "empty", ""
        if entry.size > self.max_file_bytes:
            return "too-large", f"{entry.size} bytes"
        return None

    def _row(self, entry: Entry, content: bytes, known: Mapping[str, str]) -> dict[str, str] | tuple[str, str]:
        if code.is_binary(content):
            return "binary", "it has a NUL byte"
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            return "binary", f"byte {error.start + 1} is not UTF-8"
        if code.is_generated(entry.path, text):
            return "generated", "a program wrote it"
        if code.is_minified(entry.path, text):
            return "minified", "its line breaks are gone"
        language = code.language_of(entry.path, text)
        if self.languages and language not in self.languages:
            return "language", language or "unknown"
        license = licenses.declared(text) or _nearest(entry.path, known)
        if self.licenses and license not in self.licenses:
            return "license", license or "unknown"
        return {"text": text, "path": entry.path, "language": language, "license": license}


def _nearest(path: str, known: Mapping[str, str]) -> str:
    """Return the licence of the nearest folder that has one."""
    return next((known[str(folder)] for folder in PurePosixPath(path).parents if str(folder) in known), "")
