#!/bin/bash
# Every file of a running sluiced says the same over HTTP, and every refusal is the same, also to a
# second user in the group and out of it.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh
mirror=$SLUICE_BUILD/mirror
group=sluice-test-$$

# One user in the group, one not: HTTP asks the user database, as login would.
groupadd "$group" || die "groupadd"
at_exit "groupdel $group"
for user in in out; do
    useradd -M -N -g nogroup "sl-$user-$$" || die "useradd"
    at_exit "userdel sl-$user-$$"
done
usermod -a -G "$group" "sl-in-$$"
chmod 755 "$WORK"
as() { local user=$1; shift; setpriv --reuid "sl-$user-$$" --regid nogroup --init-groups "$@"; }

start_mariadb src --binlog-row-metadata=FULL
start_mariadb dst
sql src "CREATE DATABASE shop; USE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, t TEXT); INSERT INTO shop.a SELECT seq, REPEAT('x', 100) FROM seq_1_to_20000"
start_sluice --mode 0660 --group "$group"
make_source s1 src || die "source: $(cat "$T/sources/last_error")"
make_task orders s1 dst shop </dev/null || die "task: $(cat "$T/tasks/last_error")"
collections=$(cd "$T" && dirname */create) # whatever there is
for c in $collections; do mkdir "$T/$c/draft" || die "a draft in $c: $(cat "$T/$c/last_error")"; done
echo >"$T/tasks/orders/start" || die "start: $(cat "$T/tasks/orders/last_error")"

note "while it runs"
$mirror "$T" "$URL" || die "root reads"
caught_up orders src
$mirror "$T" "$URL" || die "root reads"
$mirror --bad "$T" "$URL" || die "root writes"
as in $mirror "$T" "$URL" || die "a member of the group reads"
as in $mirror --bad "$T" "$URL" || die "a member of the group writes"
as out $mirror "$T" "$URL" || die "a stranger reads"
as out $mirror --bad "$T" "$URL" || die "a stranger writes"
[ "$(cat "$T/log_level")" = info ] || die "the log level changed"
as in sh -c "echo debug >'$T/log_level'" || die "a member of the group may write"
as out cat "$T/log_level" 2>/dev/null && die "a stranger may read"
[ "$(as in curl -s -o /dev/null -w '%{http_code}' -X PUT -H 'Content-Type: text/plain' -d info "$URL/v1/log_level")" = 204 ] || die "a member over HTTP"
[ "$(as out curl -s -o /dev/null -w '%{http_code}' "$URL/v1/log_level")" = 403 ] || die "a stranger over HTTP"

# What HTTP makes and removes, inotify tells: it was made through the mount.
watch_files "$WORK/seen" --format '%e %f' "$T/sources"
curl -sf -X PUT "$URL/v1/sources/s2" || die "PUT of a source"
[ -d "$T/sources/s2" ] || die "what PUT made is not there when it answers"
curl -sf -X DELETE "$URL/v1/sources/s2" || die "DELETE of a source"
[ -d "$T/sources/s2" ] && die "what DELETE removed is there when it answers"
for _ in $(seq 40); do grep -q DELETE "$WORK/seen" && break; sleep 0.1; done
grep -q "CREATE,ISDIR s2" "$WORK/seen" && grep -q "DELETE,ISDIR s2" "$WORK/seen" || die "inotify saw: $(cat "$WORK/seen")"
code=$(curl -s -o "$WORK/body" -w '%{http_code}' -X PUT "$URL/v1/sources/s1%2Fx")
case $code in 2*) ;; *) die "a name with a slash: $code $(cat "$WORK/body")" ;; esac
[ -d "$T/sources/s1%2Fx" ] || die "the slash: $(ls "$T/sources")"
rmdir "$T/sources/s1%2Fx" || die "rmdir"

kill $watcher

# A task's state arrives in every way there is.
curl -sN "$URL/v1/tasks/orders?watch=1" >"$WORK/stream" & stream=$!
at_exit "kill $stream 2>/dev/null"
wait_for 20 test -s "$WORK/stream" || die "the stream says nothing"
watch_files "$WORK/seen" --format '%e %f' "$T/tasks/orders"
echo >"$T/tasks/orders/pause" || die "pause: $(cat "$T/tasks/orders/last_error")"
for _ in $(seq 50); do grep -q paused "$WORK/stream" && grep -q "MODIFY state" "$WORK/seen" && break; sleep 0.1; done
grep -q paused "$WORK/stream" || die "the stream: $(cat "$WORK/stream")"
grep -q "MODIFY state" "$WORK/seen" || die "inotify: $(cat "$WORK/seen")"
tail -n 20 "$T/events" | grep -q paused || die "events: $(tail -n 5 "$T/events")"
grep -q '"front":"fs".*tasks/orders/pause' "$T/audit" || die "audit: $(tail -n 5 "$T/audit")"
kill $stream $watcher
for c in $collections; do rmdir "$T/$c/draft" || die "rmdir of the draft in $c: $(cat "$T/$c/draft/last_error")"; done

# Where others may read: a stranger sees all and changes nothing.
stop_sluice || die "stop"
sluice_options=""; restart_sluice
as out $mirror "$T" "$URL" || die "a stranger who may read"
as out $mirror --bad "$T" "$URL" || die "a stranger who may read, writing"
