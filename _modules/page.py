"""
Ask a service for its page, as a client does. That its port takes connections says little: the kernel does
that for a process that hangs, too.
"""

import contextlib
import http.client
import ssl
import threading


def __virtual__():
    return True


def answers(port, address="127.0.0.1", seconds=5):
    """
    Whether a service answers a request by HTTP, or by HTTPS where it wants that.

    An answer that says that the server has failed or isn't ready (5xx) is none; what it says otherwise, to be
    elsewhere or who one is, doesn't matter.

    port
        A TCP port.
    address
        The default is this host's own.
    seconds
        The most that all of it may take, a number. A server that hangs may give its answer byte by byte.

    CLI Example:

    .. code-block:: bash

        salt cms1 page.answers 7180
    """
    said = []
    asker = threading.Thread(
        target=lambda: said.append(_answers(address, int(port), seconds)), daemon=True
    )
    asker.start()
    asker.join(seconds)
    return said == [True]


def _answers(address, port, seconds):
    plain = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        return _status(plain) < 500
    except TimeoutError:
        return False  # what doesn't answer at all speaks no other language either
    except (OSError, http.client.HTTPException):
        return _answers_encrypted(address, port, seconds)


def _answers_encrypted(address, port, seconds):
    # it is asked whether it answers, not who it is
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    encrypted = http.client.HTTPSConnection(address, port, timeout=seconds, context=context)
    with contextlib.suppress(OSError, http.client.HTTPException):
        return _status(encrypted) < 500
    return False


def _status(connection):
    with contextlib.closing(connection):
        connection.request("GET", "/")
        return connection.getresponse().status
