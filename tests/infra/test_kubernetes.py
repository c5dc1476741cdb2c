"""infra/kubernetes, held against the API's own schemas (kubernetes-validate carries them) and against
the program that the manifests start.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from infra.cli import main
from infra.settings import load

FOLDER = Path(__file__).resolve().parents[2] / "infra/kubernetes"
VERSION = "1.37"
OLDEST = "1.30"
"""The first in which all that is used is there without a switch."""
FILES = sorted(FOLDER.glob("*.yaml"))
MANIFESTS: list[dict[str, Any]] = [
    one for file in FILES for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]
IDS = [f"{one['kind']}/{one['metadata']['name']}" for one in MANIFESTS]
PODS = [one for one in MANIFESTS if one["kind"] in ("Deployment", "Job")]
POD_IDS = [one["metadata"]["name"] for one in PODS]
SETTINGS = next(one["data"] for one in MANIFESTS if one["kind"] == "ConfigMap")
SECRETS = {"secret", "ledger_key", "database_url", "search_url", "metrics_token"}


def kinds(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == kind}


def validate(manifest: dict[str, Any], version: str = VERSION) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return spec


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    (one,) = pod(manifest)["containers"]
    found: dict[str, Any] = one
    return found


def selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@pytest.mark.parametrize("version", [OLDEST, VERSION])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=IDS)
def test_manifests_are_what_the_api_takes(manifest: dict[str, Any], version: str) -> None:
    validate(manifest, version)


MISTAKES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a word misspelt": lambda one: one["spec"].update(replcas=2),
    "a text for a number": lambda one: one["spec"].update(replicas="two"),
    "a probe in the wrong place": lambda one: pod(one).update(livenessProbe={}),
    "no selector": lambda one: one["spec"].pop("selector"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_manifest_is_refused(mistake: str) -> None:
    broken = copy.deepcopy(kinds("Deployment")["zhihe-web"])
    MISTAKES[mistake](broken)
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(broken)


def test_the_shape_is_there() -> None:
    assert set(kinds("Deployment")) == {"zhihe-web", "zhihe-worker", "zhihe-indexer"}
    assert all(one["spec"]["replicas"] >= 2 for one in kinds("Deployment").values())
    budgets = kinds("PodDisruptionBudget")
    for name, one in kinds("Deployment").items():
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert selects(one["spec"]["selector"]["matchLabels"], labels)
        assert selects(budgets[name]["spec"]["selector"]["matchLabels"], labels)
        assert budgets[name]["spec"]["minAvailable"] < one["spec"]["replicas"]
    assert set(kinds("Job")) == {f"zhihe-migrate-{version().replace('.', '-')}"}


def version() -> str:
    return container(PODS[0])["image"].rpartition(":")[2]


@pytest.mark.parametrize("manifest", PODS, ids=POD_IDS)
def test_every_pod_is_closed(manifest: dict[str, Any]) -> None:
    spec, one = pod(manifest), container(manifest)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001, "the user of the image"
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["image"].rpartition(":")[2] == version(), "one version everywhere"
    assert {"cpu", "memory"} <= one["resources"]["requests"].keys()
    assert "memory" in one["resources"]["limits"]


@pytest.mark.parametrize("manifest", PODS, ids=POD_IDS)
def test_no_process_needs_the_folder_of_another(manifest: dict[str, Any]) -> None:
    assert SETTINGS["ZHIHE_FILES"] == "database"
    volumes = {one["name"]: one for one in pod(manifest)["volumes"]}
    mounts = {one["mountPath"]: one["name"] for one in container(manifest)["volumeMounts"]}
    assert "emptyDir" in volumes[mounts[SETTINGS["ZHIHE_DATA_DIR"]]]
    assert "emptyDir" in volumes[mounts["/tmp"]]
    assert not [one for one in volumes.values() if "persistentVolumeClaim" in one]


@pytest.mark.parametrize("manifest", PODS, ids=POD_IDS)
def test_the_settings_start_the_program(manifest: dict[str, Any], tmp_path: Path) -> None:
    """Every name is a setting, and nothing that Kubernetes adds comes between."""
    one = container(manifest)
    assert one["envFrom"] == [{"configMapRef": {"name": "zhihe"}}]
    assert "env" not in one
    assert pod(manifest)["enableServiceLinks"] is False, "it would add ZHIHE_WEB_PORT and others"
    mounts = {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]}
    for name in SECRETS:
        value = "postgresql+psycopg://a:b@db/zhihe" if name == "database_url" else "t" * 40
        value = "https://zhihe:word@es:9200" if name == "search_url" else value
        (tmp_path / name).write_text(f"{value}\n", encoding="ascii")
    given = {
        key: value.replace(mounts["secrets"], str(tmp_path)) for key, value in SETTINGS.items()
    }
    settings = load(given)
    assert not settings.demo
    assert settings.files_in_database
    assert settings.search_hosts
    grace = pod(manifest)["terminationGracePeriodSeconds"]
    waits = one.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert grace > settings.stop_seconds + waits
    with pytest.raises(Exception, match="ZHIHE_WEB_PORT"):
        load({**given, "ZHIHE_WEB_PORT": "tcp://10.0.0.1:80"})


def test_no_secret_stands_in_a_manifest() -> None:
    assert not kinds("Secret")
    for name in SETTINGS:
        assert name.removesuffix("_FILE").removeprefix("ZHIHE_").lower() not in SECRETS or (
            name.endswith("_FILE")
        )


@pytest.mark.parametrize("manifest", PODS, ids=POD_IDS)
def test_commands_are_those_of_the_command_line(manifest: dict[str, Any]) -> None:
    one = container(manifest)
    (program,) = one["args"]
    assert program in main.commands
    for probe in ("startupProbe", "livenessProbe"):
        if "exec" in one.get(probe, {}):
            zhihe, name, *arguments = one[probe]["exec"]["command"]
            assert zhihe == "zhihe"
            main.commands[name].make_context(name, arguments)
        elif manifest["kind"] == "Deployment":
            assert one[probe]["httpGet"] == {"path": "/health", "port": "http"}
    if program == "serve":
        assert one["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert one["ports"] == [{"name": "http", "containerPort": int(SETTINGS["ZHIHE_PORT"])}]


def test_the_ingress_leads_to_the_web_processes_and_probes_are_not_outside() -> None:
    services = kinds("Service")
    (ingress,) = kinds("Ingress").values()
    labels = kinds("Deployment")["zhihe-web"]["spec"]["template"]["metadata"]["labels"]
    for rule in ingress["spec"]["rules"]:
        assert rule["host"] in SETTINGS["ZHIHE_HOSTS"].split(",")
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            selector = services[backend["name"]]["spec"].get("selector")
            public = path["path"] not in ("/health", "/ready", "/metrics")
            assert bool(selector) is public, path["path"]
            assert not public or selects(selector, labels)
            ports = {one["name"] for one in services[backend["name"]]["spec"]["ports"]}
            assert backend["port"]["name"] in ports
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]
