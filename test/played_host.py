"""What the hosts that play one of Cloudera's services for an OCF agent have in common."""

import os


class PlayedHost:
    """A directory, whose files say what happens, and in which the programs are that an agent calls."""

    def __init__(self, directory):
        self._directory = directory

    def set(self, name, value=""):
        (self._directory / name).write_text(f"{value}\n")

    def environment(self):
        return {**os.environ, "PATH": f"{self._directory / 'bin'}:{os.environ['PATH']}"}

    def _write_program(self, name, text):
        path = self._directory / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        path.chmod(0o755)
