#!/bin/bash
# A drainer into Kafka (librdkafka's mock brokers): each message decoded and run as SQL gives the source's
# rows, also after kill -9 and brokers that were away; a message above the limit is refused by its commit_ts.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh

start_mariadb m1 --binlog-row-metadata=FULL
start_mariadb dst
start_sluice
"$SLUICE_BUILD/kafka_run" "$WORK/messages.sql" >"$WORK/kafka.out" 2>&1 &
kafka=$!
at_exit 'kill $kafka 2>/dev/null'
wait_for 20 grep -q ^brokers "$WORK/kafka.out" || die "no brokers: $(cat "$WORK/kafka.out")"
brokers=$(sed -n 's/^brokers //p' "$WORK/kafka.out")
make_source m1 m1 || die "$(cat "$T/sources/last_error")"
make_pump p1 m1
make_drainer k1 <<END
initial_commit_ts: 0
to: { db_type: kafka, kafka_addrs: "$brokers", topic_name: drained }
END
start_drainer k1
"$SLUICE_BUILD/writer" "$m1_port" kf 5 300 >/dev/null || die "writer"
drained k1 60 m1=m1
for k in 1 2 3; do
    "$SLUICE_BUILD/writer" "$m1_port" kf $((k + 5)) 150 >/dev/null &
    writer=$!
    sleep "0.$((RANDOM % 9 + 1))"; kill_sluice; restart_sluice
    wait $writer
done
sql m1 "CREATE TABLE kf.last (a INT PRIMARY KEY, b YEAR, c BIT(9), d ENUM('a','b'), e BLOB, f JSON, g DOUBLE, h DECIMAL(12,4), i DATETIME(3), j UUID, k INET6, l INET4);
    INSERT INTO kf.last VALUES (1, 1999, b'100000001', 'b', X'00FF', '{\"k\": 1}', 1e-300, -12.5, '2026-01-31 12:00:00.125', UUID(), '::ffff:10.0.0.1', '10.0.0.1'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '1:2:3:0:5:6:7:8', NULL)"
drained k1 60 m1=m1
is_there() { grep -q "INSERT INTO \`kf\`.\`last\`.*VALUES (2," "$WORK/messages.sql"; }
wait_for 30 is_there || die "the last message did not come: $(cat "$WORK/kafka.out"; tail -3 "$WORK/messages.sql")"
{ echo "SET SESSION time_zone='+00:00', foreign_key_checks=0;"; cat "$WORK/messages.sql"; } >"$WORK/replay.sql"
sql_file dst "$WORK/replay.sql" || die "what was consumed is refused"
same_rows m1 dst kf || die "what was consumed does not give the rows"
# Too large a message.
echo >"$T/drainers/k1/pause" || die "$(cat "$T/drainers/k1/last_error")"
echo 2000 >"$T/drainers/k1/to/kafka_max_message_size" || die "$(cat "$T/drainers/k1/last_error")"
sql m1 "CREATE TABLE kf.wide1 (t MEDIUMTEXT); INSERT INTO kf.wide1 VALUES (REPEAT('x', 5000))"
relay_caught_up m1 m1
ts=$(cat "$T/sources/m1/relay/commit_ts")
start_drainer k1
wait_for 30 drainer_is k1 state error || die "5000 bytes passed a limit of 2000"
grep -q "transaction $ts is" "$T/drainers/k1/error" || die "error: $(cat "$T/drainers/k1/error")"
echo "ts=$ts" >"$T/drainers/k1/skip_txn" || die "$(cat "$T/drainers/k1/last_error")"
echo >"$T/drainers/k1/resume" || die "$(cat "$T/drainers/k1/last_error")"
wait_for 30 is_past k1 "$ts" && drainer_is k1 state running || die "not skipped: $(cat "$T/drainers/k1/error")"
kill $kafka; wait $kafka
# Brokers that are away hold up no pause.
sql m1 "INSERT INTO kf.last (a) VALUES (9)"
relay_caught_up m1 m1
has_read() { [ "$(grep -oE '[0-9]{18}' "$T/drainers/k1/pump_pos")" -ge "$(cat "$T/sources/m1/relay/commit_ts")" ]; }
wait_for 20 has_read || die "pump_pos: $(cat "$T/drainers/k1/pump_pos")"
echo >"$T/drainers/k1/pause" 2>/dev/null # which says so when it takes longer than ten seconds
wait_for 12 drainer_is k1 state paused || die "paused it is $(cat "$T/drainers/k1/state"): $(cat "$T/drainers/k1/error")"
note "$(tail -1 "$WORK/kafka.out")"
