#!/bin/bash
# Two pumps on a server and its replica, one drainer (dedup_gtid): each transaction is applied once, also after
# a restart; two shards are routed into one table; gc keeps what a drainer still needs.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1
start_mariadb m2 --log-slave-updates --gtid-strict-mode=0
start_mariadb m3
start_mariadb dst
sql m2 "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$m1_port, MASTER_USER='sluice', MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos; START SLAVE" || die "replica"
start_sluice
for s in m1 m2 m3; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
done
make_drainer d1 <<END
pumps: [p_m1, p_m2]
initial_commit_ts: 0
detect_interval: 1
syncer: { dedup_gtid: true }
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
END
start_drainer d1
replicated() { [ "$(sql m2 "SELECT @@gtid_slave_pos")" = "$(sql m1 "SELECT @@gtid_binlog_pos")" ]; }
for k in 1 2; do
    "$SLUICE_BUILD/writer" "$m1_port" w1 $k 150 >/dev/null || die "writer"
    wait_for 30 replicated || die "the replica: $(sql m2 "SHOW SLAVE STATUS\G" | grep -i error)"
    drained d1 60 m1=m1 m2=m2
    same_rows m1 dst w1 || { drainer_trouble d1; die "applied other than once"; }
    kill_sluice; restart_sluice
done

# Two shards into one table.  (Their order is that of commit_ts, which MariaDB tells by the second.)
for s in m1 m3; do sql $s "CREATE DATABASE sh_$s; CREATE TABLE sh_$s.t (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(20))"; done
sql dst "CREATE DATABASE all_of; CREATE TABLE all_of.t (id INT PRIMARY KEY, u INT UNIQUE, v VARCHAR(20))"
relay_caught_up m1 m1; relay_caught_up m3 m3
make_drainer d2 <<END
pumps: [p_m1, p_m3]
initial_commit_ts: $(cat "$T/pumps/p_m1/commit_ts")
syncer:
  replicate_do_db: [sh_m1, sh_m3]
  table_migrate_rule: [ { source: { schema: "sh_*", table: t }, target: { schema: all_of, table: t } } ]
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice, checkpoint: { type: mysql } }
END
sleep 2 # commit_ts is of our clock, and MariaDB tells its time by the second
for n in $(seq 30); do
    sql m1 "INSERT INTO sh_m1.t VALUES ($((2 * n)), $n, 'm1'); DELETE FROM sh_m1.t WHERE id = $((2 * n))"
    sql m3 "INSERT INTO sh_m3.t VALUES ($((2 * n + 1)), $((n + 500)), 'm3')"
    [ $((n % 3)) = 0 ] && sql m3 "UPDATE sh_m3.t SET u = u + 1000 WHERE id = $((2 * n + 1))" && sql m1 "INSERT INTO sh_m1.t VALUES ($((2 * n)), $n, 'again')"
done
start_drainer d2
drained d2 60 m1=m1 m3=m3
[ "$(sql dst "SELECT COUNT(*), SUM(u), SUM(id) FROM all_of.t")" = "$( (sql m1 "SELECT id, u FROM sh_m1.t"; sql m3 "SELECT id, u FROM sh_m3.t") | awk '{ n++; i += $1; u += $2 } END { printf "%d\t%d\t%d", n, u, i }')" ] ||
    die "all_of.t: $(sql dst "SELECT COUNT(*), SUM(u), SUM(id) FROM all_of.t")"
echo >"$T/drainers/d2/pause" || die "$(cat "$T/drainers/d2/last_error")"
sql dst "SELECT checkPoint FROM tidb_binlog.checkpoint" | grep -q "\"consistent\":true,\"commitTS\":$(cat "$T/drainers/d2/last_ts")," || die "checkpoint: $(sql dst "SELECT * FROM tidb_binlog.checkpoint")"

# GC: what d2, paused, still needs stays; without it, it goes.
"$SLUICE_BUILD/writer" "$m3_port" w3 5 400 >/dev/null || die "writer"
relay_caught_up m3 m3
held=$(jq -r '.["drainers/d2"]' "$T/sources/m3/relay/holds")
[ "$held" -gt 0 ] || die "holds: $(cat "$T/sources/m3/relay/holds")"
echo >"$T/pumps/p_m3/pause"; echo 1ms >"$T/pumps/p_m3/gc_time" || die "$(cat "$T/pumps/p_m3/last_error")"; echo >"$T/pumps/p_m3/resume"
echo >"$T/pumps/p_m3/gc" || die "$(cat "$T/pumps/p_m3/last_error")"
sleep 2
[ "$(cat "$T/sources/m3/relay/first_seq")" -le "$held" ] || die "gc took what a drainer needs"
note "deduplicated, shared, held"
