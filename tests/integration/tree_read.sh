#!/bin/bash
# Reading: sizes, moments, lines, many children, and who is told of changes.
# labels: asan tsan
set -u
. tests/lib/servers.sh; . tests/lib/tree.sh
start_treed 100000 || die "no treed"
K=$T/kinds
slower=1; nm "$treed" | grep -q __asan && slower=10 # sanitizers take their time

# 100,000 children.
took_u=999999 took_l=999999
for _ in 1 2 3; do # the best of three: other tests run, too
    from=$(date +%s%N); n=$(ls -U "$T/many" | wc -l); took=$(ms "$from"); [ "$took" -gt "$took_u" ] || took_u=$took
    from=$(date +%s%N); l=$(ls -l "$T/many" | wc -l); took=$(ms "$from"); [ "$took" -gt "$took_l" ] || took_l=$took
    [ $took_u -lt 500 ] && [ $took_l -lt 6000 ] && break
done
equal "ls -U" "$n" $((100000 + 6)); equal "ls -l" "$l" $((100000 + 7))
note "100,000 children: ls -U $took_u ms, ls -l $took_l ms"
[ $took_u -lt $((500 * slower)) ] && [ $took_l -lt $((6000 * slower)) ] || die "too slow"
mkdir "$T/many/one_more" && [ -d "$T/many/one_more" ] && rmdir "$T/many/one_more" || die "one more"
equal "a child of many" "$(cat "$T/many/item099999/rows")" 0

# Sizes are true, inode numbers never 0, and equal in readdir and stat.
for f in "$K"/*; do
    [ -r "$f" ] && [ "$(stat -c %A "$f")" != "--w-------" ] || continue
    case ${f##*/} in asked) continue ;; esac
    equal "size of $f" "$(stat -c %s "$f")" "$(cat "$f" | wc -c)"
done
equal "inodes" "$(ls -i "$K" | awk '{print $1}' | sort)" "$(stat -c %i "$K"/* | sort)"
ls -i "$T" "$K" | grep -q '^ *0 ' && die "an inode of 0"
equal "a file asked of a server, not read yet" "$(stat -c %s "$K/asked")" 0
equal "what it says" "$(cat "$K/asked")" "an answer from far away"
equal "its size last read" "$(stat -c %s "$K/asked")" 24
ls_and_cat() { ls -l "$K"; cat "$K/status"; }
alone=$(ms_of ls_and_cat)
(cat "$K/asked" >/dev/null) & asking=$!
not_held_up "$alone" ls_and_cat
wait $asking

# A handle keeps its moment; a read at 0 takes a new one; poll says when that is worth it.
perl -e '
    my ($file, $pause) = @ARGV; my ($b, $e);
    sub put { open(my $o, ">", shift) or die; syswrite($o, "\n") or die "write: $!"; close $o }
    put("$pause/resume");
    open(F, "<", $file) or die; sysread(F, $b, 100); die "state $b" unless $b eq "running\n";
    vec($e = "", fileno F, 1) = 1;
    die "poll says changed" if select(undef, undef, my $quiet = $e, 0.3);
    my $pid = fork; if (!$pid) { select(undef, undef, undef, 0.3); put("$pause/pause"); exit 0 }
    die "poll says nothing" unless select(undef, undef, my $hit = $e, 5) == 1;
    waitpid $pid, 0;
    sysread(F, $b, 100) and die "more at the end of the old moment: $b";
    sysseek(F, 0, 0); sysread(F, $b, 100); die "anew: $b" unless $b eq "paused\n";
    select(undef, undef, undef, 0.3); sysseek(F, 0, 0); sysread(F, $b, 100);
    die "poll says changed again" if select(undef, undef, my $again = $e, 0.3);
' "$K/state" "$K" || die "a handle's moment, or poll"

# Lines: whole, followed, and beyond what memory keeps.
tail -n 0 -f "$T/events" >"$WORK/followed" 2>&1 & tail=$!
at_exit "kill $tail 2>/dev/null"
sleep 0.3
echo >"$K/resume"; echo >"$K/pause"
for _ in $(seq 40); do grep -q paused "$WORK/followed" && break; sleep 0.1; done
grep -q '"path":"kinds".*"to":"paused"' "$WORK/followed" || die "tail -f: $(cat "$WORK/followed")"
before=$(stat -c %s "$T/events")
for _ in 1 2 3; do echo >"$T/fill" || die fill; done
after=$(stat -c %s "$T/events")
[ "$after" -gt $((before + 1000000)) ] || die "events shrank, or forgot: $before, then $after"
lines=$(cat "$T/events" | wc -l)
[ "$lines" -ge 1000 ] && [ "$lines" -lt 5000 ] || die "cat of events has $lines lines"
cat "$T/events" | jq -es 'map(.n) | .[-1] == 4999' >/dev/null || die "a line of events is cut"
equal "the last line" "$(tail -n 1 "$T/events")" "$(cat "$T/events" | tail -n 1)"
for _ in $(seq 40); do [ "$(tail -n 1 "$WORK/followed")" = "$(tail -n 1 "$T/events")" ] && break; sleep 0.1; done
grep -q truncated "$WORK/followed" && die "tail -f saw the file shrink"
jq -es '.' "$WORK/followed" >/dev/null || die "tail -f got a broken line"

# inotify: changes of the daemon's own arrive, ten a second at most, at the directory too.
watch_files "$WORK/seen" --format '%w%f %e' "$K" "$K/state"
echo >"$K/resume"
for _ in $(seq 40); do grep -q "state MODIFY" "$WORK/seen" && break; sleep 0.1; done
grep -q "^$K/state MODIFY" "$WORK/seen" || die "inotify: $(cat "$WORK/seen")"
echo >"$K/stir"; sleep 0.5; : >"$WORK/seen"; from=$(date +%s%N); sleep 3
twenty() { n=$(grep -c "^$K/state MODIFY" "$WORK/seen"); [ "$n" -ge 20 ]; } # twice each: of the file and of the directory
wait_for 20 twenty; took=$(ms "$from")
note "stirred 2,000 times a second: $n events of state in $took ms"
[ "$n" -ge 20 ] && [ "$n" -le $((took / 50 + 20)) ] || die "not at most ten a second"
grep -q "/count MODIFY" "$WORK/seen" && die "a file that can be written was announced"
kill $watcher $tail

# Many nodes that change at once: at most 500 events a second in all.
dirs=$(seq -f "$T/many/item%06g" 0 1499)
# shellcheck disable=SC2086
watch_files "$WORK/seen" --format '%w%f %e' $dirs
from=$(date +%s%N)
echo >"$T/many/storm"
wait_for 30 test -s "$WORK/seen"
took=$(ms "$from")
n=$(wc -l <"$WORK/seen")
note "a storm over 100,000 nodes: $n events at 1,500 of them in $took ms"
[ "$n" -gt 0 ] && [ "$n" -le $((500 * (took + 1000) / 1000)) ] || die "$n events in $took ms"
kill $watcher

# What the daemon removes on its own is gone, and the kernel is told so: nobody needs to look the
# name up again, nor wait until the kernel distrusts its cache.
exec 8<"$T/items/item000001" || die "no item000001"
echo >"$T/items/drop"
is_forgotten() { [[ $(readlink /proc/$$/fd/8) == *"(deleted)" ]]; }
wait_for 30 is_forgotten || die "the kernel still knows a removed name"
[ -e "$T/items/item000001" ] && die "a removed node is still there"
equal "what is left" "$(ls "$T/items" | grep -c item)" 0
exec 8<&-
