"""Where a training set comes from, and where time enters: which relations say when a fact became known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from snowml.errors import ProjectError
from snowml.spec.fields import folded

_DATASETS = ("model", "seed", "snapshot", "source")


@dataclass(frozen=True, slots=True)
class History:
    """A relation of facts that says, row by row, when each became known.

    Attributes:
        known_at: The column that says when a fact was true and told.
        arrived_at: The column that says when its row reached the warehouse, where there is one.
    """

    known_at: str
    arrived_at: str | None = None


@dataclass(frozen=True)
class Lineage:
    """Everything upstream of a training set.

    A node is *dated* by `config.event_time` (or `config.meta.snowml.known_at`), unless that is the column of the
    moment of prediction; it is *static* where `config.meta.snowml.static` is true. Of a dated node the facts can be
    cut off at a moment; a static one says that its rows are known all along. Where a node that is declared static has
    dated ones above it, it is not believed.

    Attributes:
        manifest: dbt's manifest.
        training_set: The training set's unique id.
        as_of: The column with the moment of prediction.
    """

    manifest: Mapping[str, Any]
    training_set: str
    as_of: str

    def node(self, uid: str) -> Mapping[str, Any]:
        """A node of the manifest."""
        nodes: Mapping[str, Any] = self.manifest["sources" if uid.startswith("source.") else "nodes"]
        found: Mapping[str, Any] = nodes[uid]
        return found

    def name(self, uid: str) -> str:
        """What people call a node: a model by its name, a source by `source.table`."""
        node = self.node(uid)
        return f"{node['source_name']}.{node['name']}" if uid.startswith("source.") else str(node["name"])

    def parents(self, uid: str) -> tuple[str, ...]:
        """The datasets that a node reads."""
        nodes = self.node(uid).get("depends_on", {}).get("nodes", [])
        return tuple(one for one in nodes if one.split(".")[0] in _DATASETS)

    def settings(self, uid: str) -> Mapping[str, Any]:
        """The node's `config.meta.snowml`; for a source that of its table."""
        node = self.node(uid)
        for meta in (node.get("config", {}).get("meta"), node.get("meta"), node.get("source_meta")):
            if isinstance(meta, Mapping) and isinstance(meta.get("snowml"), Mapping):
                found: Mapping[str, Any] = meta["snowml"]
                return found
        return {}

    def history(self, uid: str) -> History | None:
        """How the node is dated; None where it is not."""
        settings = self.settings(uid)
        event_time = self.node(uid).get("config", {}).get("event_time")
        asked_at = folded(str(settings.get("as_of") or self.as_of))
        is_question = event_time is not None and folded(str(event_time)) == asked_at
        if is_question and folded(str(settings.get("known_at", ""))) != asked_at:
            return None
        known_at = settings.get("known_at") or event_time
        if not known_at:
            return None
        arrived_at = settings.get("arrived_at")
        return History(folded(str(known_at)), folded(str(arrived_at)) if arrived_at else None)

    def newest_fact(self, uid: str) -> str | None:
        """The column in which a feature table says when the newest fact that a row used became known."""
        node, settings = self.node(uid), self.settings(uid)
        event_time = node.get("config", {}).get("event_time")
        known_at = settings.get("known_at")
        asked = event_time is not None and folded(str(event_time)) == self.as_of
        return folded(str(known_at)) if asked and known_at and folded(str(known_at)) != self.as_of else None

    def is_static(self, uid: str) -> bool:
        """Whether the node says that its rows are known all along, and reads nothing that is dated."""
        return self.settings(uid).get("static") is True and not self._reads_history(uid)

    def is_root(self, uid: str) -> bool:
        """Whether facts can be cut off here, and nowhere above."""
        return self.history(uid) is not None and not self._reads_history(uid)

    @cached_property
    def upstream(self) -> tuple[str, ...]:
        """The training set and everything above it, parents first."""
        return tuple(self._postorder(self.training_set, set()))

    @cached_property
    def derived(self) -> tuple[str, ...]:
        """What is computed below the dated and static nodes, parents first: what a cut rebuilds."""
        return tuple(
            uid for uid in self._postorder(self.training_set, set(), stop=True) if not self._stops(uid)
        )

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The dated nodes at which facts are cut off."""
        return tuple(uid for uid in self._postorder(self.training_set, set(), stop=True) if self.is_root(uid))

    @cached_property
    def undated(self) -> tuple[tuple[str, ...], ...]:
        """The paths from the training set up to data that neither a date nor `static: true` stands on, by name."""
        return tuple(self._undated((self.training_set,), set()))

    def only_for_training(self, scoring_set: str) -> tuple[str, ...]:
        """The derived nodes that the scoring set does not read: where labels are joined."""
        served = set(self._postorder(scoring_set, set()))
        return tuple(uid for uid in self.derived if uid not in served)

    def _stops(self, uid: str) -> bool:
        return self.is_root(uid) or self.is_static(uid) or uid.split(".")[0] != "model"

    def _postorder(self, uid: str, seen: set[str], *, stop: bool = False) -> Iterator[str]:
        if uid in seen:
            return
        seen.add(uid)
        if not (stop and self._stops(uid)):
            for parent in self.parents(uid):
                yield from self._postorder(parent, seen, stop=stop)
        yield uid

    def _reads_history(self, uid: str) -> bool:
        return uid in self._below_history

    @cached_property
    def _below_history(self) -> frozenset[str]:
        """The nodes that read a dated one, at whatever distance."""
        below: set[str] = set()
        for uid in self.upstream:
            if any(parent in below or self.history(parent) for parent in self.parents(uid)):
                below.add(uid)
        return frozenset(below)

    def _undated(self, path: tuple[str, ...], seen: set[str]) -> Iterator[tuple[str, ...]]:
        *_, uid = path
        if uid in seen or self.is_root(uid) or self.is_static(uid):
            return
        seen.add(uid)
        parents = self.parents(uid) if uid.startswith("model.") else ()
        if not parents:
            yield tuple(self.name(one) for one in path)
        for parent in parents:
            yield from self._undated((*path, parent), seen)


def dataset(manifest: Mapping[str, Any], exposure: str, name: str) -> str:
    """The unique id of the dataset that an exposure calls by `name`.

    Raises:
        ProjectError: It is no dbt model.
    """
    for one in manifest["exposures"].values():
        if one["name"] == exposure:
            for uid in one["depends_on"]["nodes"]:
                node = manifest["nodes"].get(uid) or manifest["sources"].get(uid)
                if node is not None and (node["name"] == name or uid.endswith("." + name)):
                    if not uid.startswith("model."):
                        raise ProjectError(
                            f"{name} is a {uid.split('.')[0]}, not a dbt model: how it was made cannot be audited. "
                            "Make it a model."
                        )
                    return str(uid)
    raise ProjectError(f"The exposure {exposure} does not depend on '{name}'. Add it to depends_on.")
