"""TLS contexts from the configuration's certificates: 1.2 or newer, the other side checked (PS3.15, annex B.12)."""

import ssl

from livermre.apps.node.config import Tls
from livermre.exam.errors import SettingsError


def server_context(tls: Tls) -> ssl.SSLContext:
    """Of the receiving side; with `ca` a client without a certificate of it is turned away."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, tls)
    context.verify_mode = ssl.CERT_REQUIRED if tls.ca else ssl.CERT_NONE
    return context


def client_context(tls: Tls | None) -> ssl.SSLContext:
    """Of the sending side; the other side's certificate is always checked, its host name unless check_name is false."""
    tls = tls or Tls()
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls.check_name
    _load(context, tls)
    return context


def reason(error: Exception) -> str:
    """Why two did not come to terms, in OpenSSL's own fixed words (nothing that the other side wrote)."""
    words = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    more = getattr(error, "verify_message", None)
    return f"{words} ({more})" if more else str(words)


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key)
        if tls.ca is not None:
            context.load_verify_locations(tls.ca)
    except ssl.SSLError as error:
        raise SettingsError("tls: certificate, key and ca do not fit together or are no PEM") from error
    except OSError as error:
        missing = [str(p) for p in (tls.certificate, tls.key, tls.ca) if p is not None and not p.is_file()]
        raise SettingsError(f"tls: cannot read {', '.join(missing) or 'a certificate'} ({error.strerror})") from error
