#!/bin/bash
# A commit at the source waits for our disk and for replicas of ours, as many as a server asks for: never acknowledged
# before they have it, whoever is killed; too few in time is said and commits go on; they count again once they are back.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_mariadb src --rpl-semi-sync-master-enabled=ON --rpl-semi-sync-master-timeout=60000
for r in one two; do
    start_mariadb "$r" --log-slave-updates=OFF
    sql "$r" "SET GLOBAL rpl_semi_sync_slave_enabled=1"
done
start_sluice
serve_port=$(free_port) # the same after a restart
R=$T/sources/s/relay S=$T/servers/b
status_of() { sql src "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_$1'" | cut -f2; }
is() { [ "$(cat "$S/$1")" = "$2" ]; }
relay_active() { [ "$(cat "$R/semi_sync_active")" = true ] && [ "$(status_of clients)" = 1 ]; }
trouble() { cat "$S/status" >&2; replica_trouble one; }
received() { # replica: does its relay log, or what it applied, have everything that the source has?
    local have
    have=$(replica_field "$1" Gtid_IO_Pos)
    [ "$have" = "$(sql src 'SELECT @@gtid_binlog_pos')" ]
}

make_source s src && echo true >"$R/semi_sync" && echo >"$R/start" || die "$(cat "$R/last_error")"
wait_for 30 relay_active || { relay_trouble s; die "semi-sync is not active"; }
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))"
! make_server b s $'semi_sync_wait_for_replica_count: 2' 2>/dev/null || die "replicas are waited for that nobody asks"
grep -q 'only with semi_sync' "$S/last_error" || die "$(cat "$S/last_error")"
echo 60000 >"$S/semi_sync_timeout"; echo true >"$S/semi_sync" && start_server b || die "no server"
attach one b gtid; attach two b gtid
replica_has one src; replica_has two src
wait_for 20 is semi_sync_clients 2 || { trouble; die "$(cat "$S/semi_sync_clients") replicas acknowledge"; }
is semi_sync_active true || { trouble; die "the source does not wait for replicas"; }

# What returned is in the relay logs of both, each time.
for i in 1 2 3 4 5 6 7 8 9 10; do
    sql src "INSERT INTO d.t (v) VALUES ('round $i')"
    received one && received two || { trouble; die "round $i: acknowledged before both had it"; }
done
[ "$(cat "$S/semi_sync_yes_tx")" -ge 10 ] || die "only $(cat "$S/semi_sync_yes_tx") acknowledgements waited"
[ "$(cat "$S/semi_sync_safe_file") $(cat "$S/semi_sync_safe_offset")" = "$(source_end src)" ] || die "safe up to $(cat "$S/semi_sync_safe_offset"), the source is at $(source_end src)"
serve_port=$(cat "$S/port")
as_client mariadb "SHOW STATUS LIKE 'Rpl_semi_sync_master_%'" | tr '\t\n' '  ' | grep -q 'master_clients 2 .*no_times 0 .*status ON' || die "$(as_client mariadb "SHOW STATUS LIKE 'rpl%'")"

# One of two is away: the commit waits.
kill -STOP "$two_pid"
sql src "INSERT INTO d.t (v) VALUES ('waits')" & commit=$!
for i in 1 2 3 4 5; do sleep 0.1; kill -0 $commit 2>/dev/null || die "the commit did not wait for the second replica"; done
kill -CONT "$two_pid"
wait $commit || die "the commit failed"
received two || die "acknowledged before the second replica had it"

# sluiced dies while it waits: nothing was acknowledged, and nothing is until both have it.
kill -STOP "$two_pid"
sql src "INSERT INTO d.t (v) VALUES ('killed')" & commit=$!
sleep 0.3
kill_sluice; restart_sluice
wait_for 30 relay_active || { relay_trouble s; die "semi-sync is not active again"; }
sql src "INSERT INTO d.t (v) VALUES ('after the kill')" & commit2=$!
sleep 0.5
kill -0 $commit2 2>/dev/null || die "acknowledged after a restart, without the second replica"
kill -CONT "$two_pid"
wait $commit $commit2
received two || die "acknowledged before the second replica had it"

# Too late: it is said, commits go on, and wait again when the replica is back.
echo >"$S/stop"; echo 700 >"$S/semi_sync_timeout"; start_server b || die "no server"
wait_for 30 is semi_sync_clients 2 || die "they do not come back"
sql src "INSERT INTO d.t (v) VALUES ('both')"
kill -STOP "$two_pid"
sql src "INSERT INTO d.t (v) VALUES ('one is gone')"
is semi_sync_no_times 1 || { trouble; die "no_times $(cat "$S/semi_sync_no_times")"; }
is semi_sync_active false || die "active without the second replica"
wait_for 5 grep -q "\"servers/b\".*\"semi_sync\".*false" "$T/events" || { tail -3 "$T/events"; die "no event"; }
grep -q 'servers/b.*too few replicas acknowledged within 700 ms' "$SLUICE_LOG" || die "it is not said"
sql src "INSERT INTO d.t (v) VALUES ('at once')"
kill -CONT "$two_pid"
wait_for 20 is semi_sync_active true || { trouble; die "not active again"; }
sql src "INSERT INTO d.t (v) VALUES ('both again')"
received one && received two || die "acknowledged before both had it"
[ "$(status_of no_tx)" = 0 ] || die "$(status_of no_tx) commits at the source waited for nobody"
replica_has one src; replica_has two src
same_rows src one d && same_rows src two d || die "rows differ"
