"""
The quorum device of this node's cluster: it may start, and it votes.
"""

import time


def __virtual__():
    return True


def certified(name, made=False):
    """
    Fail when this node has no certificate for the quorum device. Changes nothing: the orchestration has it
    made, see ``cmha_qdevice``.

    name
        The cluster_name.
    made
        Whether the orchestration makes it (``cmha:qnetd``).

    .. code-block:: yaml

        cmf:
          qdevice.certified:
            - made: true
    """
    ret = {"name": name, "result": True, "changes": {}}
    if __salt__["qdevice.certified"](name):
        return {**ret, "comment": f"there is a certificate for {name}"}
    if __opts__["test"] and made:
        # in the orchestration it would be there by now
        return {**ret, "comment": f"a certificate for {name} has to be made first"}
    return {
        **ret,
        "result": False,
        "comment": (
            f"{__grains__['id']} has no certificate for the quorum device of {name}. With cmha:qnetd the "
            "orchestration gets one; else use corosync-qdevice-net-certutil, or set tls: 'off' in "
            "corosync:quorum:device:net"
        ),
    }


def reached(name, port, timeout=10):
    """
    Wait until corosync-qnetd answers this node. Changes nothing.

    name
        The host of corosync-qnetd.
    port
        Its TCP port.
    timeout
        Seconds to wait.

    .. code-block:: yaml

        192.0.2.2:
          qdevice.reached:
            - port: 5403
    """
    ret = {"name": name, "result": True, "changes": {}}
    timeout = 0 if __opts__["test"] else timeout
    why = _asked_until(lambda answer: answer is None, timeout, "qdevice.reaches", name, port)
    if why is None:
        return {**ret, "comment": f"the quorum device {name} answers"}
    if __opts__["test"]:
        return {**ret, "result": None, "comment": f"it would have to answer ({why})"}
    return {
        **ret,
        "result": False,
        "comment": (
            f"{__grains__['id']} doesn't reach the quorum device {name} on TCP port {port} ({why}). Its "
            "cluster goes on as it was; see the firewall there, and the network between them"
        ),
    }


def votes(name, timeout):
    """
    Wait until the quorum device is connected and votes. Changes nothing.

    name
        The host of corosync-qnetd.
    timeout
        Seconds to wait.

    .. code-block:: yaml

        192.0.2.2:
          qdevice.votes:
            - timeout: 120
    """
    ret = {"name": name, "result": True, "changes": {}}
    timeout = 0 if __opts__["test"] else timeout
    status = _asked_until(lambda answer: answer["votes"], timeout, "qdevice.status")
    if status["votes"]:
        return {**ret, "comment": f"the quorum device {name} votes"}
    if __opts__["test"]:
        return {**ret, "result": None, "comment": f"it would have to vote ({status['state']})"}
    return {
        **ret,
        "result": False,
        "comment": (
            f"after {timeout} s the quorum device {name} doesn't vote on {__grains__['id']}: "
            f"{status['state']}; see corosync-qnetd there, and TCP between them"
        ),
    }


def _asked_until(is_good, timeout, function, *arguments):
    """What a function answers last: something good, or what it says when the time is over."""
    end = time.monotonic() + timeout
    while not is_good(answer := __salt__[function](*arguments)) and time.monotonic() < end:
        time.sleep(1)
    return answer
