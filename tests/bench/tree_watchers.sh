#!/bin/bash
# What 2,000 inotify watchers on a busy task cost its stream: a backlog is applied with and without them.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh
N=${N:-100000} WATCHERS=${WATCHERS:-2000} PAIRS=${PAIRS:-7}
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
stop_watchers() { kill "$watchers"; wait "$watchers"; note "$(tail -n 1 "$WORK/watchers") reads of events, seconds of CPU of the $WATCHERS watchers"; }

cpu() { awk -v hz="$(getconf CLK_TCK)" '{ s += $14 + $15 } END { print s / hz }' "/proc/$sluiced_pid/stat" \
    $(pgrep -P "$sluiced_pid" | sed 's|.*|/proc/&/stat|'); } # of the daemon and its child, seconds
of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b / a }'; }

# A pair at a time, each way round in turn, since the table grows and the machine changes.
without() { local b; backlog; b=$(cpu); wall_without=$(seconds apply) || die "without"; cpu_without=$(awk -v a="$b" -v b="$(cpu)" 'BEGIN { print b - a }'); }
with() {
    local b
    backlog; start_watchers
    b=$(cpu); wall_with=$(seconds apply) || die "with"; cpu_with=$(awk -v a="$b" -v b="$(cpu)" 'BEGIN { print b - a }')
    stop_watchers
}
walls="" all_with="" all_without=""
without # warm
for i in $(seq "$PAIRS"); do
    if [ $((i % 2)) = 0 ]; then without; with; else with; without; fi
    note "$N transactions: without $wall_without s ($cpu_without of CPU), with $WATCHERS watchers $wall_with s ($cpu_with)"
    walls="$walls $(of "$wall_without" "$wall_with")"
    all_with="$all_with $cpu_with" all_without="$all_without $cpu_without"
done
# shellcheck disable=SC2086
{ most_goal "stream with $WATCHERS inotify watchers, times the time without" 1.10 "$(median $walls)"
  most_goal "CPU of the daemon with them, times that without" 1.10 "$(of "$(median $all_without)" "$(median $all_with)")"; }
