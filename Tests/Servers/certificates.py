"""Throwaway certificates for the TLS servers: one good, one expired, one for another host."""

import datetime
import pathlib
import ssl

import trustme


def make_certificates(directory: pathlib.Path) -> tuple[pathlib.Path, dict[str, ssl.SSLContext]]:
    """
    Returns the path of the CA's PEM file and a server context for each of "good", "expired" and "wrong_host".

    The good certificate with its key also goes into the CA's folder, as server.pem.
    """
    authority = trustme.CA()
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    # The identities are resolved by name and by address, so each is listed.
    identities = ("localhost", "127.0.0.1", "::1")
    now = datetime.datetime.now(datetime.timezone.utc)
    leaves = {
        "good": authority.issue_cert(*identities),
        "expired": authority.issue_cert(
            *identities,
            not_before=now - datetime.timedelta(days=30),
            not_after=now - datetime.timedelta(days=1),
        ),
        "wrong_host": authority.issue_cert("elsewhere.example"),
    }

    leaves["good"].private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    contexts = {}
    for name, leaf in leaves.items():
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(contexts[name])
    return ca_file, contexts
