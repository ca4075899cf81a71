#!/bin/bash
# Ends: a clean stop with readers inside, kill -9 with notifications in flight, stale mounts.
# labels: asan tsan
set -u
. tests/lib/servers.sh; . tests/lib/tree.sh
KILLS=${KILLS:-50}
is_mounted() { grep -q " $T " /proc/self/mountinfo; }
children_gone() { # of whom: its notifier must end by itself
    for _ in $(seq 100); do
        [ -z "$(pgrep -r D,R,S,T -x sluice-notify -g "$1")" ] && return 0
        sleep 0.05
    done
    return 1
}

# A live owner is refused; a stop is clean although files are open and a shell stands inside.
start_treed || die "no treed"
first=$treed_pid
$treed "$T" >"$WORK/out" 2>&1 && die "a second daemon mounted over the first"
grep -q "another sluiced (pid $first)" "$WORK/out" || die "refused with: $(cat "$WORK/out")"
( cd "$T/kinds" && exec 3<state && sleep 60 ) & inside=$!
echo >"$T/kinds/stir"
readers="" # each read takes a second and a half, so some begin while it stops
for after in 0 1 2 3 4 5 6 7; do
    ( sleep 0.$after; while cat "$T/kinds/asked"; do :; done >/dev/null 2>&1 ) & readers="$readers $!"
done
sleep 1
kill "$first"; wait "$first" || die "stopped with status $?"
is_mounted && die "still mounted after a clean stop"
kill $inside; wait $inside $readers 2>/dev/null
[ -z "$(ls "$T")" ] || die "something was left in the mount point"

# kill -9 while names are made, files read and changes announced: no process hangs, and the next
# daemon cleans up what is left.
for i in $(seq "$KILLS"); do
    set -m; start_treed 1000 || die "start $i: $(tail -3 "$WORK/treed.log")"; set +m
    inotifywait -qm "$T/kinds" >/dev/null 2>&1 & watcher=$!
    echo >"$T/kinds/stir"
    ( while cat "$T/kinds/state" && mkdir "$T/items/a" && rmdir "$T/items/a"; do :; done >/dev/null 2>&1 ) & busy=$!
    sleep 0.$((RANDOM % 3))$((RANDOM % 10))
    kill -9 "$treed_pid"; wait "$treed_pid" 2>/dev/null
    children_gone "$treed_pid" || die "kill $i: the notifier hangs: $(ps -o pid,stat,wchan:30,args -g "$treed_pid")"
    kill $watcher; wait $watcher $busy 2>/dev/null
    [ -z "$(ps -eo stat,args | grep '^D' | grep -F "$T")" ] || die "kill $i: a process hangs"
done
is_mounted || die "the mount of the killed daemon is gone: this proves nothing"
expect_errno "not connected" ls "$T/kinds"
start_treed || die "no treed after $KILLS kills"
equal "how many mounts" "$(grep -c " $T " /proc/self/mountinfo)" 1
equal "it lives" "$(cat "$T/kinds/choice")" new
stop_treed || die "the last stop"
is_mounted && die "still mounted"

# A mount point with a blank and a backslash in its name, which mountinfo writes as \040 and \134.
T="$WORK/a mount\\point"
start_treed || die "no treed at $T"
kill -9 "$treed_pid"; wait "$treed_pid" 2>/dev/null
start_treed || die "a stale mount at $T"
equal "it lives" "$(cat "$T/kinds/choice")" new
stop_treed || die "the stop at $T"
equal "mounts left" "$(grep -c "$WORK" /proc/self/mountinfo)" 0
note "$KILLS kills with notifications in flight, no process left"
exit 0
