"""Observes each way of keeping data, and judges what is the same after its container ended or its Pod was deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.settings.tour_plan import CLAIM_TEMPLATE, STATEFUL_SET, Way, grown_claim
from lab.reading.objects import Thing, at, condition, name_of
from lab.steps import Finding


@dataclass(frozen=True)
class Observation:
    """A way at one moment. `volume` is where its data are outside of the Pod: vol-…, an NFS address, or empty.

    `restarts` counts those of its container; `journal` has a line for each start of a container on these data.
    """

    pod: str
    pod_uid: str
    node: str
    claim_uid: str = ""
    pv: str = ""
    volume: str = ""
    restarts: int = 0
    journal: tuple[str, ...] = ()


def ready_pod(things: Sequence[Thing], role: str) -> Thing | None:
    """Return the Pod of a way that is ready and stays, None before there is one."""
    return next((thing for thing in things if _is_ready_pod(thing, role)), None)


def observe(things: Sequence[Thing], role: str, journal: tuple[str, ...] = ()) -> Observation | None:
    """Return what the tour's objects and the PersistentVolumes say about a way; None without a ready Pod."""
    pod = ready_pod(things, role)
    if pod is None:
        return None
    volumes: list[Thing] = at(pod, "spec", "volumes") or []
    volume = next((one for one in volumes if one["name"] == CLAIM_TEMPLATE), None)
    claim = _named(things, "PersistentVolumeClaim", at(volume, "persistentVolumeClaim", "claimName"))
    pv = _named(things, "PersistentVolume", at(claim, "spec", "volumeName"))
    return Observation(
        pod=str(name_of(pod)),
        pod_uid=str(at(pod, "metadata", "uid")),
        node=str(at(pod, "spec", "nodeName")),
        claim_uid=at(claim, "metadata", "uid") or "",
        pv=name_of(pv) or "",
        volume=_behind(at(pv, "spec") if pv else volume),
        restarts=restarts_of(pod),
        journal=journal,
    )


def grown_volumes(things: Sequence[Thing], count: int) -> dict[str, str]:
    """Return the bound claims of the StatefulSet's Pods 0 to count - 1, with the volume of each."""
    claims = {
        grown_claim(ordinal): _named(things, "PersistentVolumeClaim", grown_claim(ordinal)) for ordinal in range(count)
    }
    volumes = {
        name: _named(things, "PersistentVolume", at(claim, "spec", "volumeName")) for name, claim in claims.items()
    }
    return {name: _behind(at(pv, "spec")) for name, pv in volumes.items() if pv}


def judge_objects(before: Observation, after: Observation) -> Finding:
    """Judge whether claim and volume are the same for the next Pod, on either target."""
    if after.pod_uid == before.pod_uid:
        return Finding(False, f"{before.pod} was not replaced", "kubectl get pods -n tour")
    if not before.volume:
        place = f"{after.node} again" if after.node == before.node else f"{after.node}, no longer on {before.node}"
        return Finding(True, f"nothing but the Pod and its node; the next Pod is on {place}")
    kept = [before.claim_uid, before.pv, before.volume] == [after.claim_uid, after.pv, after.volume]
    behind = " behind " + before.pv if before.pv else ""
    if kept:
        return Finding(True, f"the same {before.volume}{behind}")
    return Finding(False, f"{before.volume}{behind} became {after.volume or 'nothing'}", "kubectl describe pvc -n tour")


def judge_crash(way: Way, before: Observation, after: Observation) -> Finding:
    """Judge whether the next container of the same Pod finds the first one's bytes, or does not, as the plan says."""
    if after.pod_uid != before.pod_uid:
        return Finding(False, f"{before.pod} was replaced, not its container", "kubectl get pods -n tour")
    return _judge_bytes(way.survives_crash, before, after)


def judge_deletion(way: Way, before: Observation, after: Observation) -> Finding:
    """Judge whether the next Pod finds the first one's bytes, or does not, as the plan says."""
    return _judge_bytes(way.survives_pod and (way.name != "host-path" or before.node == after.node), before, after)


def _judge_bytes(survives: bool, before: Observation, after: Observation) -> Finding:
    written = len(before.journal)
    # Each start adds a line: a journal as short as before was begun anew.
    kept = written > 0 and len(after.journal) > written and after.journal[:written] == before.journal
    lines = "line" if written == 1 else "lines"
    said = f"{'kept' if kept else 'lost'}: {written} {lines} before, {len(after.journal)} after"
    return Finding(kept == survives, said, "" if kept == survives else f"expected {'kept' if survives else 'lost'}")


def judge_growth(at_first: dict[str, str], grown: dict[str, str], shrunk: dict[str, str], count: int) -> Finding:
    """Judge whether each new Pod got a volume of its own, which stays when the Pod is deleted."""
    if len(grown) != count or len(set(grown.values())) != count:
        return Finding(
            False,
            f"{count} Pods have {len(set(grown.values()))} volumes",
            f"kubectl describe pvc -n tour -l role={STATEFUL_SET}",
        )
    if at_first.items() - grown.items():
        return Finding(False, "a Pod that existed before has another volume now", "kubectl get pvc -n tour")
    if shrunk != grown:
        return Finding(
            False, "a claim was deleted with its Pod", f"kubectl get statefulset {STATEFUL_SET} -n tour -o yaml"
        )
    made = ", ".join(volume for claim, volume in grown.items() if claim not in at_first)
    return Finding(True, f"made {made or 'nothing, because it had grown before'}; all kept when the Pods went")


def restarts_of(pod: Thing) -> int:
    """Return how often the only container of a Pod was started again."""
    statuses: list[Thing] = at(pod, "status", "containerStatuses") or [{}]
    return statuses[0].get("restartCount", 0)


def _is_ready_pod(thing: Thing, role: str) -> bool:
    of_the_way = thing["kind"] == "Pod" and at(thing, "metadata", "labels", "role") == role
    return of_the_way and condition(thing, "Ready") and not at(thing, "metadata", "deletionTimestamp")


def _named(things: Sequence[Thing], kind: str, name: str | None) -> Thing | None:
    return next((one for one in things if name and one["kind"] == kind and name_of(one) == name), None)


def _behind(source: object) -> str:
    """Return the storage of a Pod's volume or a PersistentVolume; empty if it ends with the Pod or the node."""
    nfs = at(source, "nfs")
    return f"{nfs['server']}:{nfs['path']}" if nfs else at(source, "csi", "volumeHandle") or ""
