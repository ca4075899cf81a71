#!/bin/bash
# From which commit_ts on is from now on: MariaDB's binlog tells the second only, and yet a drainer that begins at a pump's
# commit_ts has every row committed later and none from before, also after kill -9; no two pumps' transactions share one.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1 --binlog-row-metadata=FULL
start_mariadb m2 --binlog-row-metadata=FULL
start_mariadb dst
start_sluice
for s in m1 m2; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p$s $s
    sql $s "CREATE DATABASE d$s; CREATE TABLE d$s.t (id INT PRIMARY KEY AUTO_INCREMENT, part VARCHAR(20))"
done
sql dst "CREATE DATABASE dm1; CREATE TABLE dm1.t (id INT PRIMARY KEY, part VARCHAR(20)); CREATE DATABASE dm2; CREATE TABLE dm2.t (id INT PRIMARY KEY, part VARCHAR(20))"
target() { echo "to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice, checkpoint: { schema: ckpt$1 } }"; }

# --- each commit before is not above it, each after is, many times a second
relay_caught_up m1 m1
last=0
for i in $(seq 12); do
    sql m1 "INSERT INTO dm1.t (part) VALUES ('before $i')"
    relay_caught_up m1 m1
    before=$(cat "$T/sources/m1/relay/commit_ts")
    ts=$(cat "$T/pumps/pm1/commit_ts")
    [ "$i" != 6 ] || { kill_sluice; restart_sluice; }
    sql m1 "INSERT INTO dm1.t (part) VALUES ('after $i')"
    relay_caught_up m1 m1
    after=$(cat "$T/sources/m1/relay/commit_ts")
    { [ "$before" -le "$ts" ] && [ "$ts" -lt "$after" ]; } || die "round $i: $before before, $ts, $after after"
    [ "$ts" -gt "$last" ] || die "round $i: $ts is not above $last"
    last=$ts
done

# --- a drainer from there, over both pumps, while both sources are written
for s in m1 m2; do
    (for _ in $(seq 60); do sql $s "INSERT INTO d$s.t (part) VALUES ('early')" || exit 1; done) & writers="${writers:-} $!"
done
for i in $writers; do wait "$i" || die "a writer failed"; done; writers=
ids() { sql "$1" "SELECT COALESCE(MAX(id), 0) FROM $2.t"; }
relay_caught_up m1 m1; relay_caught_up m2 m2
ts=$(cat "$T/pumps/pm2/commit_ts") low1=$(ids m1 dm1) low2=$(ids m2 dm2)
for s in m1 m2; do
    (for _ in $(seq 60); do sql $s "INSERT INTO d$s.t (part) VALUES ('late')" || exit 1; done) & writers="${writers:-} $!"
done
for i in $writers; do wait "$i" || die "a writer failed"; done; writers=
{ echo "initial_commit_ts: $ts"; target a; } | make_drainer d1
start_drainer d1
drained d1 60 m1=m1 m2=m2
has() { sql dst "SELECT COALESCE(GROUP_CONCAT(id ORDER BY id), '') FROM $1.t"; }
wants() { sql "$1" "SELECT GROUP_CONCAT(id ORDER BY id) FROM $2.t WHERE id > $3"; }
[ "$(has dm1)" = "$(wants m1 dm1 "$low1")" ] || die "from $ts on: $(has dm1), not $(wants m1 dm1 "$low1")"
[ "$(has dm2)" = "$(wants m2 dm2 "$low2")" ] || die "from $ts on: $(has dm2), not $(wants m2 dm2 "$low2")"
note "from $ts on: $(sql dst "SELECT COUNT(*) FROM dm1.t") and $(sql dst "SELECT COUNT(*) FROM dm2.t") rows, none from before"
echo >"$T/drainers/d1/pause" || die "$(cat "$T/drainers/d1/last_error")"

# --- a digit too many is no time to wait for
future=$((ts + (3600 * 10000 << 18)))
echo "commitTS = $future" 2>/dev/null >"$T/drainers/d1/savepoint" && die "a savepoint in the future is taken"
grep -q "hours from now" "$T/drainers/d1/last_error" || die "$(cat "$T/drainers/d1/last_error")"
echo "commitTS = -5" 2>/dev/null >"$T/drainers/d1/savepoint" && die "a savepoint below nothing is taken"
{ echo "initial_commit_ts: $future"; target f; } | make_drainer never
start_drainer never
wait_for 20 drainer_is never state error || die "it waits for years: $(cat "$T/drainers/never/state")"
grep -q "hours from now" "$T/drainers/never/error" || die "$(cat "$T/drainers/never/error")"
rmdir "$T/drainers/never" || die "$(cat "$T/drainers/never/last_error")"

# --- without a commit_ts: from the moment on that start returns
sql dst "DELETE FROM dm1.t; DELETE FROM dm2.t"
target b | make_drainer d2
low1=$(ids m1 dm1) low2=$(ids m2 dm2)
relay_caught_up m1 m1; relay_caught_up m2 m2
start_drainer d2
wait_for 20 drainer_is d2 state running || die "d2: $(cat "$T/drainers/d2/state")"
begun() { grep -q 'drainers/d2.*pump pm2: from' "$SLUICE_LOG"; }
wait_for 20 begun || die "d2 did not begin"
for i in 1 2 3 4 5; do sql m1 "INSERT INTO dm1.t (part) VALUES ('now')"; sql m2 "INSERT INTO dm2.t (part) VALUES ('now')"; done
drained d2 60 m1=m1 m2=m2
[ "$(has dm1)" = "$(wants m1 dm1 "$low1")" ] && [ "$(has dm2)" = "$(wants m2 dm2 "$low2")" ] || die "from now on: $(has dm1) / $(has dm2)"
echo >"$T/drainers/d2/pause"

# --- a consumer that drops what is not above the last commit_ts loses nothing of two pumps
"$SLUICE_BUILD/kafka_run" "$WORK/messages.sql" >"$WORK/kafka.out" 2>&1 &
kafka=$!
at_exit 'kill $kafka 2>/dev/null'
wait_for 20 grep -q ^brokers "$WORK/kafka.out" || die "no brokers: $(cat "$WORK/kafka.out")"
make_drainer k1 <<END
initial_commit_ts: 0
to: { db_type: kafka, kafka_addrs: "$(sed -n 's/^brokers //p' "$WORK/kafka.out")", topic_name: drained }
END
start_drainer k1
drained k1 60 m1=m1 m2=m2
sql m1 "CREATE TABLE dm1.copy (PRIMARY KEY (id)) SELECT * FROM dm1.t" # a statement and rows in one transaction
sql m1 "CREATE TABLE dm1.last (id INT PRIMARY KEY); INSERT INTO dm1.last VALUES (1)"
drained k1 60 m1=m1 m2=m2
wait_for 30 grep -q 'INSERT INTO `dm1`.`last`' "$WORK/messages.sql" || die "the last message did not come"
kill $kafka; wait $kafka
tail -1 "$WORK/kafka.out" | grep -q ' 0 dropped' || die "$(tail -1 "$WORK/kafka.out")"
sql dst "DROP DATABASE dm1; DROP DATABASE dm2"
sql_file dst "$WORK/messages.sql" || die "what was consumed is refused"
same_rows m1 dst dm1 && same_rows m2 dst dm2 || die "what was consumed does not give the rows"
