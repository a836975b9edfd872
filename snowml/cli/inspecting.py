"""The commands that look and change nothing: runs, versions, show, compare."""

from typing import TYPE_CHECKING, Any

import click

from snowml.cli.certificate import in_short, show_parity
from snowml.cli.console import ConsoleProgress, emit_json, say, shown, table
from snowml.cli.loop import open_registry
from snowml.cli.options import json_option, load_project, model_argument, models_asked, project_options

if TYPE_CHECKING:
    from snowml.registry.store import Registry

_ROWS = ("train", "validation", "test", "embargoed")


@click.command()
@model_argument
@json_option
@project_options
def runs(model: str | None, every: bool, as_json: bool, **options: Any) -> None:
    """List the trainings of a model, newest first."""
    with open_registry(load_project(options), ConsoleProgress(quiet=as_json), read_only=True) as registry:
        names = models_asked(model, every, registry.models)
        documents: list[dict[str, Any]] = [{"model": name, "runs": _runs(registry, name)} for name in names]
    if as_json:
        emit_json(documents if every else documents[0])
        return
    for document in documents:
        rows = [
            [
                run["run_id"][:8],
                run["started_at"],
                run["as_of"],
                run["row_counts"]["train"],
                _figures(run["metrics"]),
            ]
            for run in document["runs"]
        ]
        say(str(document["model"]))
        table(["run", "started", "as of", "rows", "on test"], rows)


@click.command()
@model_argument
@json_option
@project_options
def versions(model: str | None, every: bool, as_json: bool, **options: Any) -> None:
    """List the versions of a model, newest first, with status, aliases and figures."""
    with open_registry(load_project(options), ConsoleProgress(quiet=as_json), read_only=True) as registry:
        names = models_asked(model, every, registry.models)
        documents: list[dict[str, Any]] = [
            {"model": name, "versions": _versions(registry, name)} for name in names
        ]
    if as_json:
        emit_json(documents if every else documents[0])
        return
    for document in documents:
        rows = [
            [
                item["version"],
                item["status"],
                ", ".join(item["aliases"]),
                item["flavor"],
                in_short(item["parity"]),
                _figures(item["metrics"]),
            ]
            for item in document["versions"]
        ]
        say(str(document["model"]))
        table(["version", "status", "alias", "flavor", "parity", "on test"], rows)


@click.command()
@click.argument("model")
@click.option("--version", type=int, help="Which version; the champion, else the newest, if not given.")
@json_option
@project_options
def show(model: str, version: int | None, as_json: bool, **options: Any) -> None:
    """Show everything about a version: how it was made, how good it is, what it reads, what happened to it."""
    with open_registry(load_project(options), ConsoleProgress(quiet=as_json), read_only=True) as registry:
        document = _document(registry, model, version)
        from snowml.workflows.explained import explained

        document["explained"] = explained(registry, registry.version(model, document["version"]))
        certificate = registry.parity(model).get(document["version"])
    if certificate is not None:
        document["parity"] = certificate.document()
    if as_json:
        emit_json(document)
        return
    say(f"{model} version {document['version']}: {document['status']} {', '.join(document['aliases'])}")
    run = document["run"]
    rows = {
        "trained as of": run["as_of"],
        "on": run["training_set"],
        "rows": ", ".join(
            f"{name} {run['row_counts'][name]:,}" for name in _ROWS if name in run["row_counts"]
        ),
        "parameters": ", ".join(f"{name}={value}" for name, value in _flat(run["params"]).items()),
        "git commit": run["git_commit"],
        "spec": run["spec_hash"][:12],
        "training set": run["fingerprint"][:12],
        "packages": ", ".join(f"{name} {number}" for name, number in run["packages"].items()),
        "flavor": document["flavor"],
        "parity": in_short(document["parity"]),
        "explained by": document["explained"],
        "reads": ", ".join(f"{item['name']} ({item['kind']})" for item in document["features"]),
    }
    table(["", ""], [[name, shown(value)] for name, value in rows.items()])
    say()
    metrics = document["run"]["metrics"]
    names = sorted({metric for splits in metrics.values() for values in splits.values() for metric in values})
    table(
        ["predictor", "split", *names],
        [
            [predictor, split, *(values.get(name) for name in names)]
            for predictor, splits in metrics.items()
            for split, values in splits.items()
        ],
    )
    if certificate is not None:
        say()
        show_parity(certificate)
    say()
    table(
        ["when", "event", "detail"], [[e["happened_at"], e["event"], e["detail"]] for e in document["events"]]
    )


