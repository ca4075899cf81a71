#!/bin/bash
# Semi-sync as a replica: a commit that returned at the source is on our disk, whenever sluiced is killed;
# a source whose commits are not acknowledged waits, and falls back; on MariaDB and MySQL.
#
#     RELAY_KILLS=100 tests/integration/relay_semisync.sh      (8 a flavour by default)
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh

start_mariadb mdb --rpl-semi-sync-master-enabled=ON --rpl-semi-sync-master-timeout=60000
start_mysql my --plugin-load-add=semisync_source.so --loose-rpl-semi-sync-source-enabled=ON --loose-rpl-semi-sync-source-timeout=60000
start_sluice

go() { # server word
    local s=$1 word=$2 i end have R=$T/sources/$1/relay
    status_of() { sql "$s" "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_${word}_$1'" | cut -f2; }
    active() { [ "$(cat "$R/semi_sync_active")" = true ] && [ "$(status_of clients)" = 1 ]; }
    relay_active() { wait_for 30 active || { relay_trouble "$s"; die "semi-sync is not active: $(status_of clients) clients"; }; }
    make_source "$s" "$s" && echo true >"$R/semi_sync" && echo >"$R/start" || die "$(cat "$R/last_error")"
    relay_active
    sql "$s" "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200))"
    for i in $(seq "${RELAY_KILLS:-8}"); do
        for _ in $(seq $((RANDOM % 4))); do sql "$s" "INSERT INTO d.t (v) VALUES (REPEAT('x', $((RANDOM % 200))))"; done
        sql "$s" "INSERT INTO d.t (v) VALUES ('round $i')"
        kill_sluice # at once
        end=$(source_end "$s")
        stored_files "$s" "$WORK/stored" >"$WORK/ends" || die "the journal cannot be read"
        have=$(tail -1 "$WORK/ends" | cut -d' ' -f1,3)
        [ "$have" = "$end" ] || die "round $i: the commit at $end was acknowledged, on our disk is $have"
        restart_sluice
        relay_active
    done
    [ "$(status_of no_tx)" = 0 ] || die "$(status_of no_tx) commits did not wait"
    [ "$(status_of yes_tx)" -ge "${RELAY_KILLS:-8}" ] || die "only $(status_of yes_tx) commits waited"

    # Many at once, while what came before is on its way to the disk.
    for i in 1 2 3 4; do
        (for _ in $(seq 40); do sql "$s" "INSERT INTO d.t (v) VALUES (REPEAT('y', 50))" || exit 1; done) & writers="${writers:-} $!"
    done
    for i in $writers; do wait "$i" || die "a writer failed"; done; writers=
    [ "$(status_of no_tx)" = 0 ] || die "$(status_of no_tx) commits did not wait under load"

    # One that does not answer: the commit waits as long as it was told, and falls back.
    sql "$s" "SET GLOBAL rpl_semi_sync_${word}_timeout = 1500"
    kill -STOP "$sluiced_pid"
    local t0 t1
    t0=$(date +%s%N); sql "$s" "INSERT INTO d.t (v) VALUES ('alone')"; t1=$(date +%s%N)
    kill -CONT "$sluiced_pid"
    [ $(((t1 - t0) / 1000000)) -ge 1400 ] || die "the commit did not wait for us: $(((t1 - t0) / 1000000)) ms"
    [ "$(status_of no_tx)" = 1 ] || die "no_tx is $(status_of no_tx)"
    relay_caught_up "$s" "$s"
    note "$s: $(status_of yes_tx) commits waited for our disk, ${RELAY_KILLS:-8} kills"
}
go mdb master
go my source
