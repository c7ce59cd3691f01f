"""
A new key for Corosync, as the pillar data that ``cmha:corosync:authkey`` takes.

Runs at the master: it takes random bytes, and may run ``gpg``.
"""

import base64
import os
import subprocess
import textwrap

# Bytes, by generation: what its own corosync-keygen makes (corosync-keygen(8)), and 1.x and 2.x read
_SIZES = {1: 128, 2: 128, 3: 256}


def __virtual__():
    return True


def made(generation=3, recipient=None, gnupghome=None):
    """
    Make a key.

    generation
        Of the Corosync that shall read it: 1, 2 or 3. Every generation can read a key of 1 or 2.
    recipient
        To whom GPG encrypts it, by id, fingerprint or address; the default is nobody.
    gnupghome
        The directory of GPG's keys.

    Returns YAML, a pillar file that ends with a line break. Raises ValueError with one line when it can't be
    made.
    """
    if generation not in _SIZES:
        known = ", ".join(map(str, _SIZES))
        raise ValueError(f"generation should be one of {known}, is {generation!r}")
    text = base64.encodebytes(os.urandom(_SIZES[generation])).decode()
    head = ""
    if recipient:
        text, head = _encrypted(text, str(recipient), gnupghome), "#!yaml|gpg\n\n"
    return f"{head}cmha:\n  corosync:\n    authkey: |\n{textwrap.indent(text, ' ' * 6)}"


def _encrypted(text, recipient, gnupghome):
    command = ["gpg", "--batch", "--no-tty", "--trust-model", "always", "--armor", "--encrypt"]
    if gnupghome:
        command += ["--homedir", gnupghome]
    try:
        # the key goes by standard input: a command line is everybody's to read
        done = subprocess.run(
            [*command, "--recipient", recipient],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ValueError(f"gpg can't be run on this master: {error.strerror}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise ValueError(f"gpg doesn't encrypt to {recipient} (keys in {gnupghome}): {said}")
    return done.stdout
