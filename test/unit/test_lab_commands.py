"""Labs that come and go side by side, as the tests' processes have them."""

from concurrent.futures import ThreadPoolExecutor

from cmhalab import commands, settings


def test_labs_that_end_at_the_same_time(tmp_path, monkeypatch):
    """The last one removes the directory of all: none may stumble over that, as seen where no lab was."""
    labs = tmp_path / "cmha-lab"
    for room in (commands, settings):
        monkeypatch.setattr(room, "LABS", labs)
    monkeypatch.setattr(
        commands.orders, "end_keeper", lambda lab: lab.directory.mkdir(parents=True)
    )
    with ThreadPoolExecutor(max_workers=4) as processes:
        list(processes.map(lambda _: commands.down([]), range(800)))
    assert not labs.exists()
