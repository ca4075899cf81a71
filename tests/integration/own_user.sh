#!/bin/bash
# sluiced without root's privileges, as the package runs it: mounts by fusermount3, changes arrive as
# MODIFY, its own files are held to their mode, and what a kill -9 leaves is cleaned up.
set -u
# In a mount namespace of our own /dev/fuse and fuse.conf are as Debian's udev and our package make them.
[ -n "${SLUICE_INSIDE:-}" ] || SLUICE_INSIDE=1 exec unshare -m bash "$0"
. tests/lib/servers.sh; . tests/lib/sluice.sh
chmod 755 "$WORK"
mkdir -p "$WORK/home" "$T"
mknod "$WORK/fuse" c 10 229 && chmod 666 "$WORK/fuse" && mount --bind "$WORK/fuse" /dev/fuse || die "no /dev/fuse for others"
echo user_allow_other >"$WORK/fuse.conf" && mount --bind "$WORK/fuse.conf" /etc/fuse.conf || die "fuse.conf"
cp "$SLUICE_BUILD/sluiced" "$WORK/home/" && chown -R 65534:65534 "$WORK/home" "$T"
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
sluiced="setpriv --reuid=65534 --regid=65534 --clear-groups $WORK/home/sluiced"
run() { sluice_options="--allow-other --data $WORK/home/data"; restart_sluice; at_exit stop_sluice_quietly; }
sluice_port=$(free_port) URL=http://127.0.0.1:$sluice_port; run
grep -q "$T .* - fuse.sluice .*user_id=65534" /proc/self/mountinfo || die "not mounted as 65534"

as 65534 mkdir "$T/sources/s1" || die "mkdir: $(cat "$T/sources/last_error")"
S=$T/sources/s1
watch_files "$WORK/seen" --format '%e %f' "$S"
for setting in host=127.0.0.1 port=1 user=u; do as 65534 sh -c "echo ${setting#*=} >$S/${setting%=*}" || die "$setting"; done
wait_for 10 grep -qx 'MODIFY state' "$WORK/seen" || die "inotify: $(cat "$WORK/seen")"
grep ATTRIB "$WORK/seen" && die "changes that are no MODIFY"

# What the notifier is told of modes is for it alone.
[ "$(stat -c '%a %u' "$S/state")" = "444 65534" ] || die "state: $(stat -c '%a %u' "$S/state")"
as 65534 sh -c "echo running >$S/state" 2>"$WORK/err" && die "state was written"
grep -q 'Permission denied' "$WORK/err" || die "said: $(cat "$WORK/err")"
as 12345 sh -c "echo x >$S/host" 2>/dev/null && die "a stranger may write"
as 12345 cat "$S/host" >/dev/null || die "a stranger may not read"
[ "$(as 12345 curl -s -o /dev/null -w '%{http_code}' -X PUT "$URL/v1/sources/x") $(as 65534 curl -s -o /dev/null -w '%{http_code}' -X PUT "$URL/v1/sources/s2")" = "403 201" ] || die "HTTP"
[ -d "$T/sources/s2" ] || die "made over HTTP, not in the tree"
[ "$(stat -c %a "$WORK/home/data" "$WORK/home/data/key" | tr '\n' ' ')" = "700 600 " ] || die "the data folder is open to others"

kill_sluice; run
grep -q 'removing the mount' "$SLUICE_LOG" || die "no word of the stale mount"
[ "$(grep -c " $T " /proc/self/mountinfo)" = 1 ] || die "mounts: $(grep " $T " /proc/self/mountinfo)"
[ -d "$T/sources/s2" ] || die "s2 is gone"
stop_sluice || die "exit code $?"
grep -q " $T " /proc/self/mountinfo && die "still mounted"
note "MODIFY $(grep -c MODIFY "$WORK/seen") times, as uid 65534"
