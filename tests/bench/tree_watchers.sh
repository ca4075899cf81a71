#!/bin/bash
# What 2,000 inotify watchers on a busy task cost its stream: a backlog is applied with and without them.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh
N=${N:-60000} WATCHERS=${WATCHERS:-2000}
# shellcheck disable=SC2046
start_mariadb src $(mariadb_bench_options relaxed) --binlog-row-metadata=FULL
# shellcheck disable=SC2046
start_mariadb dst $(mariadb_bench_options relaxed)
show_settings src dst
sql src "CREATE DATABASE w; CREATE TABLE w.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, c CHAR(120))"
start_sluice
make_source s1 src && make_task w s1 dst w </dev/null && echo >"$T/tasks/w/start" || die "$(cat "$T/tasks/w/last_error")"
caught_up w src

cat >"$WORK/backlog.sql" <<END
DELIMITER //
BEGIN NOT ATOMIC FOR i IN 1..$N DO
    INSERT INTO w.t (n, c) VALUES (i, MD5(i)), (i, MD5(i)), (i, MD5(i)), (i, MD5(i));
END FOR; END //
END
backlog() { # paused, N transactions of four rows wait at the source
    echo >"$T/tasks/w/pause" || die "pause: $(cat "$T/tasks/w/last_error")"
    sql_file src "$WORK/backlog.sql" || die "no backlog"
    pos=$(sql src 'SELECT @@gtid_binlog_pos')
}
apply() { # resumed, until all is there
    echo >"$T/tasks/w/resume" || die "resume: $(cat "$T/tasks/w/last_error")"
    until [ "$(cat "$T"/tasks/w/sources/s1/sync/gtid)" = "$pos" ]; do sleep 0.02; done
}
start_watchers() {
    "$SLUICE_BUILD/tree_latency" watchers "$T/tasks/w" "$WATCHERS" >"$WORK/watchers" & watchers=$!
    wait_for 60 grep -q ready "$WORK/watchers" || die "no watchers"
}
stop_watchers() { kill "$watchers"; wait "$watchers"; note "$(tail -n 1 "$WORK/watchers") reads of events by $WATCHERS watchers"; }

cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$sluiced_pid/stat"; } # of the daemon, seconds
less() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b - a }'; }

with="" without="" cpu_with="" cpu_without=""
for _ in 1 2 3; do
    backlog; before=$(cpu); without="$without $(seconds apply)" || die "without"
    cpu_without="$cpu_without $(less "$before" "$(cpu)")"
    backlog; start_watchers; before=$(cpu); with="$with $(seconds apply)" || die "with"
    cpu_with="$cpu_with $(less "$before" "$(cpu)")"
    stop_watchers
    note "$N transactions: without ${without##* } s, with $WATCHERS watchers ${with##* } s"
done
# shellcheck disable=SC2086
note "the daemon's own seconds of CPU, medians: without $(median $cpu_without), with $(median $cpu_with)"
# shellcheck disable=SC2086
most_goal "stream with $WATCHERS inotify watchers, times the time without" 1.10 \
    "$(awk -v a="$(median $without)" -v b="$(median $with)" 'BEGIN { printf "%.2f", b / a }')"
