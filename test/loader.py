"""What a test process does once, and not for each test.

Salt's loader lists its directories anew for each of the two dozen loaders that one rendering makes: half of
what those tests would do. Here a directory that hasn't changed is listed once. And each test has modules of
its own, which Python compiles anew where it may keep no bytecode: half of what all the others would do. Here
a source is compiled once.
"""

import importlib.machinery
import os
from contextlib import suppress

from salt.loader.lazy import LazyLoader

_list = LazyLoader._refresh_file_mapping
_listed = {}


def _changed(directory):
    """When something in it came, went or was renamed; Python's own files lie in a directory of theirs."""
    for each in (directory, os.path.join(directory, "__pycache__")):
        with suppress(OSError):
            yield each, os.stat(each).st_mtime_ns


def _list_once(loader):
    key = (
        tuple(each for directory in loader.module_dirs for each in _changed(directory)),
        tuple(loader.static_modules),
        tuple(loader.disabled),
        tuple(loader.suffix_order),
    )
    if key not in _listed:
        _list(loader)
        _listed[key] = loader.file_mapping, loader.suffix_map, loader.suffix_order
    mapping, suffixes, order = _listed[key]
    # of its own, since a loader may add to them
    loader.file_mapping = mapping.copy()
    loader.suffix_map = suffixes.copy()
    loader.suffix_order = order.copy()


_compile = importlib.machinery.SourceFileLoader.source_to_code
_compiled = {}


def _compile_once(loader, data, path, **options):
    key = bytes(data), os.path.basename(path)
    if key not in _compiled:
        _compiled[key] = _compile(loader, data, path, **options)
    return _compiled[key]


def pytest_configure():
    LazyLoader._refresh_file_mapping = _list_once
    importlib.machinery.SourceFileLoader.source_to_code = _compile_once
