"""The commands of a cloud as today's code has them, for a cloud that older code created.

kwokctl writes every command into its kwok.yaml when it creates a cluster, and starts from that file ever after. So a
change of the table of components reaches an existing cloud only through the file.
"""

import hashlib
import json
from typing import Any

from ..components import PORTS, components_of
from ..errors import LocalCloudError
from ..record.layout import Layout
from ..record.record import CloudRecord, write_atomically
from .kwokctl import own_component

Entry = dict[str, Any]


def digest(record: CloudRecord, layout: Layout) -> str:
    """Return a digest of what the table says about this cloud: it differs where a command has to be changed."""
    said = [(c.name, str(c.binary(record, layout)), c.arguments(record, layout)) for c in components_of(record)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def is_outdated(record: CloudRecord, layout: Layout) -> bool:
    """Return whether the cloud was last started with other commands than today's."""
    return not set(PORTS) <= record.ports.keys() or record.commands != digest(record, layout)


def outdated(record: CloudRecord, layout: Layout) -> set[str]:
    """Return the names of the components whose commands differ from kwok.yaml; also of those that only one side has.

    Raises LocalCloudError where kwok.yaml cannot be read.
    """
    if not is_outdated(record, layout):
        return set()
    entries = _read(layout)[0]["components"]
    wanted = _wanted(entries, record, layout)
    return {entry["name"] for entry in (*entries, *wanted) if entry not in entries or entry not in wanted}


def of_older_code(record: CloudRecord, layout: Layout) -> set[str]:
    """Return the outdated components and, where there are any, all that are not of Kubernetes itself.

    Today's commands come with today's code. What runs older code under an unchanged command may lack what the others
    ask it for: csi-resizer ends where the CSI controller does not know its calls.
    """
    found = outdated(record, layout)
    return found | {one.name for one in components_of(record) if one.kind != "kubernetes"} if found else found


def update(record: CloudRecord, layout: Layout) -> None:
    """Write today's commands into kwok.yaml."""
    configuration, *others = _read(layout)
    configuration["components"] = _wanted(configuration["components"], record, layout)
    # JSON is YAML; kwokctl writes YAML again when it saves the file.
    write_atomically(layout.cluster_configuration, "\n---\n".join(map(json.dumps, (configuration, *others))))


def _read(layout: Layout) -> list[Any]:
    import yaml  # only a cloud whose commands are outdated pays for the import

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    file = layout.cluster_configuration
    try:
        return list(yaml.load_all(file.read_text(), loader))
    except yaml.YAMLError as error:
        raise LocalCloudError(f"{file} is damaged ({error}): delete the local cloud and run `pulumi up`") from error


def _wanted(existing: list[Entry], record: CloudRecord, layout: Layout) -> list[Entry]:
    by_name = {entry["name"]: entry for entry in existing}
    return [
        _adapted(by_name[component.name], component.arguments(record, layout))
        if component.kind == "kubernetes"
        else own_component(component, record, layout)
        for component in components_of(record)
    ]


def _adapted(entry: Entry, arguments: list[str]) -> Entry:
    """Return a component of kwokctl's with these arguments in place of those with the same keys, or beside the others.

    An argument that the table does not have any more stays.
    """
    given = list(entry["args"])
    for argument in arguments:
        key = argument.partition("=")[0] + "="
        at = next((index for index in reversed(range(len(given))) if given[index].startswith(key)), None)
        if at is None:
            given.append(argument)
        else:
            given[at] = argument
    return entry | {"args": given}
