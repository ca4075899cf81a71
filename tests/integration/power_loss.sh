#!/bin/bash
# Power loss: after kill -9 all that sluiced had not synced is cut off its files, and names that were not are taken away; then
# the last of the write-ahead log is damaged. A commit that the source was told is safe is there after the first; after both the journal opens and goes on, byte for byte.
#
#     LOSSES=50 tests/integration/power_loss.sh      (8 of each by default)
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh; . tests/lib/compare.sh; . tests/lib/power.sh

start_mariadb src --rpl-semi-sync-master-enabled=ON --rpl-semi-sync-master-timeout=60000
power_on
start_sluice
R=$T/sources/s/relay
active() { [ "$(cat "$R/semi_sync_active")" = true ]; }
make_source s src && echo true >"$R/semi_sync" && echo >"$R/start" || die "$(cat "$R/last_error")"
wait_for 30 active || { relay_trouble s; die "semi-sync is not active"; }
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v MEDIUMTEXT)"

total=0 total_names=0
rounds=${LOSSES:-8}
for ((i = 1; i <= rounds || (total == 0 && i <= 5 * rounds); i++)); do
    for _ in $(seq $((RANDOM % 4))); do sql src "INSERT INTO d.t (v) VALUES (REPEAT('x', $((RANDOM * 3))))"; done
    more=
    sql src "INSERT INTO d.t (v) VALUES ('round $i')"
    if [ $((i % 2)) = 1 ]; then
        kill_sluice # at once
        end=$(source_end src | awk '{ printf "%s %012d", $1, $2 }')
    else
        end=$(source_end src | awk '{ printf "%s %012d", $1, $2 }')
        (sql src "USE d; INSERT INTO t (v) VALUES ('under way'); INSERT INTO t (v) SELECT REPEAT('y', 3000) FROM seq_1_to_1000") & more=$!
        case $((RANDOM % 2)) in
        0) sleep "0.$((RANDOM % 10))" ;;
        1) wait_for 3 power_unsynced || : ;; # all of it was stored by then
        esac
        kill_sluice
    fi
    cut_unsynced; total=$((total + cut_bytes)) total_names=$((total_names + cut_names))
    rm -rf "$WORK/stored"; mkdir "$WORK/stored"
    LD_PRELOAD=$sluice_preload "$SLUICE_BUILD/relay_run" "$WORK/data" s "$WORK/stored" >"$WORK/ends" || die "round $i: the journal does not open after $cut were lost:$lost_names"
    have=$(tail -1 "$WORK/ends" | awk '{ printf "%s %012d", $1, $3 }')
    printf '%s\n' "$end" "$have" | sort -C || die "round $i: the commit at $end was acknowledged, on the disk is $have ($cut were lost)"
    restart_sluice
    wait_for 30 active || { relay_trouble s; die "round $i: semi-sync is not active again"; }
    [ -z "$more" ] || wait $more || die "round $i: the source refuses"
done
[ "$total" -gt 0 ] || die "nothing was ever unsynced: this shows nothing"
note "${LOSSES:-8} losses of power, $total bytes and $total_names names that were not synced gone, no acknowledged commit"

sluice_preload=
damaged=0
wal() { ls -t "$WORK"/data/*.log "$WORK"/data/*/*.log 2>/dev/null | head -1; }
for i in $(seq "${LOSSES:-8}"); do
    sql src "USE d; INSERT INTO t (v) SELECT REPEAT('z', 500) FROM seq_1_to_$((RANDOM % 2000 + 1))"
    kill_sluice
    f=$(wal); size=$(stat -c %s "$f")
    [ "$size" -gt 400 ] || { restart_sluice; continue; }
    at=$((size - 1 - RANDOM % 300)) damaged=$((damaged + 1))
    if [ $((i % 2)) = 0 ]; then
        truncate -s $at "$f"
    else
        printf '\xff\x00\xa5' | dd of="$f" bs=1 seek=$at conv=notrunc 2>/dev/null
    fi
    restart_sluice
    relay_caught_up s src
done
[ $damaged -gt 0 ] || die "no log to damage"
note "$damaged ends of the write-ahead log damaged"
sql src "FLUSH BINARY LOGS"
relay_caught_up s src
same_binlogs s src || die "stored files differ"
