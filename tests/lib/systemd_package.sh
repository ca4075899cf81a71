# Run under systemd (systemd.sh) with /mnt/sluice.deb: the package is installed and its service lives as its unit says.
die() { echo "FAIL: $*"; systemctl status sluiced --no-pager; exit 1; }
main() { systemctl show -p MainPID --value sluiced; }
is() { [ "$(systemctl show -p "$1" --value sluiced)" = "$2" ]; }
until_it() { local i; for ((i = 0; i < 200; i++)); do "$@" && return; sleep 0.1; done; die "$* does not come"; }
lives() { is ActiveState active && [ "$(main)" != 0 ] && grep -q ' /sluice .* fuse.sluice ' /proc/self/mountinfo && [ -s /sluice/version ]; }
again() { [ "$(main)" != "$before" ] && lives; }
kill_main() { before=$(main); [ "${before:-0}" -gt 1 ] || die "no main process"; kill "-$1" "$before"; }

ip link set lo up
dpkg -i /mnt/sluice.deb || die "dpkg -i"
id sluice || die "no user sluice"
systemd-analyze verify sluiced.service || die "systemd-analyze"

# Type=notify: started is ready.  The folders are the user's.
timeout 60 systemctl start sluiced || die "start"
lives || die "it is started and not ready"
[ "$(ps -o user= -p "$(main)")" = sluice ] || die "runs as $(ps -o user= -p "$(main)")"
[ "$(stat -c '%U %a' /var/lib/sluice)" = "sluice 700" ] || die "/var/lib/sluice: $(stat -c '%U %a' /var/lib/sluice)"
curl -sf --unix-socket /run/sluice/http.sock http://localhost/v1/version || die "no HTTP"
mkdir /sluice/sources/s1 && echo 127.0.0.1 >/sluice/sources/s1/host || die "$(cat /sluice/sources/last_error)"

kill_main KILL # Restart=on-failure; ExecStopPost and the next daemon clean up
until_it again
[ "$(grep -c ' /sluice ' /proc/self/mountinfo)" = 1 ] || die "$(grep ' /sluice ' /proc/self/mountinfo)"
[ "$(cat /sluice/sources/s1/host)" = 127.0.0.1 ] || die "the source is lost"

systemctl reload sluiced && lives || die "reload"
timeout 60 systemctl stop sluiced || die "stop"
is Result success && is ExecMainStatus 0 || die "it did not stop cleanly"
grep ' /sluice ' /proc/self/mountinfo && die "still mounted"

# The watchdog, at three seconds: fed while it is well; one that stands still is killed and started anew.
mkdir /run/systemd/system/sluiced.service.d
printf '[Service]\nWatchdogSec=3\n' >/run/systemd/system/sluiced.service.d/watchdog.conf
systemctl daemon-reload
timeout 60 systemctl start sluiced || die "start with a watchdog"
first=$(main)
sleep 7
[ "$(main)" = "$first" ] || die "the watchdog is not fed"
kill_main STOP
until_it again
dpkg -r sluice || die "dpkg -r"
grep ' /sluice ' /proc/self/mountinfo && die "still mounted after the package is removed"
echo "OK: started, killed, reloaded, stopped, watched, removed"
