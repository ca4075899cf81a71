#!/bin/bash
# What goes by itself: stored binlog by expires, max_bytes and remain_space at each interval, a pump's by gc; never what a
# drainer or a task still needs unless asked; below its space guard a pump stores nothing, says so, and goes on.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/drainer.sh

mkdir -p "$WORK/data"
mount -t tmpfs -o size=400m tmpfs "$WORK/data" || die "no tmpfs"
at_exit 'umount -l $WORK/data'
# A server of three hours ago, as its binlog tells it.
export FAKE_CLOCK_BACK=10800 LD_PRELOAD=$(realpath "$SLUICE_BUILD/fake_clock.so")
start_mariadb old
unset LD_PRELOAD
start_mariadb dst --skip-log-bin
put() { sql "$1" "USE d; INSERT INTO t (b) SELECT RANDOM_BYTES(1000) FROM seq_1_to_${2:-1000}"; }
sql old "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, b BLOB)"
for _ in 1 2 3; do put old 500; put old 500; sql old "FLUSH BINARY LOGS"; done

start_sluice
R=$T/sources/s/relay
first() { cat "$R/first_seq"; }
purged_for() { grep '"event":"purge"' "$T/events" | grep -q "\"reason\":\"$1\""; }
is_above() { [ "$(first)" -gt "$1" ]; }
free() { df --output=avail -B1 "$WORK/data" | tail -1; }
make_source s old && echo >"$R/start" || die "$(cat "$R/last_error")"
relay_caught_up s old
age=$(($(date +%s) - ($(cat "$R/commit_ts") >> 18) / 1000))
[ "$age" -gt 10000 ] || die "what was committed three hours ago is stored as $age s old"
bytes=$(cat "$R/journal_bytes"); [ "$bytes" -gt 3000000 ] || die "only $bytes bytes are stored"

note "expires: two hours, looked at each second, but not what a drainer has not read"
make_pump p s
make_drainer d <<END
initial_commit_ts: 0
to: { db_type: mysql, host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
END
start_drainer d
drained d 60 s=old
echo >"$T/drainers/d/pause"; echo 'commitTS = 1' >"$T/drainers/d/savepoint" || die "$(cat "$T/drainers/d/last_error")"
sql dst "DROP DATABASE d; DROP DATABASE dm_meta"
echo >"$T/drainers/d/resume"; drained d 60 s=old; echo >"$T/drainers/d/pause"
one=$(first)
echo 1 >"$R/interval"; echo 4 >"$R/expires" || die "$(cat "$R/last_error")"
sleep 2.5; [ "$(first)" = "$one" ] || die "three hours old, and gone by expires = 4"
echo 2 >"$R/expires"
wait_for 20 purged_for expires || { cat "$R/holds" >&2; relay_trouble s; die "nothing expires, the last is $age s old"; }
wait_for 10 is_above 1 || die "first_seq is $(first)"
[ -n "$(cat "$R/gtid_purged")" ] || die "gtid_purged is empty"
echo 0 >"$R/expires"

note "max_bytes"
put old; put old
relay_caught_up s old
echo >"$T/drainers/d/resume"; drained d 60 s=old
was=$(first)
echo 1000000 >"$R/max_bytes"
wait_for 20 purged_for max_bytes || { relay_trouble s; die "nothing goes by max_bytes"; }
small() { [ "$(cat "$R/journal_bytes")" -le 1200000 ]; } # whole blocks, and one stays
wait_for 20 small || die "$(cat "$R/journal_bytes") bytes are kept, held: $(cat "$R/holds")"
is_above "$was" || die "first_seq did not move"
echo 0 >"$R/max_bytes"

note "remain_space: what all have read"
put old; put old; relay_caught_up s old; drained d 60 s=old
was=$(first)
head -c "$(($(free) - 37000000))" /dev/zero >"$WORK/data/filler" # above the hard limit, below the soft one
wait_for 30 purged_for remain_space || { relay_trouble s; die "nothing goes for remain_space, $(free) bytes are free"; }
wait_for 10 is_above "$was" || die "first_seq did not move"
rm "$WORK/data/filler"

note "a pump's gc: what is older than gc_time, unless a drainer has yet to read it"
put old; relay_caught_up s old; echo >"$T/drainers/d/pause"; put old; put old; relay_caught_up s old
was=$(first)
echo >"$T/pumps/p/pause"; echo 1s >"$T/pumps/p/gc_time" && echo >"$T/pumps/p/resume" || die "$(cat "$T/pumps/p/last_error")"
echo >"$T/pumps/p/gc" || die "$(cat "$T/pumps/p/last_error")"
grep -q drainers/d "$R/holds" || die "the paused drainer holds nothing: $(cat "$R/holds")"
held=$(grep -o '"drainers/d": *[0-9]*' "$R/holds" | grep -o '[0-9]*$')
[ "$(first)" -le "$held" ] || die "gc took what the drainer needs: $(first), held from $held"
echo >"$T/drainers/d/resume"; drained d 60 s=old
same_rows old dst d || die "rows differ"

note "a drainer that is gone, removed or said to be offline, holds nothing"
held_by() { grep -q "\"drainers/$1\"" "$R/holds"; }
for n in removed said; do
    make_drainer $n <<END
initial_commit_ts: $(cat "$T/pumps/p/commit_ts")
to: { db_type: sql, dir: $WORK }
END
    start_drainer $n; wait_for 20 held_by $n || die "$n holds nothing: $(cat "$R/holds")"
    echo >"$T/drainers/$n/pause"; held_by $n || die "$n, paused, holds nothing"
done
rmdir "$T/drainers/removed" || die "$(cat "$T/drainers/removed/last_error")"
held_by removed && die "removed, and it holds: $(cat "$R/holds")"
echo "state=offline" >"$T/drainers/said/update_state" || die "$(cat "$T/drainers/said/last_error")"
held_by said && die "offline, and it holds: $(cat "$R/holds")"
held_by d || die "the other holds nothing"

note "the space guard: below it nothing is stored, it says so, and goes on"
echo >"$T/pumps/p/pause"; echo >"$R/stop" 2>/dev/null
stop_at=$(($(free) - 30000000))
echo "$stop_at" >"$T/pumps/p/stop_write_at_available_space" || die "$(cat "$T/pumps/p/last_error")"
echo >"$T/pumps/p/resume" || die "$(cat "$T/pumps/p/last_error")"
wait_for 10 pump_is p no_space false || die "no_space with $(free) bytes free"
head -c 40000000 /dev/zero >"$WORK/data/filler"
wait_for 15 pump_is p no_space true || die "no_space is $(cat "$T/pumps/p/no_space"), $(free) bytes are free of $stop_at"
pump_is p node_state online || die "the pump is $(cat "$T/pumps/p/node_state")"
grep -q "no available space.*StopWriteAtAvailableSpace: $stop_at" "$T/pumps/p/error" || die "error: $(cat "$T/pumps/p/error")"
stands() { [ "$(cat "$R/state")" != running ]; }
wait_for 10 stands || die "the relay stores on"
was=$(cat "$R/last_seq"); put old; [ "$(cat "$R/last_seq")" = "$was" ] || die "stored below the guard"
rm "$WORK/data/filler"
wait_for 15 pump_is p no_space false || die "it does not go on"
relay_caught_up s old; drained d 60 s=old
same_rows old dst d || die "rows differ"
