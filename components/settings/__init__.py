"""The configuration of a stack: read once, checked whole, then passed on as one frozen object.

The program calls `load()`. `parse()` is the same without Pulumi: it takes texts, and returns Settings or raises
BadSettings. All problems are reported together, one sentence for each: the key, its value, what is accepted.
"""

from collections.abc import Mapping

from .eks import EksSettings
from .reader import CONFIG_NAMESPACE, BadSettings, Reader
from .schema import Settings, read_settings
from .servers import OwnedClaim, ServerSettings

__all__ = ["BadSettings", "EksSettings", "OwnedClaim", "ServerSettings", "Settings", "load", "parse"]


def load() -> Settings:
    """Return the settings of the stack that is running.

    Raises pulumi.RunError, which Pulumi prints without a traceback, naming everything that is wrong.
    """
    import pulumi
    from pulumi.runtime.config import CONFIG, get_config_env

    configured = {**get_config_env(), **CONFIG.get()}
    prefix = f"{CONFIG_NAMESPACE}:"
    try:
        return parse(
            {key.removeprefix(prefix): str(value) for key, value in configured.items() if key.startswith(prefix)}
        )
    except BadSettings as error:
        raise pulumi.RunError(str(error)) from None


def parse(values: Mapping[str, str]) -> Settings:
    """Return the settings from the texts of the namespace's keys; lists are JSON, as Pulumi hands them over.

    Raises BadSettings.
    """
    read = Reader(values)
    settings = read_settings(read)
    read.finish()
    return settings
