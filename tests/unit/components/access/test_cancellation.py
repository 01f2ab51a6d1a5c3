"""A wait in a dynamic provider ends, as a failure, when Pulumi is interrupted: in Pulumi's host and in the lab's."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from checkout import ROOT
from components.guards.foreign_users import ForeignUsersProvider

# Nothing listens there, so the wait lasts half a minute.
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: nobody, user: {}}]
"""
PROPS = {"storage_class": "ebs", "own": [], "kubeconfig": KUBECONFIG, "timeout_seconds": 300}


@pytest.fixture(params=[("-m", "pulumi.dynamic"), ("tools/dynamic_host.py",)], ids=["Pulumi's own", "the lab's"])
def host(request: pytest.FixtureRequest) -> Iterator[ResourceProviderStub]:
    """A host of dynamic providers, as an engine starts it."""
    process = subprocess.Popen(
        [sys.executable, "-u", *request.param], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
        yield ResourceProviderStub(channel)
        process.kill()


def _delete(host: ResourceProviderStub) -> Any:
    props = {**PROPS, "__provider": serialize_provider(ForeignUsersProvider())}
    properties = asyncio.run(rpc.serialize_properties(props, {}))
    return host.Delete(provider_pb2.DeleteRequest(id="ebs", properties=properties), timeout=60)


def test_an_interrupted_wait_of_a_destroy_fails(host: ResourceProviderStub) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(_delete, host)
        while not waiting.done():
            host.Cancel(Empty())
        with pytest.raises(grpc.RpcError) as failed:
            waiting.result()
    assert "Failure: interrupted after" in failed.value.details(), "Pulumi would report that the stack is deleted"
    assert "run the command again" in failed.value.details()
