"""Whether a version can tell what each feature contributes: its function's comment says so."""

from snowml.names import Relation
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.serving.functions import says
from snowml.workflows.specs import of_version


def explained(registry: Registry, version: Version) -> str:
    """The function that tells it, or why there is none."""
    name = f"explain_{version.model}_v{version.version}"
    comments = registry.engine.comments(Relation(of_version(registry, version).function_schema, name))
    if not comments:
        return "not yet: a version that passes its gates gets its functions when it is trained or promoted"
    return comments[0].removeprefix(says(version)).removeprefix(". ") or name
