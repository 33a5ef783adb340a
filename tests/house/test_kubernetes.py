"""The manifests are what the cluster's schemas allow, and start what compose.yaml starts, as confined."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = DEPLOY / "kubernetes"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
VERSION = "1.34"
SCHEMAS_OF_OTHERS = {"keda.sh/v1alpha1"}
KUSTOMIZE_API = "kustomize.config.k8s.io"

Document = dict[str, Any]


def documents() -> Iterator[tuple[str, Document]]:
    for path in sorted(MANIFESTS.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if not document["apiVersion"].startswith(KUSTOMIZE_API):
                yield f"{path.relative_to(MANIFESTS)}:{document['kind']}", document


DOCUMENTS = list(documents())
DEPLOYMENTS = {one["metadata"]["name"]: one for _, one in DOCUMENTS if one["kind"] == "Deployment"}
HARDENED = DEPLOYMENTS.pop("every")


def pod_of(document: Document) -> Document:
    pod: Document = document["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize(("name", "document"), [pair for pair in DOCUMENTS if pair[1] is not HARDENED])
def test_every_manifest_fits_the_schema(name, document):
    if document["apiVersion"] in SCHEMAS_OF_OTHERS:
        assert document["spec"]["scaleTargetRef"]["name"] in DEPLOYMENTS
        return
    kubernetes_validate.validate(document, VERSION, strict=True)


def files_named_in(kustomization: Path) -> set[Path]:
    told = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    patches = [patch["path"] for patch in told.get("patches", []) if "path" in patch]
    return {kustomization.parent / name for name in (*told.get("resources", []), *patches)}


def test_every_file_is_taken():
    taken = set().union(*map(files_named_in, MANIFESTS.rglob("kustomization.yaml")))

    assert taken == {path for path in MANIFESTS.rglob("*.yaml") if path.name != "kustomization.yaml"}


def test_the_same_processes_run_with_the_same_words():
    ours = {name for name, service in COMPOSE.items() if service["image"].startswith("plaqueview")}

    assert set(DEPLOYMENTS) == ours - {"prepare", "training-gpu"}
    for name, deployment in DEPLOYMENTS.items():
        assert pod_of(deployment)["containers"][0]["command"] == COMPOSE[name]["command"], name


def test_every_process_says_what_it_needs_and_is_told_apart():
    for name, deployment in DEPLOYMENTS.items():
        (container,) = pod_of(deployment)["containers"]
        label = {"app.kubernetes.io/name": name}

        assert deployment["spec"]["selector"]["matchLabels"] == label
        assert deployment["spec"]["template"]["metadata"]["labels"] == label
        assert container["name"] == "process"  # what hardened.yaml is laid over
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert set(container["resources"]["limits"]) == {"memory"}
        assert ("ports" in container) == ("readinessProbe" in container)


def test_there_is_one_clock_that_never_runs_twice():
    assert DEPLOYMENTS["clock"]["spec"]["replicas"] == 1
    assert DEPLOYMENTS["clock"]["spec"]["strategy"] == {"type": "Recreate"}


def test_only_web_and_tasks_reach_out():
    policies = {one["metadata"]["name"]: one["spec"] for _, one in DOCUMENTS if one["kind"] == "NetworkPolicy"}
    reaching = policies["remote-nodes"]

    assert policies["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert reaching["podSelector"]["matchExpressions"][0]["values"] == ["web", "tasks"]
    assert [name for name, spec in policies.items() if "ipBlock" in json.dumps(spec.get("egress", []))] == [
        "remote-nodes"
    ]


def kustomized(folder: Path) -> list[Document]:
    """What `kubectl apply -k` would send. Kubectl before 1.21 does not know the fields that are used."""
    built = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(built.stdout))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("component", [None, "training", "training_gpu", "bfloat16", "inference_gpu"])
def test_built_together_every_pod_is_confined(component, tmp_path):
    folder = tmp_path / "kubernetes"
    shutil.copytree(MANIFESTS, folder)
    chosen = folder / "kustomization.yaml"
    text = chosen.read_text(encoding="utf-8")
    chosen.write_text(text.replace(f"# components: [{component}]", f"components: [{component}]"), encoding="utf-8")

    built = kustomized(folder)

    pods = {one["metadata"]["name"]: pod_of(one) for one in built if one["kind"] in {"Deployment", "Job"}}
    learns = component in {"training", "training_gpu"}
    assert set(pods) == {*DEPLOYMENTS, "prepare"} - (set() if learns else {"training"})
    for one in built:
        if one["apiVersion"] not in SCHEMAS_OF_OTHERS:
            kubernetes_validate.validate(one, VERSION, strict=True)
    for pod in pods.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["envFrom"] == [{"secretRef": {"name": "plaqueview-environment"}}]
            assert container["image"].startswith("registry.example.org/plaqueview")
    on_gpu = [name for name, pod in pods.items() if "nvidia.com/gpu" in json.dumps(pod)]
    assert on_gpu == {"training_gpu": ["training"], "inference_gpu": ["inference"]}.get(component, [])
    told = {
        (name, variable["name"], variable["value"])
        for name, pod in pods.items()
        for variable in pod["containers"][0].get("env", [])
        if variable["name"].startswith("PLAQUEVIEW_INFERENCE_")
    }
    assert told == {
        "bfloat16": {("inference", "PLAQUEVIEW_INFERENCE_PRECISION", "bfloat16")},
        "inference_gpu": {("inference", "PLAQUEVIEW_INFERENCE_DEVICE", "cuda")},
    }.get(component, set())
