#!/bin/bash
# A server that hangs (SIGSTOP: its connections live, nothing is answered) does not hold up pause, stop and
# the end of the daemon, in the copy and in sync; nothing is lost and the task goes on where it was.
# labels: tsan long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src
start_mysql dst
hang() { eval "kill -STOP \$${1}_pid"; }
let_go() { eval "kill -CONT \$${1}_pid"; }
write() { # rows that are on their way when the server hangs
    sql src "USE h; INSERT INTO t (v) SELECT REPEAT('x', 2000) FROM seq_1_to_3000; UPDATE t SET n = n + 1 WHERE id % 7 = 0"
}
order() { # the action must succeed, not report that it still waits
    echo >"$T/tasks/h/$1" || { task_trouble h; die "$what: $1: $(cat "$T/tasks/h/last_error")"; }
}
go_on() {
    order resume
    caught_up h src
    same_rows src dst h || die "$what: the ends differ"
    note "$what"
}

sql src "CREATE DATABASE h; CREATE TABLE h.t (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT, n INT DEFAULT 0)"
write
start_sluice
make_source s1 src && make_task h s1 dst h </dev/null || die "no task"

what="stop while the copy waits for a target that hangs"
order start
hang dst
order stop
state_is h stopped || die "$what: the task is $(state h)"
let_go dst
order start
caught_up h src
same_rows src dst h || die "$what: the ends differ"
note "$what"

read_so_far() { cat "$T/tasks/h/sources/s1/sync/bytes"; }
has_read() { [ "$(read_so_far)" -gt $((before + 5000000)) ]; }
busy_and_hung() { # the target owes an answer, or the source the rest of what it sends
    if [ "$1" = dst ]; then
        before=$(read_so_far)
        hang dst
        write
        wait_for 60 has_read || die "$what: nothing was read"
    else
        write &
        writer=$!
        sleep 0.2
        hang src
    fi
}
released() {
    let_go "$1"
    [ "$1" = dst ] || wait "$writer"
}

for victim in dst src; do
    what="pause while $victim hangs"
    busy_and_hung $victim
    order pause
    state_is h paused || die "$what: the task is $(state h)"
    released $victim
    go_on

    what="the daemon ends while $victim hangs"
    busy_and_hung $victim
    stop_sluice || { tail -5 "$SLUICE_LOG"; die "$what: it gave up"; }
    restart_sluice # and finds it hanging still
    order pause
    released $victim
    go_on
done
