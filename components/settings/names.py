"""What Kubernetes, AWS and container registries accept as a name.

Every `check_*` returns the name that it was given, or raises ValueError with the end of a sentence that began with the
name: "is longer than 63 characters; accepted is ...".
"""

import re

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LABEL_1123 = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LABEL_1035 = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_LABEL_LENGTH = 63
_SUBDOMAIN_LENGTH = 253
# Kubernetes keeps this prefix, and the namespaces that carry it, for itself.
_RESERVED_NAMESPACE_PREFIX = "kube-"

_REGION = re.compile(r"[a-z]{2,3}(?:-[a-z]+){1,2}-[0-9]{1,2}")

# The grammar of https://github.com/distribution/reference, with its limit of 255 for the name.
_HOST_PART = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_IMAGE = re.compile(rf"((?:{_HOST}/)?{_PATH_PART}(?:/{_PATH_PART})*)(?::{_TAG})?(?:@{_DIGEST})?")
_IMAGE_NAME_LENGTH = 255


def check_service_name(name: str) -> str:
    """A DNS-1035 label: what a Service may be called, and so what an NFS server may be called."""
    accepted = (
        "accepted is a letter, then letters, digits and hyphens, all lower case, 63 at most, no hyphen at the end"
    )
    return _check_label(name, _LABEL_1035, accepted)


def check_namespace(name: str) -> str:
    """A DNS-1123 label that Kubernetes does not keep for itself."""
    accepted = "accepted are lower-case letters, digits and hyphens, 63 at most, no hyphen at either end"
    if name.startswith(_RESERVED_NAMESPACE_PREFIX):
        raise ValueError("is reserved: namespaces that begin with kube- belong to Kubernetes")
    return _check_label(name, _LABEL_1123, accepted)


def check_claim_name(name: str) -> str:
    """A DNS-1123 subdomain: what a PersistentVolumeClaim may be called."""
    accepted = "accepted are lower-case letters and digits, hyphens and single dots between them, 253 at most"
    if len(name) > _SUBDOMAIN_LENGTH:
        raise ValueError(f"is {len(name)} characters long; {accepted}")
    if not all(_LABEL_1123.fullmatch(part) for part in name.split(".")):
        raise ValueError(f"is not a Kubernetes name; {accepted}")
    return name


def check_image(reference: str) -> str:
    """A container image reference: [host[:port]/]path[:tag][@digest]."""
    accepted = "accepted is [host[:port]/]path[:tag][@digest], such as registry.example.com/nfs:1.6.0"
    match = _IMAGE.fullmatch(reference)
    if match is None:
        raise ValueError(f"is not an image reference; {accepted}")
    if len(match[1]) > _IMAGE_NAME_LENGTH:
        raise ValueError(
            f"has a name of {len(match[1])} characters, and registries take {_IMAGE_NAME_LENGTH}; {accepted}"
        )
    return reference


def check_region(region: str) -> str:
    """The code of an AWS region, by its form."""
    if not _REGION.fullmatch(region):
        raise ValueError("is not an AWS region; accepted is a region's code, such as us-east-1 or eu-central-1")
    return region


def check_zone(zone: str, region: str) -> str:
    """The name of an availability zone of `region`."""
    if not re.fullmatch(re.escape(region) + "[a-z]", zone):
        raise ValueError(
            f"is not an availability zone of {region}; accepted is the region and a letter, such as {region}a"
        )
    return zone


def _check_label(name: str, pattern: re.Pattern[str], accepted: str) -> str:
    if len(name) > _LABEL_LENGTH:
        raise ValueError(f"is {len(name)} characters long; {accepted}")
    if not pattern.fullmatch(name):
        raise ValueError(f"is not a Kubernetes name; {accepted}")
    return name
