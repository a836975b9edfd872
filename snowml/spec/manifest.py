"""What dbt's manifest knows about the nodes behind an exposure."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from snowml.errors import SpecError, did_you_mean
from snowml.names import Relation
from snowml.spec.fields import folded
from snowml.spec.location import Locator
from snowml.spec.problems import Problem, spec_error

_GROWING = ("incremental", "snapshot")
_DATASETS = ("model", "seed", "snapshot", "source")


def relation(
    manifest: Mapping[str, Any],
    exposure: Mapping[str, Any],
    key: str,
    ref: str,
    database: str,
    locator: Locator,
) -> Relation:
    """The relation that the setting `key` means by `ref`, which must be among what the exposure depends on.

    Raises:
        SpecError: There is no such node, the exposure does not depend on it, or it is not a table or view.
    """
    every = {uid: node for uid, node in _nodes(manifest) if uid.split(".")[0] in _DATASETS}
    upstream = exposure.get("depends_on", {}).get("nodes", [])
    found = [uid for uid in every if uid in upstream and _is_called(uid, every[uid], ref)]
    if len(found) == 1:
        node = every[found[0]]
        if node.get("config", {}).get("materialized") != "ephemeral":
            return _relation(node, database)
        complaint = (
            f"'{ref}' is ephemeral, so the warehouse has no such table. Materialize it as a table or view."
        )
    elif found:
        complaint = f"'{ref}' could be {' or '.join(sorted(found))}. Write it as '<package>.{ref}'."
    else:
        complaint = _absence(every, ref)
    raise _wrong(key, complaint, locator)


def appended(
    manifest: Mapping[str, Any],
    exposure: Mapping[str, Any],
    key: str,
    ref: str,
    database: str,
    locator: Locator,
) -> Relation:
    """The relation that `ref` means, if rows are added to it: one that each build makes anew has no new ones.

    Raises:
        SpecError: As `relation`; or dbt makes it anew.
    """
    found = relation(manifest, exposure, key, ref, database, locator)
    for uid, node in _nodes(manifest):
        if uid in exposure.get("depends_on", {}).get("nodes", []) and _is_called(uid, node, ref):
            kind = node.get("config", {}).get("materialized")
            if kind not in _GROWING and not uid.startswith("source."):
                complaint = (
                    f"'{ref}' is a {kind}, which dbt makes anew with each build. Name a table that rows are added to: "
                    "a source, an incremental model or a snapshot."
                )
                raise _wrong(key, complaint, locator)
    return found


def _wrong(key: str, complaint: str, locator: Locator) -> SpecError:
    return spec_error([Problem(f"{key}: {complaint}", tuple(key.split(".")))], locator)


def manifest_hash(manifest: Mapping[str, Any], exposure: Mapping[str, Any]) -> str:
    """The sha256 of the code upstream of the exposure: each node's file checksum and each macro's text.

    Sources count by name. Neither the schemas nor the order, time or place of the parse change it; nor do
    settings in `dbt_project.yml` or a property file, which the files' checksums leave out.
    """
    known = {**dict(_nodes(manifest)), **manifest.get("macros", {})}
    waiting, seen = list(_parents(exposure)), set[str]()
    while waiting:
        uid = waiting.pop()
        if uid not in seen and uid in known:
            seen.add(uid)
            waiting.extend(_parents(known[uid]))
    lines = (f"{uid} {_checksum(known[uid])}\n" for uid in sorted(seen))
    return sha256("".join(lines).encode()).hexdigest()


def _nodes(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from manifest.get("nodes", {}).items()
    yield from manifest.get("sources", {}).items()


def _parents(node: Mapping[str, Any]) -> list[str]:
    depends_on = node.get("depends_on", {})
    return [*depends_on.get("nodes", []), *depends_on.get("macros", [])]


def _checksum(node: Mapping[str, Any]) -> str:
    if "macro_sql" in node:
        return sha256(node["macro_sql"].encode()).hexdigest()
    return str(node.get("checksum", {}).get("checksum", ""))


def _is_called(uid: str, node: Mapping[str, Any], ref: str) -> bool:
    """Whether `ref` means the node: by its name, or by `package.name`, `source.table` or `name.v2`."""
    return node.get("name") == ref or uid.endswith("." + ref)


def _absence(every: Mapping[str, Mapping[str, Any]], ref: str) -> str:
    for uid, node in every.items():
        if _is_called(uid, node, ref):
            call = (
                f"source('{node.get('source_name')}', '{ref}')"
                if uid.startswith("source.")
                else f"ref('{ref}')"
            )
            return f"'{ref}' is not in depends_on. Add {call} to depends_on."
    names = [str(node.get("name")) for node in every.values()]
    return f"no model, seed, snapshot or source is called '{ref}'.{did_you_mean(ref, names)}"


def _relation(node: Mapping[str, Any], database: str) -> Relation:
    emitted = str(node.get("relation_name") or "")

    def part(name: str) -> str:
        # What dbt emits without quotes, a warehouse folds; what it quotes is meant to the letter.
        return name if f'"{name}"' in emitted else folded(name)

    own = str(node.get("database") or database)
    name = node.get("identifier") or node.get("alias") or node["name"]
    return Relation(part(node["schema"]), part(name), None if folded(own) == folded(database) else part(own))
