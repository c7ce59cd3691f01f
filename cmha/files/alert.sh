#!/bin/sh
# Pacemaker alert agent: leaves each alert as a file in a spool directory, the alert's recipient. The
# beacon cmha_alerts of the Salt minion takes them from there. Written by Salt (cmha).
#
# Pacemaker runs it as hacluster, and says everything by environment: CRM_alert_kind and so on.

SPOOL=${CRM_alert_recipient:-}
MOST=1000 # files that may wait, should the minion be dead

FIELDS="kind node nodeid rsc task interval rc target_rc status desc timestamp_epoch timestamp_usec"

# Pacemaker can do nothing about an alert that is lost, so it isn't told of a failure either.
drop() {
    echo "cmha: alert dropped: $1" >&2
    exit 0
}

full() {
    set -- "$SPOOL"/*
    [ $# -gt "$MOST" ]
}

# With zeros in front, names sort as numbers do.
padded() {
    digits=0000000000$1
    printf %s "${digits#"${digits%??????????}"}"
}

# By the alert's own time and number, unique by this process.
name() {
    seconds=$(padded "$CRM_alert_timestamp_epoch")
    microseconds=$(padded "${CRM_alert_timestamp_usec:-0}")
    sequence=$(padded "${CRM_alert_node_sequence:-0}")
    echo "$seconds.$microseconds-$sequence-$$"
}

# A line a field: its name, a space, its value.
alert() {
    FIELDS=$FIELDS awk 'BEGIN {
        count = split(ENVIRON["FIELDS"], names, " ")
        for (i = 1; i <= count; i++) {
            value = ENVIRON["CRM_alert_" names[i]]
            gsub(/\n/, " ", value)
            if (value != "") print names[i], value
        }
    }'
}

[ -n "$SPOOL" ] || drop "it has no recipient, which would be the spool directory"
[ -w "$SPOOL" ] || drop "$SPOOL is no directory that $(id -un) may write to"
! full || drop "$MOST alerts wait in $SPOOL; does the Salt minion run?"

# An old Pacemaker says the time in words only.
: "${CRM_alert_timestamp_epoch:=$(date +%s)}"
export CRM_alert_timestamp_epoch

# A name with a dot in front isn't looked at, and a rename is atomic: no half an alert is ever read.
umask 027
file=$(name)
if ! { alert >"$SPOOL/.$file" && mv "$SPOOL/.$file" "$SPOOL/$file"; } 2>/dev/null; then
    rm -f "$SPOOL/.$file"
    drop "it couldn't be written to $SPOOL"
fi
