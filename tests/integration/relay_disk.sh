#!/bin/bash
# The disk of the data folder fills up: with when_full=stop the relay stops and says so, the source's
# semi-sync commits go on, tasks read on, and it goes on by itself when there is space; with drop_unread
# the oldest goes although a task has not read it, loudly, and storing goes on.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

mkdir -p "$WORK/data"
mount -t tmpfs -o size=400m tmpfs "$WORK/data" || die "no tmpfs"
at_exit 'umount -l $WORK/data'
start_mariadb src --rpl-semi-sync-master-enabled=ON --rpl-semi-sync-master-timeout=2000
start_mariadb dst --skip-log-bin --innodb-doublewrite=0
start_sluice
R=$T/sources/s/relay
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, b BLOB)"
put() { sql src "USE d; INSERT INTO d.t (b) SELECT RANDOM_BYTES(1024) FROM seq_1_to_${1:-1000}" || die "the source refuses"; }
free() { df --output=avail -B1 "$WORK/data" | tail -1; }
fill() { head -c "$(($(free) - $1))" /dev/zero >"$WORK/data/filler"; }
says_full() { [ "$(cat "$R/state")" = error ] && grep -q "disk of .* is full" "$R/error"; }
runs() { [ "$(cat "$R/state")" = running ]; }
active() { [ "$(cat "$R/semi_sync_active")" = true ]; }

make_source s src && echo true >"$R/semi_sync" && echo >"$R/start" || die "$(cat "$R/last_error")"
make_task t s dst d </dev/null && echo >"$T/tasks/t/start" || die "$(cat "$T/tasks/t/last_error")"
put; caught_up t src
wait_for 20 active || die "semi-sync is not active"

note "when_full = stop"
fill 20000000
for i in $(seq 20); do put 500; says_full && break; done
wait_for 20 says_full || { relay_trouble s; die "it does not say that the disk is full, $(free) bytes are free"; }
note "$(cat "$R/error")"
wait_for 10 grep -q '"event":"disk_full"' "$T/events" || die "no event"
t0=$(date +%s); for i in 1 2 3; do put 10; done
[ $(($(date +%s) - t0)) -lt 8 ] || die "the source's commits hang on us"
caught_up t src 60 # from the source, since the relay stands
same_rows src dst d || die "the ends differ while the relay stands"
rm "$WORK/data/filler"
wait_for 60 runs || { relay_trouble s; die "there is space, and it does not go on"; }
sql src "FLUSH BINARY LOGS"
relay_caught_up s src
same_binlogs s src || die "the journal is not the binlog"

note "when_full = drop_unread"
wait_state t running; caught_up t src
held() { jq -e '.["tasks/t"]' "$R/holds"; }
wait_for 30 held || { relay_trouble s; die "the task's place is not held"; }
echo >"$T/tasks/t/pause"; wait_state t paused
first=$(cat "$R/first_seq")
for i in $(seq 8); do put 10000; done
relay_caught_up s src
echo drop_unread >"$R/when_full" || die "$(cat "$R/last_error")"
fill 15000000
dropped() { grep '"event":"purge"' "$T/events" | grep -qE '"lost_by": ?"tasks/t"'; }
wait_for 60 dropped || { relay_trouble s; die "nothing was dropped: $(free) bytes are free"; }
grep -q "are gone that tasks/t had not read" "$SLUICE_LOG" || die "the log says nothing"
[ "$(cat "$R/first_seq")" -gt "$first" ] || die "first_seq is still $first"
put 100
relay_caught_up s src 60
runs || die "with drop_unread it is $(cat "$R/state")"
rm "$WORK/data/filler"
