#!/bin/bash
# Three pumps on MariaDB and MySQL merged into one target: rows equal after load; a paused pump holds the
# others up, a closed one goes once drained; kill -9 of the daemon in between loses nothing, doubles nothing.
#
# KILLS (3) of the daemon under load; SEED repeats a run.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/drainer.sh
KILLS=${KILLS:-3}
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
note "seed $SEED, $KILLS kills"

start_mariadb m1
start_mariadb m2
start_mysql my
start_mariadb dst
start_sluice
for s in m1 m2 my; do
    make_source $s $s || die "$(cat "$T/sources/last_error")"
    make_pump p_$s $s
done
make_drainer d1 <<END
initial_commit_ts: 0
detect_interval: 1
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
END
start_drainer d1
writers=""
write() { # seed transactions
    writers=""
    "$SLUICE_BUILD/writer" "$m1_port" w1 "$1" "$2" >/dev/null & writers="$writers $!"
    "$SLUICE_BUILD/writer" "$m2_port" w2 "$1" "$2" >/dev/null & writers="$writers $!"
    "$SLUICE_BUILD/writer" "$my_port" w3 "$1" "$2" >/dev/null & writers="$writers $!"
}
written() { local w; for w in $writers; do wait "$w" || die "writer"; done; }
same() {
    drained d1 90 m1=m1 m2=m2 my=my
    same_rows m1 dst w1 && same_rows m2 dst w2 && same_rows my dst w3 || { drainer_trouble d1; die "the ends differ: $1"; }
}
write "$SEED" 300; written
same "three pumps"
[ "$(jq length "$T/drainers/d1/pump_pos")" = 3 ] || die "pump_pos: $(cat "$T/drainers/d1/pump_pos")"

# A paused pump: nothing of the others that is later may pass.
echo >"$T/pumps/p_m2/pause" || die "$(cat "$T/pumps/p_m2/last_error")"
pump_is p_m2 node_state paused || die "paused it is $(cat "$T/pumps/p_m2/node_state")"
echo >"$T/pumps/p_m2/pause" 2>/dev/null && die "paused twice"
sleep 2
sql m1 "CREATE TABLE w1.late (a INT PRIMARY KEY); INSERT INTO w1.late VALUES (1)"
relay_caught_up m1 m1
sleep 3
sql dst "SELECT * FROM w1.late" 2>/dev/null | grep -q 1 && die "the merge did not wait for the paused pump"
echo >"$T/pumps/p_m2/resume" || die "$(cat "$T/pumps/p_m2/last_error")"
same "after a pause"

# kill -9 under load.
for kill in $(seq "$KILLS"); do
    write $((SEED + kill)) 150
    sleep "0.$((RANDOM % 900 + 100))"
    kill_sluice
    restart_sluice
    note "kill $kill: at $(cat "$T/drainers/d1/last_ts")"
    written
done
same "after $KILLS kills"

# A close waits for drainers that are not offline; what they still need is not taken away with a pump or a source.
echo >"$T/drainers/d1/pause" || die "$(cat "$T/drainers/d1/last_error")"
sql my "CREATE TABLE w3.late2 (a INT PRIMARY KEY)"
relay_caught_up my my
has_late() { [ "$(cat "$T/pumps/p_my/max_commit_ts")" -ge "$(cat "$T/sources/my/relay/commit_ts")" ]; }
wait_for 20 has_late || die "the pump does not tell of what it has"
echo >"$T/pumps/p_my/pause" || die "$(cat "$T/pumps/p_my/last_error")"
wait_for 20 pump_is p_my state paused || die "paused it is $(cat "$T/pumps/p_my/state")"
rmdir "$T/pumps/p_my" 2>/dev/null && die "a pump is removed that is not drained"
grep -q "drainer d1 has consumed up to" "$T/pumps/p_my/last_error" || die "$(cat "$T/pumps/p_my/last_error")"
rmdir "$T/sources/my" 2>/dev/null && die "a source is removed whose journal is not drained"
grep -q "drainers/d1 goes on from what is stored" "$T/sources/my/last_error" || die "$(cat "$T/sources/my/last_error")"
echo >"$T/pumps/p_my/resume" || die "$(cat "$T/pumps/p_my/last_error")"
echo >"$T/pumps/p_my/close" || die "$(cat "$T/pumps/p_my/last_error")"
sleep 3
pump_is p_my node_state closing || die "a pump that is not drained is $(cat "$T/pumps/p_my/node_state")"
echo >"$T/drainers/d1/resume" || die "$(cat "$T/drainers/d1/last_error")"
wait_for 30 pump_is p_my node_state offline || { drainer_trouble d1; die "drained, it is $(cat "$T/pumps/p_my/node_state")"; }
sql dst "SHOW TABLES FROM w3" | grep -qx late2 || die "closed before it was drained"

# Without it the merge goes on.
write $((SEED + 100)) 50
written
drained d1 60 m1=m1 m2=m2
same_rows m1 dst w1 && same_rows m2 dst w2 || die "the ends differ without the pump that was closed"
rmdir "$T/pumps/p_my" || die "$(cat "$T/pumps/last_error")"
echo >"$T/drainers/d1/close" || die "$(cat "$T/drainers/d1/last_error")"
wait_for 20 drainer_is d1 node_state offline || die "closed it is $(cat "$T/drainers/d1/node_state")"
rmdir "$T/drainers/d1" || die "$(cat "$T/drainers/last_error")"
note "pumps and drainers: $(sql dst "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE 'w_'") tables"
