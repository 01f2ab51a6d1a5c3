"""The certificates of a cloud: for loopback only, in the formats that the control plane reads, private."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from localcloud import pki
from localcloud.record.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    pki.create(layout)
    return layout


def test_the_certificate_is_for_loopback_only(layout: Layout) -> None:
    certificate = x509.load_pem_x509_certificate(layout.client_certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    assert addresses, "no client of the cloud could check its server"
    assert all(address.is_loopback for address in addresses), "it would also be a server of the network"


def test_strict_clients_accept_the_certificate(layout: Layout) -> None:
    context = ssl.create_default_context(cafile=str(layout.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(layout.client_certificate, layout.client_key)
    ends = [ssl.MemoryBIO() for _ in range(4)]
    one = context.wrap_bio(ends[0], ends[1], server_hostname="127.0.0.1")
    other = server.wrap_bio(ends[1], ends[0], server_side=True)
    for _ in range(3):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert one.getpeercert(), "the handshake did not end"


def test_the_keys_are_in_the_format_of_service_accounts(layout: Layout) -> None:
    assert layout.client_key.read_text().startswith("-----BEGIN EC PRIVATE KEY"), "the API server would not start"


def test_only_the_owner_reads_keys(layout: Layout) -> None:
    modes = {stat.S_IMODE(file.stat().st_mode) for file in layout.ca.parent.iterdir()}
    assert modes == {0o600}
