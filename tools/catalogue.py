"""Lists the toolchain: one GoModule for each folder with a go.mod, which pins its dependencies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class GoModule:
    """Commands that compile in one Go module.

    `tools` maps the name of each binary to its Go package, `versions` each Go variable that -X writes to its value.
    `stamp` names the record of the build where another one is made in the same folder.
    """

    folder: str
    title: str
    tools: dict[str, str]
    versions: Callable[[], dict[str, str]] = dict[str, str]
    stamp: str = ""

    @property
    def path(self) -> Path:
        return HERE / self.folder

    def requires(self, dependency: str) -> str:
        """Return a module that the go.mod requires, as path@version."""
        return f"{dependency}@{_required(self.folder, dependency)}"


def _required(folder: str, module: str) -> str:
    """Return the version of `module` that the go.mod in `folder` requires, such as v1.36.3."""
    text = (HERE / folder / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise KeyError(f"{folder}/go.mod does not require {module}")
    return found[1]


def python_requirement(package: str) -> str:
    """Return the version of `package` that requirements.txt pins, such as 4.25.0."""
    found = re.search(rf"^{re.escape(package)}==(\S+)", (HERE.parent / "requirements.txt").read_text(), re.MULTILINE)
    if found is None:
        raise KeyError(f"requirements.txt does not pin {package}")
    return found[1]


def _kubernetes_versions() -> dict[str, str]:
    version = _required("kubernetes", "k8s.io/kubernetes")
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


def _pulumi_versions() -> dict[str, str]:
    cli = _required("pulumi", "github.com/pulumi/pulumi/pkg/v3")
    return {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": cli}


def _provider_versions() -> dict[str, str]:
    # The Python SDK asks the engine for a provider of its own version.
    sdk = python_requirement("pulumi-kubernetes")
    return {"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version": sdk}


KUBERNETES = GoModule(
    "kubernetes",
    "Kubernetes, etcd, kwokctl and the CSI sidecars",
    {
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "etcd": "go.etcd.io/etcd/server/v3",
        "kwokctl": "sigs.k8s.io/kwok/cmd/kwokctl",
        "csi-provisioner": "github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner",
        "csi-attacher": "github.com/kubernetes-csi/external-attacher/v4/cmd/csi-attacher",
        "csi-resizer": "github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer",
    },
    _kubernetes_versions,
)

# The local cloud of version 0.1 runs it. The tests bring up such a cloud, and update and destroy it.
KWOK = GoModule("kubernetes", "kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, _kubernetes_versions, "kwok")

# Not named node, because .lab/bin is on the PATH, where another program has that name.
NODE = GoModule("node", "the node program", {"lab-node": "."})

# The CLI and the provider do not compile in one module, because the provider needs an older Pulumi.
PULUMI = GoModule(
    "pulumi",
    "the Pulumi CLI and its Python language host",
    {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", "pulumi-language-python": "./pulumi-language-python"},
    _pulumi_versions,
)

PROVIDER = GoModule(
    "pulumi-kubernetes",
    "Pulumi's Kubernetes provider",
    {"pulumi-resource-kubernetes": "."},
    _provider_versions,
)

CSI_SANITY = GoModule(
    "csi-sanity",
    "the CSI conformance suite",
    {"csi-sanity": "github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity"},
)

# A test builds it when it needs it: setting up never does. It does not compile beside today's CLI.
PULUMI_YAML = GoModule(
    "pulumi-yaml",
    "Pulumi's YAML language host",
    {"pulumi-language-yaml": "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"},
)

# As the YAML host: the parts of the host for TypeScript that generate an SDK.
PULUMI_NODEJS = GoModule(
    "pulumi",
    "Pulumi's generator of TypeScript",
    {"pulumi-language-nodejs": "./pulumi-language-nodejs"},
    _pulumi_versions,
)

MODULES = (KUBERNETES, KWOK, NODE, PULUMI, PROVIDER, CSI_SANITY)
