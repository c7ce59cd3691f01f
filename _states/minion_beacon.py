"""
A beacon of this minion: it runs now, and again after each start of the minion.

Salt's own state ``beacon.present`` reports no change when it adds one, and predicts none; and its ``save``
writes every beacon that happens to run into one file. This one keeps a file of its own, and tells the
minion at once.
"""

import os

import salt.utils.yaml


def __virtual__():
    return True


def present(name, settings):
    """
    Configure a beacon, in a file and in the running minion.

    name
        The beacon's module.
    settings
        Its settings, a mapping.

    .. code-block:: yaml

        cmha_alerts:
          minion_beacon.present:
            - settings: {site: east, pair: cms, spool: /var/spool/cmha/alerts, interval: 2}
    """
    wanted = [{key: value} for key, value in settings.items()]
    text = salt.utils.yaml.safe_dump({"beacons": {name: wanted}}, default_flow_style=False)
    ret = __states__["file.managed"](_file(name), contents=text, mode="0644", makedirs=True)
    return _told(ret, name, wanted, lambda: _add(name, wanted))


def absent(name):
    """
    Take a beacon away, from its file and from the running minion.

    name
        The beacon's module.

    .. code-block:: yaml

        cmha_alerts:
          minion_beacon.absent
    """
    ret = __states__["file.absent"](_file(name))
    return _told(ret, name, None, lambda: __salt__["beacons.delete"](name))


def _file(name):
    directory = os.path.dirname(os.path.join(__opts__["config_dir"], __opts__["default_include"]))
    return os.path.join(directory, f"{name}.conf")


def _told(ret, name, wanted, tell):
    """What became of the file, and then of the running minion."""
    ret = {**ret, "name": name}
    running = __salt__["beacons.list"](return_yaml=False)
    # No list: no minion runs here (salt-call), and the next one reads the file.
    if ret["result"] is False or running is None or running.get(name) == wanted:
        return ret
    changes = {**ret["changes"], "running minion": {"old": running.get(name), "new": wanted}}
    if __opts__["test"]:
        comment = f"the running minion would be told of the beacon {name}"
        return {**ret, "result": None, "changes": changes, "comment": comment}
    told = tell()
    if not told["result"]:
        return {**ret, "result": False, "comment": told["comment"]}
    return {**ret, "changes": changes, "comment": f"the running minion was told of {name}"}


def _add(name, wanted):
    # A highstate syncs modules without a word to the running minion.
    __salt__["saltutil.refresh_beacons"]()
    change = "modify" if name in __salt__["beacons.list"](return_yaml=False) else "add"
    return __salt__[f"beacons.{change}"](name, wanted)
