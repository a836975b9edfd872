"""Stages: folders on this machine, which the connector reads and writes itself, as it does a local file system."""

import fnmatch
import hashlib
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader

if TYPE_CHECKING:
    from standin.session import Session

OPTIONS = ("DIRECTORY", "ENCRYPTION", "FILE_FORMAT", "COMMENT")


class Stages:
    """All stages of the account."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[Name, Path] = {}
        self._comments: dict[Name, str] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._folders if which(name)]:
            shutil.rmtree(self._folders.pop(name), ignore_errors=True)

    def create(self, session: "Session", reader: Reader, replace: bool, temporary: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        name = session.name(reader.path())
        comment = ""
        while reader.next:
            option = reader.identifier()
            if option not in OPTIONS:
                raise unknown(f"the option {option} of a stage")
            reader.expect("=")
            value = reader.inside() if reader.next and reader.next.text == "(" else reader.one().text
            comment = value if option == "COMMENT" else comment
        if name in self._folders and unless:
            return status(f"{name.name} already exists, statement succeeded.")
        if name in self._folders and not replace:
            raise exists(name)
        self.forget(lambda one: one == name)
        self._comments[name] = comment
        self._folders[name] = self.root / name.database / name.schema / name.name
        self._folders[name].mkdir(parents=True)
        if temporary:
            session.at_close.append(lambda: self.forget(lambda one: one == name))
        return status(f"Stage area {name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if name not in self._folders:
            if unless:
                return status("Drop statement executed successfully (already dropped).")
            raise missing("Stage", name)
        self.forget(lambda one: one == name)
        return status(f"{name.name} successfully dropped.")

    def show(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        reader.take("IN SCHEMA") or reader.take("IN")
        path = reader.path() if reader.next else []
        reader.end()
        place = session.name([*path, "X"])
        found = [
            n
            for n in self._folders
            if (n.database, n.schema) == (place.database, place.schema) and like(n.name, pattern)
        ]
        columns = dict.fromkeys(
            ["created_on", "name", "database_name", "schema_name", "url", "type", "comment"], "text"
        )
        rows = [[now(), n.name, n.database, n.schema, "", "INTERNAL", self._comments[n]] for n in found]
        return listing(Listing(columns, rows))

    def put(self, session: "Session", reader: Reader) -> Answer:
        """Tells the connector where to write; the connector does the rest."""
        source = reader.word_of_text().removeprefix("file://")
        target = self.path(session, reader.word_of_text())
        options = self._options(reader, {"PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE"})
        target.mkdir(parents=True, exist_ok=True)
        compression = options.get("SOURCE_COMPRESSION", "AUTO_DETECT").lower()
        data = {
            "command": "UPLOAD",
            "src_locations": [source],
            "parallel": 4,
            "encryptionMaterial": None,
            "autoCompress": options.get("AUTO_COMPRESS", "TRUE") == "TRUE",
            "sourceCompression": compression,
            "overwrite": options.get("OVERWRITE", "FALSE") == "TRUE",
            "stageInfo": _local(target),
        }
        return Answer(data)

    def get(self, session: "Session", reader: Reader) -> Answer:
        """Tells the connector what to read; its size is what comes to the client."""
        source = self.path(session, reader.word_of_text())
        local = reader.word_of_text().removeprefix("file://")
        pattern = self._options(reader, {"PARALLEL", "PATTERN"}).get("PATTERN")
        base, files = _files(source)
        files = [f for f in files if pattern is None or re.fullmatch(pattern, str(f.relative_to(base)))]
        data = {
            "command": "DOWNLOAD",
            "src_locations": [str(f.relative_to(base)) for f in files],
            "parallel": 4,
            "localLocation": local,
            "stageInfo": _local(base),
            "encryptionMaterial": [None] * len(files),
        }
        return Answer(data, bytes=sum(f.stat().st_size for f in files))

    def list(self, session: "Session", reader: Reader) -> Answer:
        location = reader.word_of_text()
        pattern = self._options(reader, {"PATTERN"}).get("PATTERN")
        folder, prefix = self._root_of(session, location)
        rows = []
        for file in _files(self.path(session, location))[1]:
            shown = f"{prefix}/{file.relative_to(folder)}"
            if pattern is None or re.fullmatch(pattern, shown):
                content = file.read_bytes()
                rows.append([shown, len(content), hashlib.md5(content).hexdigest(), now()])
        return listing(
            Listing({"name": "text", "size": "fixed", "md5": "text", "last_modified": "text"}, rows)
        )

    def remove(self, session: "Session", reader: Reader) -> Answer:
        location = reader.word_of_text()
        pattern = self._options(reader, {"PATTERN"}).get("PATTERN")
        name, _ = self._split(session, location)
        rows = []
        for file in _files(self.path(session, location))[1]:
            shown = f"{name.name.lower()}/{file.relative_to(self._folders[name])}"
            if pattern is None or re.fullmatch(pattern, shown):
                file.unlink()
                rows.append([shown, "removed"])
        return listing(Listing({"name": "text", "result": "text"}, rows))

    def path(self, session: "Session", location: str) -> Path:
        """The file or folder at `@stage/path`, or in a version of a model."""
        if location.startswith("snow://"):
            return session.account.models.path(session, location)[1]
        name, inside = self._split(session, location)
        folder = self._folders[name]
        path = folder / inside
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Failure(f"The path {location} leaves its stage.")
        return path

    def file(self, session: "Session", location: str) -> Path:
        path = self.path(session, location)
        if not path.is_file():
            raise Failure(
                f"SQL compilation error:\nThe file {location} is not on its stage.", 391527, "22000"
            )
        return path

    def _root_of(self, session: "Session", location: str) -> tuple[Path, str]:
        """The folder of a whole stage or version, and what LIST shows before the names in it."""
        if location.startswith("snow://"):
            folder, _ = session.account.models.path(session, location)
            return folder, f"versions/{folder.name}"
        name, _inside = self._split(session, location)
        return self._folders[name], name.name.lower()

    def _split(self, session: "Session", location: str) -> tuple[Name, str]:
        if not location.startswith("@") or location.startswith(("@~", "@%")):
            raise unknown(f"the stage location {location}: named stages only, as @name/path")
        reader = Reader(location[1:].partition("/")[0])
        name = session.name(reader.path())
        if name not in self._folders:
            raise missing("Stage", name)
        return name, location[1:].partition("/")[2]

    @staticmethod
    def _options(reader: Reader, known: set[str]) -> dict[str, str]:
        found = {}
        while reader.next:
            option = reader.identifier()
            if option not in known:
                raise unknown(f"the option {option} of PUT, GET, LIST or REMOVE")
            reader.expect("=")
            found[option] = reader.string() if option == "PATTERN" else reader.identifier()
        return found


def like(name: str, pattern: str) -> bool:
    """LIKE as SHOW has it: without regard to case; a backslash takes a wildcard for itself."""
    glob = ""
    for match in re.finditer(r"\\(.)|(.)", pattern, re.DOTALL):
        literal, plain = match.groups()
        glob += (
            {"%": "*", "_": "?"}.get(plain, plain)
            if plain and plain not in "*?["
            else f"[{literal or plain}]"
        )
    return fnmatch.fnmatchcase(name.upper(), glob.upper())


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())


def _local(folder: Path) -> dict[str, object]:
    return {"locationType": "LOCAL_FS", "location": f"{folder}/", "path": "", "region": "", "creds": {}}


def _files(path: Path) -> tuple[Path, list[Path]]:
    """The files at or below a path, or whose names begin with it; and the folder that they are relative to."""
    if path.is_file():
        return path.parent, [path]
    if path.is_dir():
        return path, sorted(f for f in path.rglob("*") if f.is_file())
    if not path.parent.is_dir():
        return path.parent, []
    found = [f for f in path.parent.rglob("*") if f.is_file() and str(f).startswith(str(path))]
    return path.parent, sorted(found)
