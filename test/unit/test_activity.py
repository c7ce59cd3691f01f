"""The lab's judge of two active hosts: what heartbeats mean."""

import itertools

import activity
import pytest


def beats(host, *times, service="cloudera-scm-server", process="7.100"):
    return [f"{time:.3f} {host} {service} {process}\n" for time in times]


def overlaps(*logs):
    return activity.overlaps(activity.intervals(activity.beats(itertools.chain(*logs))))


def test_a_process_is_active_from_its_first_heartbeat_to_its_last_however_long_it_waited():
    (interval,) = activity.intervals(activity.beats(beats("cms1", 10.0, 10.9, 14.8)))
    assert (interval.host, interval.start, interval.end) == ("cms1", 10.0, 14.8)


def test_the_same_pid_after_a_boot_is_another_process():
    log = beats("cms1", 10.0, 10.5) + beats("cms1", 11.1, process="7.200")
    found = activity.intervals(activity.beats(log))
    assert [(each.start, each.end) for each in found] == [(10.0, 10.5), (11.1, 11.1)]


@pytest.mark.parametrize(
    ("theirs", "seconds"),
    [
        ([10.5, 11.0, 11.5, 12.0], [0.5]),  # before the first ended
        ([10.2, 10.4], [0.2]),  # within the first
        ([9.0, 9.9, 10.8, 11.7], [1.0]),  # around it
        ([11.0, 11.5], [0.0]),  # at the very instant of its end
        ([11.05, 11.5], []),  # after it
    ],
)
def test_two_hosts_at_once(theirs, seconds):
    found = overlaps(beats("cms1", 10.0, 10.5, 11.0), beats("cms2", *theirs))
    assert [round(each.end - each.start, 3) for each in found] == seconds


def test_every_pair_of_three_hosts_is_looked_at():
    found = overlaps(*[beats(host, 10.0, 10.5) for host in ("a", "b", "c")])
    assert [each.hosts for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_another_service_or_another_process_of_the_same_host_is_no_second_host():
    assert not overlaps(beats("cms1", 10.0), beats("cms2", 10.0, service="cloudera-scm-agent"))
    assert not overlaps(beats("cms1", 10.0), beats("cms1", 10.0, process="8.100"))


def test_what_was_before_and_half_a_line_dont_count():
    lines = [*beats("cms1", 9.0, 10.0), "11.0 cms2 cloudera-scm-ser"]
    assert [beat.time for beat in activity.beats(lines, since=9.5)] == [10.0]


def test_the_command_says_it_by_its_exit_code(tmp_path, capsys):
    log = tmp_path / "activity.log"
    log.write_text("".join(beats("cms1", 10.0) + beats("cms2", 11.0)))
    assert activity.main([log]) == 0
    log.write_text("".join(beats("cms1", 10.0, 10.9) + beats("cms2", 10.5)))
    assert activity.main([log]) == 1
    assert "cms1 and cms2 at once for 0.00 s from 10.50" in capsys.readouterr().out
