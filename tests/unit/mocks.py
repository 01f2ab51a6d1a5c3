"""An engine that only records: what a program registered, what each thing depends on, and what the outputs became.

    deployed = deploy(program, outputs={"kubernetes:core/v1:Service": {"spec": {"clusterIP": "10.0.0.9"}}})
    deployed.value(server.service_ip)
    deployed.one("kubernetes:apps/v1:Deployment").inputs["spec"]

Nothing is awaited inside `apply`, where an assertion that never runs would pass: `value` fails where an output never
got a value.
"""

import asyncio
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import ROOT, SETTINGS

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registered:
    """One registration. `read` tells a read of something that exists from something that is made."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    dependencies: frozenset[str]
    inputs: Mapping[str, Any]
    options: Any
    read: bool = False
    id: str = ""


class Deployed:
    """All that one run of a program registered, in order. Read-only: one run may serve many tests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.resources: dict[str, Registered] = {}
        self.outputs: Mapping[str, Any] = {}
        self.invoked: list[str] = []
        self.result: Any = None

    def all(self, type_: str) -> list[Registered]:
        return [resource for resource in self.resources.values() if resource.type == type_]

    def one(self, type_: str, name: str | None = None) -> Registered:
        """The only resource of that type, or of that type and name."""
        found = [resource for resource in self.all(type_) if name in (None, resource.name)]
        assert len(found) == 1, f"expected one {type_} {name or ''}, found {[resource.name for resource in found]}"
        return found[0]

    def needs(self, resource: Registered) -> set[str]:
        """URNs of all that is made before the resource, and so deleted after it: dependencies, parents, providers."""
        found: set[str] = set()
        ahead = [resource.urn]
        while ahead:
            for urn in self._needs_directly(self.resources[ahead.pop()]):
                if urn not in found and urn in self.resources:
                    found.add(urn)
                    ahead.append(urn)
        return found

    def value(self, output: "pulumi.Output[Any]") -> Any:
        """What the output became. Fails if it never became anything: no assertion may pass for that."""
        assert self._loop.run_until_complete(output.is_known()), "this output was never resolved"
        return self._loop.run_until_complete(output.future())

    def is_known(self, output: "pulumi.Output[Any]") -> bool:
        return self._loop.run_until_complete(output.is_known())

    def is_secret(self, output: "pulumi.Output[Any]") -> bool:
        return self._loop.run_until_complete(output.is_secret())

    @staticmethod
    def _needs_directly(resource: Registered) -> Iterator[str]:
        yield from resource.dependencies
        yield resource.parent
        yield resource.provider.rpartition("::")[0]


class _Mocks(mocks.Mocks):
    def __init__(self, deployed: Deployed, outputs: Mapping[str, Any], calls: Mapping[str, Any], preview: bool) -> None:
        self._deployed, self._outputs, self._calls, self._preview = deployed, outputs, calls, preview

    def call(self, args: mocks.MockCallArgs) -> Any:
        self._deployed.invoked.append(args.token)
        return dict(self._calls[args.token]), []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made = self._outputs.get(args.typ, {})
        if callable(made):
            made = made(args)
        # As the engine does: in a preview, what is not there yet has no id and knows no more than its inputs.
        if self._preview and args.resource_id in ("", None, rpc.UNKNOWN):
            return "", {**dict.fromkeys(made, rpc.UNKNOWN), **args.inputs}
        return args.resource_id or _id_of(args), _merged(args.inputs, made)


def _id_of(args: mocks.MockResourceArgs) -> str:
    """As the Kubernetes provider names what it made; anything will do for the others."""
    metadata = args.inputs.get("metadata") or {}
    if not args.typ.startswith("kubernetes:"):
        return f"{args.name}-id"
    return f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]


def _merged(inputs: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(inputs)
    for key, value in made.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


class _Monitor(mocks.MockMonitor):
    """The SDK's mock monitor keeps neither parents nor dependencies: this one reads them off the requests."""

    def __init__(self, deployed: Deployed, own: _Mocks) -> None:
        super().__init__(own)
        self._deployed = deployed

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        if request.type != STACK:
            by_property = (urn for found in request.propertyDependencies.values() for urn in found.urns)
            self._record(request, answer.urn, request.object, {*request.dependencies, *by_property})
        return answer

    def ReadResource(self, request: Any) -> Any:
        answer = super().ReadResource(request)
        self._record(request, answer.urn, request.properties, set(request.dependencies), read=True, id_=request.id)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if f"::{STACK}::" in request.urn:
            outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            self._deployed.outputs = MappingProxyType(outputs)
        return super().RegisterResourceOutputs(request)

    def _record(
        self, request: Any, urn: str, inputs: Any, dependencies: set[str], read: bool = False, id_: str = ""
    ) -> None:
        assert urn not in self._deployed.resources, f"{urn} was registered twice"
        self._deployed.resources[urn] = Registered(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider,
            dependencies=frozenset(dependencies),
            inputs=MappingProxyType(rpc.deserialize_properties(inputs, keep_unknowns=True)),
            options=request,
            read=read,
            id=id_,
        )


def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Ends what a failed program left running, and the thread that spoke to the monitor."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())


class _MonitorThread(ThreadPoolExecutor):
    """The one thread that requests go through, in their order. The mock monitor wants an event loop in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        super().__init__(max_workers=1, initializer=asyncio.set_event_loop, initargs=(self._loop,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._loop.close()


def deploy(
    program: Callable[[], Any],
    *,
    outputs: Mapping[str, Any] | None = None,
    calls: Mapping[str, Any] | None = None,
    config: Mapping[str, str] | None = None,
    preview: bool = False,
    stack: str = "test",
) -> Deployed:
    """Runs `program` to its end, outputs resolved, and returns what it registered; `result` is what it returned.

    `outputs` by type is what the cloud adds to a resource's inputs, or a function of the mock's arguments that says it;
    `calls` by token is what invokes answer. Each run is a world of its own: its thread begins with an empty context,
    and with a short stack, all of which the SDK writes into every registration.
    """
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_MonitorThread())
    # A program's failure is raised once, by run_in_stack; the other futures that carry it would be echoed.
    loop.set_exception_handler(lambda _loop, _context: None)
    deployed = Deployed(loop)
    weakref.finalize(deployed, loop.close)
    own = _Mocks(deployed, outputs or {}, calls or {}, preview)

    def run() -> None:
        asyncio.set_event_loop(loop)
        mocks.set_mocks(own, project="storage-lab", stack=stack, preview=preview, monitor=_Monitor(deployed, own))
        set_all_config(dict(config or {}))
        # What a program before this one left behind when it failed: the SDK keeps both for the whole process.
        SETTINGS.rpc_manager.clear()
        SETTINGS.outputs.clear()
        ROOT.set(None)

        def body() -> None:
            deployed.result = program()

        try:
            loop.run_until_complete(pulumi.runtime.run_in_stack(body))
        finally:
            _settle(loop)

    with ThreadPoolExecutor(max_workers=1) as own_thread:
        own_thread.submit(run).result()
    return deployed
