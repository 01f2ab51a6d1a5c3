"""The nodes of the rehearsed cluster: an instance, an interface and a Node each, with the local cloud's kubelet."""

import json
from collections.abc import Callable
from typing import Any

from tests.rehearsal.kubernetes import Kubernetes

Group = dict[str, Any]


class Nodes:
    """All nodes of the cluster, by node group. `ec2` gives a client that acts as AWS itself."""

    def __init__(self, kubernetes: Kubernetes, ec2: Callable[[], Any]) -> None:
        self._kubernetes, self._ec2 = kubernetes, ec2

    def has_route_out(self, subnet_id: str) -> bool:
        tables = self._ec2().describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}])[
            "RouteTables"
        ]
        routes = [route for table in tables for route in table["Routes"]]
        return any(r.get("DestinationCidrBlock") == "0.0.0.0/0" and r.get("GatewayId") for r in routes)

    def add(self, group_name: str, group: Group) -> None:
        ec2 = self._ec2()
        subnet = ec2.describe_subnets(SubnetIds=[group["subnets"][0]])["Subnets"][0]
        zone = subnet["AvailabilityZone"]
        instance = ec2.run_instances(
            ImageId="ami-0000000000000al23", MinCount=1, MaxCount=1, SubnetId=subnet["SubnetId"],
            InstanceType=group["instanceTypes"][0],
        )["Instances"][0]["InstanceId"]  # fmt: skip
        ec2.create_network_interface(SubnetId=subnet["SubnetId"], Description=f"node {instance}")
        self._kubernetes.kubectl("apply", "-f", "-", given=node(instance, zone, group_name, group))

    def all(self, group_name: str | None = None) -> dict[str, str]:
        """Return the zone of every node, or of the nodes of one group, by instance id, oldest first."""
        if not self._kubernetes.running:
            return {}
        words = ["-l", f"eks.amazonaws.com/nodegroup={group_name}"] if group_name else []
        found = json.loads(self._kubernetes.kubectl("get", "nodes", "-o", "json", *words))["items"]
        found.sort(key=lambda item: item["metadata"]["creationTimestamp"])
        return {item["metadata"]["name"]: item["metadata"]["labels"]["topology.kubernetes.io/zone"] for item in found}

    def remove(self, group_name: str, keep: int, among: list[str] | None = None) -> None:
        doomed = (among or list(self.all(group_name)))[keep:]
        for name in doomed:
            self._kubernetes.kubectl("cordon", name)
            self._kubernetes.kubectl(
                "delete", "pods", "-A", "--field-selector", f"spec.nodeName={name}", "--wait=false"
            )
            self._kubernetes.kubectl("delete", "node", name)
            self._terminate(name)

    def _terminate(self, instance: str) -> None:
        """End the instance, and do what the emulator leaves out: delete its root volume and detach the others."""
        ec2 = self._ec2()
        ec2.terminate_instances(InstanceIds=[instance])
        held = [{"Name": "attachment.instance-id", "Values": [instance]}]
        for volume in ec2.describe_volumes(Filters=held)["Volumes"]:
            ec2.detach_volume(VolumeId=volume["VolumeId"], Force=True)
            if any(attachment["DeleteOnTermination"] for attachment in volume["Attachments"]):
                ec2.delete_volume(VolumeId=volume["VolumeId"])
        self.delete_interfaces(f"node {instance}")

    def delete_interfaces(self, description: str) -> None:
        ec2 = self._ec2()
        for interface in ec2.describe_network_interfaces()["NetworkInterfaces"]:
            if interface["Description"] == description:
                ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


def node(instance: str, zone: str, group_name: str, group: Group) -> Group:
    """Return the Node that a kubelet on that instance would register."""
    labels = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": instance,
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
        "node.kubernetes.io/instance-type": group["instanceTypes"][0],
        "eks.amazonaws.com/nodegroup": group_name,
    }
    # It makes the controller manager attach volumes itself, as it does for every real kubelet.
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    capacity = {"cpu": "2", "memory": "4Gi", "pods": "17"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": instance, "labels": labels, "annotations": annotations},
        "spec": {"providerID": f"aws:///{zone}/{instance}"},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
