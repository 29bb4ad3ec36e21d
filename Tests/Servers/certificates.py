"""Throwaway certificates and keys, and the TLS servers' contexts made from them: one good, the others wrong in one way each."""

import base64
import datetime
import hashlib
import pathlib
import ssl

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# The identities are resolved by name and by address, so each is listed.
IDENTITIES = ("localhost", "127.0.0.1", "::1")
KEY_PASSWORD = "open sesame"


def make_certificates(directory: pathlib.Path) -> tuple[dict[str, str], dict[str, ssl.SSLContext]]:
    """
    Writes what clients need into the directory.

    Returns facts about it (paths, pins, the locked key's password) and a server context for each kind of server.
    """
    authority, stranger = trustme.CA(), trustme.CA()
    now = datetime.datetime.now(datetime.timezone.utc)
    month_ago, yesterday = now - datetime.timedelta(days=30), now - datetime.timedelta(days=1)
    good = authority.issue_cert(*IDENTITIES)
    contexts = {
        "good": server_context(good),
        "expired": server_context(authority.issue_cert(*IDENTITIES, not_before=month_ago, not_after=yesterday)),
        "wrong_host": server_context(authority.issue_cert("elsewhere.example")),
        "unknown_ca": server_context(stranger.issue_cert(*IDENTITIES)),
        "wrong_purpose": server_context(issue_for_clients_only(authority, directory / "wrong_purpose.pem")),
        "self_signed": server_context(issue_self_signed(directory / "self_signed.pem")),
        "tls12": server_context(good),
        "tls11": server_context(good),
        "client_certificate": server_context(good),
    }
    contexts["tls12"].maximum_version = ssl.TLSVersion.TLSv1_2
    contexts["tls11"].minimum_version = ssl.TLSVersion.TLSv1_1
    contexts["tls11"].maximum_version = ssl.TLSVersion.TLSv1_1
    contexts["tls11"].set_ciphers("DEFAULT:@SECLEVEL=0")
    authority.configure_trust(contexts["client_certificate"])
    contexts["client_certificate"].verify_mode = ssl.CERT_REQUIRED

    facts = write_files(directory, authority, stranger, good)
    facts["server_pin"] = pin(good.cert_chain_pems[0].bytes())
    facts["ca_pin"] = pin(authority.cert_pem.bytes())
    return facts, contexts


def server_context(certificate: trustme.LeafCert | pathlib.Path) -> ssl.SSLContext:
    """A server context with a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if isinstance(certificate, pathlib.Path):
        context.load_cert_chain(certificate)
    else:
        certificate.configure_cert(context)
    return context


def write_files(directory: pathlib.Path, authority: trustme.CA, stranger: trustme.CA, good: trustme.LeafCert) -> dict[str, str]:
    """Writes certificates and keys, and returns their paths by the names of the facts."""
    client, foreign = authority.issue_cert("client@heartwire.test"), stranger.issue_cert("client@heartwire.test")
    key = serialization.load_pem_private_key(client.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode()))
    authorities = directory / "authorities"
    authorities.mkdir()
    (authorities / "subdirectory").mkdir()
    contents = {
        "ca_file": ("ca.pem", authority.cert_pem.bytes()),
        "server_pem": ("server.pem", good.private_key_and_cert_chain_pem.bytes()),
        "client_pem": ("client.pem", client.private_key_and_cert_chain_pem.bytes()),
        "client_certificate": ("client_certificate.pem", client.cert_chain_pems[0].bytes()),
        "client_key": ("client_key.pem", client.private_key_pem.bytes()),
        "client_locked_key": ("client_locked_key.pem", locked),
        "foreign_pem": ("foreign.pem", foreign.private_key_and_cert_chain_pem.bytes()),
        "empty": ("empty.pem", b""),
        "broken_pem": ("broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    }
    for name, content in contents.values():
        (directory / name).write_bytes(content)
    (authorities / "README").write_text("Not a certificate.\n")
    (authorities / "the authority").write_bytes(authority.cert_pem.bytes())
    facts = {fact: str(directory / name) for fact, (name, _) in contents.items()}
    return facts | {"ca_directory": str(authorities), "key_password": KEY_PASSWORD}


def issue_for_clients_only(authority: trustme.CA, path: pathlib.Path) -> pathlib.Path:
    """Writes a certificate of the authority whose extended key usage does not let it be a server's, with its key."""
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    issuer_key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = certificate_builder(key, issuer.subject).add_extension(usage, critical=True)
    return write_with_key(path, builder.sign(issuer_key, hashes.SHA256()), key)


def issue_self_signed(path: pathlib.Path) -> pathlib.Path:
    """Writes a certificate that is its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return write_with_key(path, certificate_builder(key, None).sign(key, hashes.SHA256()), key)


def certificate_builder(key: ec.EllipticCurvePrivateKey, issuer: x509.Name | None) -> x509.CertificateBuilder:
    """A certificate for localhost, still to be signed; its own issuer if none is given."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Heartwire test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder(issuer or name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )


def write_with_key(path: pathlib.Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> pathlib.Path:
    """Writes a certificate and its key into one file."""
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + secret)
    return path


def pin(certificate: bytes) -> str:
    """The pin of a certificate's public key (RFC 7469 section 2.4)."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return "sha256/" + base64.b64encode(digest).decode()
