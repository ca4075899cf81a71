#!/bin/bash
# Three pumps merged by commit_ts, every row decoded: row events a second, against what TiDB-Binlog's page asks.
set -u
. tests/lib/servers.sh; . tests/bench/lib.sh
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
TRANSACTIONS=${TRANSACTIONS:-60000}
WIDE=${WIDE:-100}

start_mariadb src --binlog-row-metadata=FULL
make_binlogs src
stop_server src
"$SLUICE_BUILD/merge_run" "$WORK/merge" "$oltp_file" "$oltp_file" "$oltp_file" >"$WORK/merge.out" || die "merge: $(cat "$WORK/merge.out")"
note "$(tr '\n' ';' <"$WORK/merge.out")"
rows=$(median $(sed -n 's/^rows \([0-9]*\) .*/\1/p' "$WORK/merge.out"))
ratio_goal "merge of 3 pumps, row events/s, against 200,000" 1.0 "$rows" 200000