@click.command()
@click.argument("model")
@click.argument("one", type=int)
@click.argument("other", type=int)
@json_option
@project_options
def compare(model: str, one: int, other: int, as_json: bool, **options: Any) -> None:
    """Compare two versions of a model: figures, parameters, what they read and what they were trained on."""
    with open_registry(load_project(options), ConsoleProgress(quiet=as_json), read_only=True) as registry:
        pair = [_document(registry, model, number) for number in (one, other)]
    differences = [
        {"what": what, "one": left, "other": right}
        for what, left, right in _paired(_facts(pair[0]), _facts(pair[1]))
        if left != right
    ]
    if as_json:
        emit_json({"model": model, "one": one, "other": other, "differences": differences})
        return
    say(f"{model}: version {one} against version {other}")
    if not differences:
        say("no difference")
        return
    table(["", str(one), str(other)], [[d["what"], shown(d["one"]), shown(d["other"])] for d in differences])


def _document(registry: "Registry", model: str, number: int | None) -> dict[str, Any]:
    if number is None:
        champions = registry.champions(model)
        listed = registry.versions(model)
        if not listed:
            raise registry.untrained(model)
        number = champions[-1] if champions else listed[-1].version
    version = registry.version(model, number)
    summary = next(item for item in _versions(registry, model) if item["version"] == number)
    run = next(item for item in registry.runs(model) if item["run_id"] == version.run_id)
    events = [event for event in registry.events(model) if event.version == number]
    return {
        "model": model,
        **summary,
        "features": [feature.model_dump() for feature in version.signature.features],
        "artifact": version.artifact,
        "run": run,
        "events": [{"event": e.event, "happened_at": e.happened_at, "detail": e.detail} for e in events],
    }


def _versions(registry: "Registry", model: str) -> list[dict[str, Any]]:
    """As promised: newest first; see the public face."""
    listed = registry.versions(model)
    if not listed:
        raise registry.untrained(model)
    statuses, champions = registry.statuses(model), registry.champions(model)
    metrics, parity = registry.metrics(model), registry.parity(model)
    return [
        {
            "version": item.version,
            "status": statuses[item.version],
            "aliases": ["champion"] if champions and champions[-1] == item.version else [],
            "run_id": item.run_id,
            "flavor": item.flavor,
            "registered_at": item.registered_at,
            "metrics": metrics.get(item.run_id, {}).get("model", {}),
            "parity": parity[item.version].summary() if item.version in parity else None,
        }
        for item in reversed(listed)
    ]


def _runs(registry: "Registry", model: str) -> list[dict[str, Any]]:
    listed = registry.runs(model)
    if not listed:
        raise registry.untrained(model)
    return [
        {**run, "metrics": run["metrics"].get("model", {}), "baselines": _without_model(run["metrics"])}
        for run in listed
    ]


def _without_model(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: splits for name, splits in metrics.items() if name != "model"}


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    run = document["run"]
    model = run["metrics"].get("model", {})
    return {
        **{f"{split} {name}": value for split, values in model.items() for name, value in values.items()},
        **{f"params.{name}": str(value) for name, value in _flat(run["params"]).items()},
        **{f"rows.{name}": count for name, count in run["row_counts"].items()},
        **{f"package {name}": number for name, number in run["packages"].items()},
        "status": document["status"],
        "as of": run["as_of"],
        "git commit": run["git_commit"],
        "spec": run["spec_hash"][:12],
        "training set": run["fingerprint"][:12],
        "features": ", ".join(item["name"] for item in document["features"]),
    }


def _flat(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters by dotted names, as --set takes them."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        inner = _flat(value) if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}" if key else name: item for key, item in inner.items()}
    return flat


def _paired(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, one.get(name), other.get(name)) for name in {**one, **other}]


def _figures(metrics: dict[str, dict[str, float]]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.get("test", {}).items())
