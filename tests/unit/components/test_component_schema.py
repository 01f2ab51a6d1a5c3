"""NfsServer can be published for other languages: Pulumi's component provider host can describe it."""

from pulumi.provider.experimental.analyzer import Analyzer, PropertyType

from components.nfs_server import NfsServer


def test_pulumis_provider_host_can_describe_the_component() -> None:
    result = Analyzer("storage-lab").analyze([NfsServer])
    definition = result["component_definitions"]["NfsServer"]
    assert set(definition.inputs) == {"serverName", "namespace", "storage", "image", "claimName"}
    assert set(definition.outputs) == {"claimName", "pvName", "volumeId", "volumeName", "serviceIp"}
    for name, property_ in {**definition.inputs, **definition.outputs}.items():
        assert property_.type is PropertyType.STRING, name
        assert property_.description, f"{name} would have no description in other languages"
    for name, property_ in definition.inputs.items():
        assert property_.optional, f"{name} has a default"
        assert not property_.plain, f"{name} would not take an output of another resource"
