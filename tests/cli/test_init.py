"""`snowml init`: what it writes, what it refuses, and that what it says to type goes once around the loop."""

import csv
import json
from pathlib import Path

import pytest
import shop
import yaml

from snowml.workflows.project import Project


def test_a_project_of_the_folders_name_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "My Shop-2"
    answer = shop.command("init", str(folder), "--json")
    assert answer.code == 0
    assert answer.json == {"folder": str(folder), "project": "my_shop_2", "model": "reorder"}
    assert "PROJECT" not in "".join(file.read_text("utf-8") for file in folder.rglob("*.*") if file.is_file())
    project = Project.load(folder, profiles_dir=folder)
    assert (project.name, project.target.type) == ("my_shop_2", "duckdb")
    assert Path(str(project.target.settings["path"])) == folder.resolve() / "my_shop_2.duckdb"
    assert set(yaml.safe_load((folder / "profiles.yml").read_text("utf-8"))) == {"my_shop_2"}
    assert "*.duckdb" in (folder / ".gitignore").read_text("utf-8")


def test_the_made_up_orders_are_the_same_each_time(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        assert shop.command("init", str(tmp_path / name)).code == 0
        texts.append((tmp_path / name / "seeds" / "orders.csv").read_text("utf-8"))
    assert texts[0] == texts[1]
    rows = list(csv.DictReader(texts[0].splitlines()))
    assert len({row["order_id"] for row in rows}) == len(rows) > 1000
    assert {row["channel"] for row in rows} == {"subscription", "web", "store"}


@pytest.mark.parametrize("name", ["snowml", "dbt", "main"])
def test_a_name_that_something_else_has_is_refused(tmp_path: Path, name: str) -> None:
    answer = shop.command("init", str(tmp_path / name))
    assert answer.code == 2
    assert f"'{name}' is the name of a package of dbt's or of a part of DuckDB" in answer.err
    assert not (tmp_path / name).exists()


def test_the_first_command_can_be_copied_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "my shop"
    assert f"    cd '{folder}'\n" in shop.command("init", str(folder)).out


@pytest.mark.parametrize("name", ["2024", "a-b", "Größe", "", "a b"])
def test_a_name_that_dbt_does_not_take_is_refused(tmp_path: Path, name: str) -> None:
    answer = shop.command("init", str(tmp_path / "new"), "--name", name)
    assert answer.code == 2
    assert f"'{name}' is no name for a dbt project" in answer.err
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    answer = shop.command("init", str(tmp_path))
    assert (answer.code, "is not empty" in answer.err) == (2, True)
    (tmp_path / "dbt_project.yml").write_text("name: theirs")
    answer = shop.command("init", str(tmp_path))
    assert (answer.code, "is a dbt project already" in answer.err) == (2, True)
    assert {file.name for file in tmp_path.iterdir()} == {"notes.txt", "dbt_project.yml"}


@pytest.mark.dbt
def test_what_it_says_to_type_goes_once_around_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "starter"
    answer = shop.command("init", str(folder))
    assert answer.code == 0
    typed = [line.split() for line in answer.out.splitlines() if line.startswith("    ")]
    assert typed.pop(0) == ["cd", str(folder)]
    monkeypatch.chdir(folder)
    documents = {}
    for program, command, *arguments in typed:
        assert program == "snowml"
        # One cut in place of five is enough here.
        arguments += ["--cut", "2024-03-11"] if command == "audit" else []
        done = shop.command(command, *arguments, "--json")
        assert done.code == 0, done.err
        documents[command] = json.loads(done.out)
    assert list(documents) == ["build", "audit", "train", "promote", "predict", "monitor"]
    assert documents["audit"]["passed"] is True
    assert documents["train"]["metrics"]["test"]["roc_auc"] > 0.7
    assert documents["promote"]["parity"]["certified"] is True
    assert documents["predict"]["scored"] > 100
    assert documents["monitor"]["drifted"] is False
