#!/bin/bash
# Two-way replication between a MariaDB and a MySQL server with marks (loopback_control): both write under
# load, no change comes back to where it was made, and both ends have the same rows.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb a
start_mysql b
start_sluice
for s in a b; do
    sql $s "CREATE DATABASE two; CREATE TABLE two.t (id INT PRIMARY KEY, v VARCHAR(40), n INT)"
done
for s in a b; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
    relay_caught_up $s $s
done
way() { # name pump to-server sync_ddl
    make_drainer "$1" <<END
pumps: [$2]
initial_commit_ts: $(cat "$T/sources/${2#p_}/relay/commit_ts")
syncer: { loopback_control: true, channel_id: 7, sync_ddl: $4 }
to: { db_type: mysql, host: 127.0.0.1, port: $(port_of "$3"), user: sluice, password: sluice }
END
    start_drainer "$1"
}
way ab p_a b true
way ba p_b a false
load() { # server parity: rows of its own, and each changes only these
    for n in $(seq 200); do
        k=$((2 * (RANDOM % 150) + $2))
        echo "REPLACE INTO t VALUES ($k, '$1 $n', $n); UPDATE t SET n = n + 1, v = CONCAT('$1', n) WHERE id BETWEEN $k AND $((k + 10)) AND id % 2 = $2; DELETE FROM t WHERE id = $((k + 12));"
    done >"$WORK/load.$1.sql"
    # The drainer's rows lie between, so one of the two may be the victim of a deadlock (1213): it makes one change less.
    sql_file "$1" "$WORK/load.$1.sql" two --force 2>"$WORK/load.$1.err"
    ! grep '^ERROR' "$WORK/load.$1.err" | grep -v '^ERROR 1213 ' >&2
}
load a 0 & la=$!
load b 1 & lb=$!
wait $la && wait $lb || die "load"
sql a "ALTER TABLE two.t ADD COLUMN extra INT DEFAULT 5; UPDATE two.t SET extra = id WHERE id % 2 = 0"
settled() { # nothing is on the way any more
    relay_caught_up a a; relay_caught_up b b
    local ta tb
    ta=$(cat "$T/sources/a/relay/commit_ts"); tb=$(cat "$T/sources/b/relay/commit_ts")
    wait_for 60 is_past ab "$ta" && wait_for 60 is_past ba "$tb"
}
for _ in 1 2; do settled || { drainer_trouble ab; die "not settled"; }; done
for d in ab ba; do [ -z "$(cat "$T/drainers/$d/error")" ] || { drainer_trouble $d; die "$d: $(cat "$T/drainers/$d/error")"; }; done
same_rows a b two || die "the ends differ"
# Nothing loops: at rest no row is written at either end.
before="$(cat "$T/drainers/ab/rows") $(cat "$T/drainers/ba/rows")"
sleep 4
[ "$before" = "$(cat "$T/drainers/ab/rows") $(cat "$T/drainers/ba/rows")" ] || die "rows go round: $before, then $(cat "$T/drainers/ab/rows") $(cat "$T/drainers/ba/rows")"
made=$(sql a "SELECT COUNT(*) FROM two.t")
[ "$made" -gt 100 ] || die "only $made rows"
# Each change went over once: what ab wrote at b came from a alone.
sql a "INSERT INTO two.t (id, v) VALUES (100001, 'once')"
settled || die "not settled"
[ "$(sql b "SELECT v FROM two.t WHERE id=100001")" = once ] || die "it did not come"
[ "$(cat "$T/drainers/ba/rows")" = "${before#* }" ] || die "it came back"
note "$before rows went over, $made are there"
