"""Checks the manifests of this folder without a cluster (scripts/check-manifests runs it).

Schemas, strictly, of the oldest and newest Kubernetes they are for; what Kustomize makes of them, where kubectl is;
that every pod is hardened, that what pods mount is there, that commands know the options they are given, and that
the alerts are those of deploy/prometheus. Kinds of operators have no schema here and are only parsed.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VERSIONS = ["1.29", "1.37"]
BINARIES = {"loopwright": "loopwright", "loopwright-learner": "loopwright-learner"}
POD_TEMPLATES = {"Deployment": "spec.template", "Job": "spec.template", "CronJob": "spec.jobTemplate.spec.template", "Pod": ""}

problems = []
notes = []


def problem(where, says):
    problems.append(f"{where}: {says}")


def parsed(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def validate(where, document):
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            note = f"{document['kind']} ({document['apiVersion']}) has no schema here"
            if note not in notes:
                notes.append(note)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(str(step) for step in error.path)
            problem(where, f"Kubernetes {version}: {place}: {error.message}")


def pod_of(document):
    path = POD_TEMPLATES.get(document["kind"])
    if path is None:
        return None
    for step in path.split(".") if path else []:
        document = document[step]
    return document["spec"]


def check_hardened(where, pod):
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        problem(where, "the pod may run as root, or without a seccomp profile")
    if pod.get("automountServiceAccountToken") is not False:
        problem(where, "the pod is given a token of the cluster's API")
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container.get("securityContext", {})
        if not (
            context.get("readOnlyRootFilesystem") is True
            and context.get("allowPrivilegeEscalation") is False
            and context.get("capabilities") == {"drop": ["ALL"]}
        ):
            problem(where, f"container {container['name']} is not hardened")
        if "limits" not in container.get("resources", {}):
            problem(where, f"container {container['name']} has no limit of memory")


def check_references(where, pod, secrets, claims):
    def secret(name, key):
        if key not in secrets.get(name, ()):
            problem(where, f"secrets.example.yaml has no {key} in {name}")

    for container in pod["containers"]:
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                secret(reference["name"], reference["key"])
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                problem(where, f"no volume {mount['name']}")
    for volume in pod.get("volumes", []):
        if "secret" in volume and volume["secret"]["secretName"] not in secrets:
            problem(where, f"secrets.example.yaml has no {volume['secret']['secretName']}")
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim and claim not in claims:
            problem(where, f"no claim {claim}")


def help_of(binary, words):
    path = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / binary
    if not path.exists():
        note = f"{binary} is not built: its options were not checked"
        if note not in notes:
            notes.append(note)
        return None
    return subprocess.run([path, *words, "--help"], capture_output=True, text=True, check=False).stdout


def check_options(where, pod):
    for container in pod["containers"]:
        binary = BINARIES.get(container["image"])
        arguments = container.get("args", [])
        if binary is None or not arguments:
            continue
        text = help_of(binary, [word for word in arguments if re.fullmatch(r"[a-z]+", word)])
        if text is None:
            continue
        wanted = [word.split("=")[0] for word in arguments if word.startswith("--")]
        # OWNER_URL and POD_NAME are named in the manifests alone.
        variables = [variable["name"] for variable in container.get("env", [])]
        wanted += [name for name in variables if name.startswith("LOOPWRIGHT_") or name == "DATABASE_URL"]
        for word in wanted:
            if not re.search(rf"(^|[\s\[]){re.escape(word)}\b", text):
                problem(where, f"{binary} {arguments[0]} knows no {word}")


def check_alerts():
    rule = parsed(HERE / "monitoring/prometheus-rule.yaml")[0]
    alerts = parsed(HERE.parent / "prometheus/alerts.yml")[0]
    if rule["spec"] != alerts:
        problem("monitoring/prometheus-rule.yaml", "is not deploy/prometheus/alerts.yml: scripts/check-manifests --renew")


def check_rendered():
    if not shutil.which("kubectl"):
        notes.append("kubectl is not here: Kustomize's result was not checked")
        return
    for folder in sorted(path.parent for path in HERE.rglob("kustomization.yaml")):
        if parsed(folder / "kustomization.yaml")[0]["kind"] == "Component":
            continue
        where = str(folder.relative_to(HERE))
        made = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
        if made.returncode:
            problem(where, made.stderr.strip())
            continue
        for document in yaml.safe_load_all(made.stdout):
            validate(f"kubectl kustomize {where}", document)


def main():
    files = {path: parsed(path) for path in sorted(HERE.rglob("*.yaml"))}
    every = [document for documents in files.values() for document in documents]
    secrets = {it["metadata"]["name"]: it["stringData"] for it in every if it["kind"] == "Secret"}
    claims = {it["metadata"]["name"] for it in every if it["kind"] == "PersistentVolumeClaim"}
    for path, documents in files.items():
        where = str(path.relative_to(HERE))
        for document in documents:
            if document["kind"] in ("Kustomization", "Component") or path.parent.name == "gpu":
                continue
            if document["kind"] == "Secret" and path.name != "secrets.example.yaml":
                problem(where, "a Secret stands among the manifests")
            validate(where, document)
            pod = pod_of(document)
            if pod:
                check_hardened(where, pod)
                check_references(where, pod, secrets, claims)
                check_options(where, pod)
    check_alerts()
    check_rendered()
    for note in notes:
        print(f"manifests: {note}")
    for line in problems:
        print(f"manifests: {line}", file=sys.stderr)
    print(f"manifests: {len(every)} documents in {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
