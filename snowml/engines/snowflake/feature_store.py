"""Feature tables in Snowflake's own feature store: external feature views and their entities, by snowflake-ml's client.

A feature view is a view over a table that something else maintains (dbt); an entity is a tag that says by which columns
its rows are known. What is there is asked in SQL; the client, which takes seconds to import, only makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from snowml.engines.snowflake.ml import bare, stored, told
from snowml.names import Relation, quoted

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

ENTITY_TAG: Final = "SNOWML_FEATURE_STORE_ENTITY_"
# What the client needs to be in the schema of a feature store, besides a table for snapshots.
OWN_TAGS: Final = ("SNOWML_FEATURE_STORE_OBJECT", "SNOWML_FEATURE_VIEW_METADATA")


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One version of a feature view.

    Attributes:
        table: What it shows.
        entity: The name of its entity.
        keys: The columns by which a row is known, with `as_of`.
        as_of: The column with the moment that a row stands for.
        columns: All that it shows, those included.
        descriptions: What is said of a column, where anything is.
        comment: What is said of the whole.
    """

    name: str
    version: str
    table: Relation
    entity: str
    keys: tuple[str, ...]
    as_of: str
    columns: tuple[str, ...]
    descriptions: Mapping[str, str]
    comment: str

    @property
    def view(self) -> str:
        """What the view is called that the client makes of it, to the letter."""
        return f"{stored(self.name)}${self.version}"


class FeatureStore:
    """A schema as a feature store."""

    def __init__(self, engine: "SnowflakeEngine", home: Relation, warehouse: str) -> None:
        self._engine, self._home, self._warehouse = engine, home, warehouse

    def register_entity(self, name: str, keys: tuple[str, ...], comment: str) -> None:
        """Make an entity, which must not be there yet.

        Raises:
            TerminalError: The client refuses.
        """
        with told(self._engine, f"register the entity {name}", _NEEDS):
            from snowflake.ml.feature_store import Entity

            self._client().register_entity(
                Entity(bare(name), [bare(key) for key in keys], desc=_plain(comment))
            )

    def register_view(self, view: FeatureView, *, overwrite: bool) -> None:
        """Make a feature view, or replace the one of its name and version; its entity must be there.

        Raises:
            TerminalError: The client refuses.
        """
        with told(self._engine, f"register the feature view {view.view}", _NEEDS):
            from snowflake.ml.feature_store import Entity
            from snowflake.ml.feature_store import FeatureView as Draft

            frame = self._engine.session.table(view.table.within(self._engine.database).sql("snowflake"))
            draft = Draft(
                name=bare(view.name),
                entities=[Entity(bare(view.entity), [bare(key) for key in view.keys])],
                # Each column by its name: a view of all columns would not be one of those that a table gets later.
                feature_df=frame.select([quoted(column, "snowflake") for column in view.columns]),
                timestamp_col=bare(view.as_of),
                desc=_plain(view.comment),
            ).attach_feature_desc({bare(name): _plain(text) for name, text in view.descriptions.items()})
            self._client().register_feature_view(draft, view.version, overwrite=overwrite)

    def _client(self) -> Any:
        from snowflake.ml.feature_store import CreationMode
        from snowflake.ml.feature_store import FeatureStore as Client

        return Client(
            self._engine.session,
            database=quoted(self._home.database or self._engine.database, "snowflake"),
            name=quoted(self._home.schema, "snowflake"),
            default_warehouse=quoted(self._warehouse, "snowflake"),
            creation_mode=CreationMode.CREATE_IF_NOT_EXIST,
        )


_NEEDS: Final = "Feature tables are registered in Snowflake's feature store"


def _plain(text: str) -> str:
    """A description that the client can put between quotes: it escapes some of them, and no backslash at all."""
    return text.replace("\\", "/").replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
