#!/bin/bash
# What an operator sees before something is lost, while it waits, and after: the source's purge of a binlog that a task
# needs (runway_seconds, warning, events, the task's error), lag when idle, filtered and held up, retries that end.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb md
start_mysql my
start_mariadb dst
for s in md my; do sql $s "CREATE DATABASE d$s; CREATE TABLE d$s.t (id INT PRIMARY KEY); INSERT INTO d$s.t VALUES (1); CREATE DATABASE other; CREATE TABLE other.t (id INT AUTO_INCREMENT PRIMARY KEY)"; done
start_sluice

one() { # md or my: both at once, since most of it is to wait for a binlog's age
    local s=$1 i src holder
    note "$s: $(server_version $s)"
    make_source $s $s && make_task $s $s dst d$s </dev/null && echo >"$T/tasks/$s/start" || die "$(cat "$T/tasks/$s/last_error")"
    caught_up $s $s
    lag() { cat "$T/tasks/$s/lag_seconds"; }
    lag_over() { [ "$(lag | cut -d. -f1)" -ge "$1" ]; }
    lag_none() { [ "$(lag)" = 0 ] || [ "$(lag)" = 0.0 ]; }

    note "$s: lag is 0 when idle, grows while the target holds a change up, is 0 again; what is filtered counts as had"
    wait_for 30 lag_none || die "idle: $(lag)"
    sql dst "BEGIN; INSERT INTO d$s.t VALUES (2); DO SLEEP(8); ROLLBACK" & holder=$!
    holds() { sql dst "SHOW PROCESSLIST" | grep -q 'SLEEP(8)'; }; wait_for 10 holds
    sql $s "INSERT INTO d$s.t VALUES (2)"
    wait_for 30 lag_over 2 || die "held up, and lag is $(lag)"
    wait $holder; caught_up $s $s; wait_for 30 lag_none || die "had it, and lag is $(lag)"
    for i in $(seq 20); do sql $s "INSERT INTO other.t VALUES (NULL)"; done
    caught_up $s $s; wait_for 30 lag_none || die "filtered: $(lag)"

    note "$s: the purge of what a task needs, before and after"
    src=$T/sources/$s
    runway() { local r; r=$(cut -d. -f1 "$src/runway_seconds"); [ -n "$r" ] && [ "$r" -le "$1" ] && [ "$r" -ge "$2" ]; }
    [ -z "$(cat "$src/warning")" ] || die "warning: $(cat "$src/warning")"
    echo >"$T/tasks/$s/pause" || die pause
    sql $s "INSERT INTO d$s.t VALUES (3); SET GLOBAL binlog_expire_logs_seconds = 40; FLUSH BINARY LOGS"
    wait_for 60 runway 40 0 || die "runway_seconds is '$(cat "$src/runway_seconds")'"
    wait_for 60 grep -q "may soon purge bin.000001, which task $s needs" "$src/warning" || die "warning: $(cat "$src/warning")"
    runway 20 0 || die "warned with $(cat "$src/runway_seconds") of 40 s left"
    grep -q "\"warning\".*may soon purge bin.000001, which task $s needs" "$T/events" || die "no event"
    purge() { sql $s "FLUSH BINARY LOGS"; ! sql $s "SHOW BINARY LOGS" | grep -q bin.000001; } # the server's own, by age
    wait_for 90 purge || die "$s keeps it"
    wait_for 60 grep -q "has purged bin.000001, which task $s needs" "$src/warning" || die "warning: $(cat "$src/warning")"
    runway 0 0 || die "runway_seconds is '$(cat "$src/runway_seconds")'"
    curl -s "$URL/metrics" | grep -q "runway_seconds{.*$s.*} 0" || die "no metric: $(curl -s "$URL/metrics" | grep runway)"
    echo >"$T/tasks/$s/resume"
    wait_state $s error; grep -qi "purged" "$T/tasks/$s/error" || die "$(cat "$T/tasks/$s/error")"
    note "$(cat "$T/tasks/$s/error")"
    [ "$(cat "$T/tasks/$s/next_retry_seconds")" = 0 ] || [ "$(cat "$T/tasks/$s/next_retry_seconds")" = 0.0 ] || die "it tries again, in vain"

    note "$s: copied again, all is well again"
    sql dst "TRUNCATE d$s.t"; echo remove_meta=true >"$T/tasks/$s/start" || die "$(cat "$T/tasks/$s/last_error")"
    caught_up $s $s; same_rows $s dst d$s || die "differs"
    no_warning() { [ -z "$(cat "$src/warning")" ]; }
    wait_for 60 no_warning || die "still: $(cat "$src/warning")" # though the server keeps binlogs for 40 s only
    sql $s "SET GLOBAL binlog_expire_logs_seconds = 864000"
}
one md & md_one=$!
one my & my_one=$!
at_exit "kill $md_one $my_one 2>/dev/null"
wait $md_one && wait $my_one || exit 1

note "retries: counted, with their times, and they end"
t=$T/tasks/md sync=$T/tasks/md/sources/md/sync
echo >"$t/pause" && wait_state md paused && echo 3 >"$t/max_retries" && echo >"$t/resume" || die "$(cat "$t/last_error")"
wait_state md running; caught_up md md
stop_server dst
sql md "INSERT INTO dmd.t VALUES (50)"
waits() { [ "$(cut -d. -f1 "$t/next_retry_seconds")" -gt 0 ] && [ "$(cat "$sync/retries")" -gt 0 ]; }
wait_for 120 waits || { task_trouble md; die "no retry is due"; }
grep -q . "$t/error" || die "no reason"
given_up() { state_is md error && grep -q 'gave up after 3 retries: .*connect' "$t/error" && [ "$(cat "$sync/retries")" = 3 ]; }
wait_for 180 given_up || { task_trouble md; die "retries $(cat "$sync/retries")"; }
restart_server dst
echo >"$t/resume" || die "$(cat "$t/last_error")"
caught_up md md; [ "$(cat "$sync/retries")" = 0 ] || die "retries: $(cat "$sync/retries")"
same_rows md dst dmd || die "differs"
echo "OK"
