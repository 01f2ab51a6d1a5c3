"""How kwok plays the kubelet: the life of Nodes and Pods, as Stage objects (kwok.x-k8s.io/v1alpha1).

They replace kwok's own stages, whose nodes report every 20 seconds at best. After a restart the controller manager
takes every attached volume for mounted until the node has reported once, so destroying a lab after a reboot would take
that long.
"""

import json
from typing import Any

HEARTBEAT_MILLISECONDS = 3000

_READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
_DELETED = ".metadata.deletionTimestamp"

_NODE_CONDITIONS = """
conditions:
{{ $now := Now }}
{{ $since := or .metadata.creationTimestamp $now }}
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $since | Quote }}
{{ end }}
"""

# What a kubelet finds out about its machine; a Node that was created with a capacity keeps it.
_NODE_STATUS = (
    _NODE_CONDITIONS
    + """
phase: Running
addresses:
- type: Hostname
  address: {{ .metadata.name | Quote }}
{{ with NodeIP }}
- type: InternalIP
  address: {{ . | Quote }}
{{ end }}
{{ range $kind, $given := dict "capacity" .status.capacity "allocatable" .status.allocatable }}
{{ $kind }}:
{{ with $given }}
{{ YAML . 1 }}
{{ else }}
  cpu: "2"
  memory: 4Gi
  pods: "110"
{{ end }}
{{ end }}
nodeInfo:
  operatingSystem: linux
  architecture: amd64
  kubeletVersion: {{ printf "kwok-%s" Version | Quote }}
  containerRuntimeVersion: {{ printf "kwok-%s" Version | Quote }}
  kubeProxyVersion: ""
  kernelVersion: ""
  osImage: ""
  bootID: ""
  machineID: ""
  systemUUID: ""
"""
)

_POD_RUNNING = """
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := list "Initialized" "ContainersReady" "Ready" }}
- type: {{ $type }}
  status: "True"
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
{{ with PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ . | Quote }}
podIPs:
- ip: {{ . | Quote }}
{{ end }}
"""

_POD_COMPLETED = """
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .status.containerStatuses }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ .state.running.startedAt | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
"""


def documents() -> list[str]:
    """Return the stages as JSON documents, which follow a kwokctl configuration in its file."""
    return [json.dumps(stage) for stage in _stages()]


def _stages() -> list[dict[str, Any]]:
    heartbeat = _stage("node-heartbeat", "Node", {_READY: ["True"]}, {"statusTemplate": _NODE_CONDITIONS})
    heartbeat["spec"]["delay"] = {"durationMilliseconds": HEARTBEAT_MILLISECONDS}
    heartbeat["spec"]["immediateNextStage"] = True
    of_a_job = {_DELETED: False, ".status.phase": ["Running"], ".metadata.ownerReferences.[].kind": ["Job"]}
    return [
        _stage("node-start", "Node", {_READY: None}, {"statusTemplate": _NODE_STATUS}),
        heartbeat,
        _stage("pod-run", "Pod", {_DELETED: False, ".status.phase": ["Pending"]}, {"statusTemplate": _POD_RUNNING}),
        _stage("pod-complete", "Pod", of_a_job, {"statusTemplate": _POD_COMPLETED}),
        _stage("pod-delete", "Pod", {_DELETED: True}, {"delete": True}),
    ]


def _stage(name: str, kind: str, when: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """Return a stage for the objects on which every path of `when` holds: its value is in the list, it exists (True),
    it does not exist (False), or it is not "True" (None)."""
    operators = {
        True: {"operator": "Exists"},
        False: {"operator": "DoesNotExist"},
        None: {"operator": "NotIn", "values": ["True"]},
    }
    expressions = [
        {"key": path, **({"operator": "In", "values": what} if isinstance(what, list) else operators[what])}
        for path, what in when.items()
    ]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": expressions},
            "next": then,
        },
    }
