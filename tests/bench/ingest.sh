#!/bin/bash
# Records on disk in the journal: groups, each synced, against plain appends with fdatasync of the same; and binlogs.
# SECONDS_EACH a size of group, half of it each side, in turns of a quarter of a second.
set -u
. tests/lib/servers.sh; . tests/bench/lib.sh
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
TRANSACTIONS=${TRANSACTIONS:-150000}
WIDE=${WIDE:-1500}
SECONDS_EACH=${SECONDS_EACH:-10}
run=$SLUICE_BUILD/journal_run

# The goal is for the same groups, one after another.  With one built while the one before is synced, as the relay does,
# now and then two share a sync.
groups() { # bytes goal
    local plain piped waiting
    read -r plain piped waiting < <("$run" "$WORK/groups" groups "$1" "$SECONDS_EACH") || die "groups of $1"
    rm -rf "$WORK/groups"
    note "groups of $1: plain $plain MB/s, journal $waiting MB/s, building one meanwhile $piped MB/s"
    ratio_goal "ingest, groups of $1 bytes synced, against fdatasync" "$2" "$waiting" "$plain"
}
binlog() { # name file
    rm -rf "$WORK/binlog"
    note "ingest of $1: $("$run" "$WORK/binlog" ingest "$2")" || die "ingest of $1"
    note "read of $1: $("$run" "$WORK/binlog" read)" || die "read of $1"
}

for size in 200 1024 4096 16384; do groups $size 0.70; done
groups 65536 0.55
read -r one _ < <("$run" "$WORK/one" readers 1 4) && read -r many _ < <("$run" "$WORK/many" readers 100 4) || die "readers"
most_goal "memory of a journal, MiB more with 100 readers than with 1" 16 $((many - one))
start_mariadb src
make_binlogs src
stop_server src
binlog "sysbench shape" "$oltp_file"
binlog "wide rows" "$wide_file"
