#!/bin/bash
# The life of the process: one daemon a folder, what survives kill -9, signals, the service manager,
# and an end in time although a server hangs.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh

"$SLUICE_BUILD/notify_listen" "$WORK/notify" >"$WORK/notified" &
listener=$!
at_exit "kill $listener 2>/dev/null"
wait_for 5 test -S "$WORK/notify"
export NOTIFY_SOCKET=$WORK/notify WATCHDOG_USEC=400000
start_mariadb src
start_sluice
unset NOTIFY_SOCKET WATCHDOG_USEC
wait_for 5 grep -qx READY=1 "$WORK/notified" || die "READY=1 was not sent: $(cat "$WORK/notified")"
wait_for 5 grep -qx WATCHDOG=1 "$WORK/notified" || die "the watchdog was not fed"

# A crash writes no core: nor hands it to a pipe, which a limit of 0 would let it.
grep -qE '^Max core file size +1 +1 ' "/proc/$sluiced_pid/limits" || die "$(grep core "/proc/$sluiced_pid/limits")"

# One daemon a folder.
"$sluiced" --data "$WORK/data" --listen 127.0.0.1:0 2>"$WORK/second" && die "a second daemon started"
grep -q "in use by sluiced with pid $sluiced_pid" "$WORK/second" || die "$(cat "$WORK/second")"

# What was acknowledged survives kill -9, the password sealed.
make_source s1 src || die "$(cat "$T/sources/last_error")"
make_task t s1 src nothing </dev/null || die "$(cat "$T/tasks/last_error")"
echo geheim-7311 >"$T/sources/s1/password"
cat "$T/sources/s1/config" "$T/tasks/t/config" >"$WORK/before"
wait_for 5 grep -q '"sources/s1/password"' "$T/audit" || die "no audit line"
sleep 0.2 # lines are written behind
kill_sluice
! grep -raq geheim-7311 "$WORK/data" || die "the password is on disk in clear text"
! grep -q geheim-7311 "$SLUICE_LOG" || die "the password is in the log"
restart_sluice
cat "$T/sources/s1/config" "$T/tasks/t/config" | cmp - "$WORK/before" || die "documents changed over kill -9"
grep -q '"sources/s1/password","what":"set \*\*\*\*\*\*"' "$T/audit" || die "the audit did not survive"
[ "$(grep -c '"event":"start"' "$T/events")" -eq 2 ] || die "events: $(cat "$T/events")"
echo sluice >"$T/sources/s1/password"
echo >"$T/sources/s1/check" || die "the source does not answer: $(cat "$T/sources/s1/check_report")"

# The level of the log: through the tree, and back by SIGHUP.
echo debug >"$T/log_level"; [ "$(cat "$T/log_level")" = debug ] || die "log_level"
kill -HUP "$sluiced_pid"
log_level_is() { [ "$(cat "$T/log_level")" = "$1" ]; }
wait_for 5 log_level_is info || die "SIGHUP did not set log_level back"

# A clean end, by an action.
echo >"$T/shutdown"
wait "$sluiced_pid" || die "shutdown: exit code $?"
mountpoint -q "$T" && die "still mounted"
tail -1 "$SLUICE_LOG" | grep -q 'msg="stopped"' || die "no last line"

# A key that is gone: the documents do not open, and the daemon says so instead of losing them.
mv "$WORK/data/key" "$WORK/key"
restart_sluice
grep -q 'does not open' "$SLUICE_LOG" || die "nothing is said of the missing key"
stop_sluice || die "exit code $?"
mv "$WORK/key" "$WORK/data/key"

# As many callers as may be: the next one waits, the log says so, once; it goes on when one leaves.
sluice_options="--http-connections 6"
restart_sluice
full() { grep -q 'as many as may be (http_connections)' "$SLUICE_LOG"; }
full && die "full with nobody there"
for i in 3 4 5 6 7 8; do eval "exec $i<>/dev/tcp/127.0.0.1/$sluice_port"; done
wait_for 10 full || die "nobody says that there are as many connections as may be"
curl -s -m 1 "$URL/v1/version" && die "a seventh is answered"
exec 3>&- 4>&-
wait_for 10 curl -sf -m 1 -o /dev/null "$URL/v1/version" || die "a place that was given up is not taken"
exec 5>&- 6>&- 7>&- 8>&-
equal_to() { [ "$(grep -c 'as many as may be' "$SLUICE_LOG")" = "$1" ]; }
equal_to 1 || die "said $(grep -c 'as many as may be' "$SLUICE_LOG") times within a minute"
stop_sluice || die "exit code $?"

# A hanging server delays the end by stop_seconds at most; a second signal ends it at once.
sluice_options="--stop-seconds 3"
start_mariadb dst
sql src "CREATE DATABASE w; CREATE TABLE w.t (id INT PRIMARY KEY)"
restart_sluice
[ "$(ls "$T/sources" | grep -c s1)" -eq 1 ] || die "the source is lost"
make_task w s1 dst w </dev/null || die "$(cat "$T/tasks/last_error")"
echo >"$T/tasks/w/start" || die "$(cat "$T/tasks/w/last_error")"
synced() { [ "$(cat "$T/tasks/w/stage")" = sync ] && state_is w running; }
wait_for 60 synced || { task_trouble w; die "no sync"; }
kill -STOP "$dst_pid"
sql src "INSERT INTO w.t VALUES (1)"
sleep 0.5
began=$SECONDS
kill "$sluiced_pid"
wait "$sluiced_pid"; status=$?
[ $((SECONDS - began)) -le 15 ] || die "it took $((SECONDS - began)) s to end"
note "end beside a hanging server: exit code $status after $((SECONDS - began)) s: $(grep -E 'waiting for|exiting without' "$SLUICE_LOG" | tail -1)"
kill -CONT "$dst_pid"
restart_sluice
caught_up w src
[ "$(sql dst 'SELECT COUNT(*) FROM w.t')" = 1 ] || die "the row is not there"
kill "$sluiced_pid"; kill -INT "$sluiced_pid"
wait "$sluiced_pid"; status=$?
[ $status -le 1 ] || die "two signals: exit code $status"
grep -q " $T " /proc/self/mountinfo && die "two signals left a mount without its daemon"
note "ok"
