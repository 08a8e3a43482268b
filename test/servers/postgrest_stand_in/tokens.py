"""Verifies signed tokens: EdDSA by openssl, HS256 here. Other algorithms the stand-in does not know."""

import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
import time

from failures import Refusal, invalid_token, unknown

# What comes before the 32 bytes of a public key in its DER form.
ED25519 = bytes.fromhex("302a300506032b6570032100")
SKEW = 30


def _bytes(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signed_by_ed25519(key, signed, signature):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("key", ED25519 + _bytes(key["x"])), ("signed", signed), ("signature", signature)):
            with open(f"{folder}/{name}", "wb") as file:
                file.write(content)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", f"{folder}/key", "-rawin", "-in",
                               f"{folder}/signed", "-sigfile", f"{folder}/signature"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


def _is_signed(header, signed, signature, secret):
    if not secret.startswith("{"):
        return header.get("alg") == "HS256" and hmac.compare_digest(signature, hmac.digest(secret.encode(), signed, hashlib.sha256))
    if header.get("alg") != "EdDSA":
        raise unknown(f"tokens signed by {header.get('alg')}")
    keys = [key for key in json.loads(secret)["keys"] if key.get("crv") == "Ed25519" and header.get("kid") in (None, key.get("kid"))]
    return any(_signed_by_ed25519(key, signed, signature) for key in keys)


def claims_of(token, settings):
    """The claims of a token that is valid; refuses any other."""
    if not settings["jwt-secret"]:
        raise Refusal(500, "PGRST300", "Server lacks JWT secret")
    parts = token.split(".")
    if len(parts) != 3:
        raise invalid_token(f"Expected 3 parts in JWT; got {len(parts)}")
    try:
        header, claims, signature = json.loads(_bytes(parts[0])), json.loads(_bytes(parts[1])), _bytes(parts[2])
    except ValueError as error:
        raise invalid_token("JWT cryptographic operation failed") from error
    if not _is_signed(header, ".".join(parts[:2]).encode(), signature, settings["jwt-secret"]):
        raise invalid_token("No suitable key or wrong key type")
    for name, wrong, message in (("exp", lambda at: at < time.time() - SKEW, "JWT expired"), ("nbf", lambda at: at > time.time() + SKEW, "JWT not yet valid"),
                                 ("iat", lambda at: at > time.time() + SKEW, "JWT issued at future"),
                                 ("aud", lambda aud: settings["jwt-aud"] and settings["jwt-aud"] not in (aud if isinstance(aud, list) else [aud]), "JWT not in audience")):
        if name in claims and wrong(claims[name]):
            raise Refusal(401, "PGRST303", message, headers=invalid_token(message).headers)
    return claims
