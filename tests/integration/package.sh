#!/bin/bash
# The Debian package builds, holds what it should, and its daemon starts from the packaged configuration.  In a copy of
# this system with systemd as its first process it is installed, and its service lives as the unit says.
set -u
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
pid=""
trap '[ -z "$pid" ] || { kill $pid; wait $pid; } 2>/dev/null; rm -rf "$WORK"' EXIT
. tests/lib/systemd.sh
die() { echo "FAIL: $*" >&2; exit 1; }

packaging/build-deb "$WORK" >"$WORK/log" 2>&1 || { tail -20 "$WORK/log" >&2; die "packaging/build-deb"; }
deb=$(ls "$WORK"/*.deb)
dpkg-deb -f "$deb" Depends | grep -q 'libc6.*fuse3' || die "Depends: $(dpkg-deb -f "$deb" Depends)"
dpkg-deb -x "$deb" "$WORK/root"
for file in usr/sbin/sluiced usr/bin/sluicectl etc/sluice/sluice.yaml lib/systemd/system/sluiced.service \
    usr/lib/sysusers.d/sluice.conf usr/lib/tmpfiles.d/sluice.conf usr/share/man/man8/sluiced.8.gz \
    usr/share/man/man1/sluicectl.1.gz usr/share/man/man5/sluice.conf.5.gz usr/share/man/man5/sluice-tree.5.gz \
    usr/share/bash-completion/completions/sluicectl; do
    [ -s "$WORK/root/$file" ] || die "the package has no $file"
done

# Directives that give a mount namespace, or that keep fusermount3 from being setuid, break the tree.
! grep -E '^(Protect|Private|ReadOnly|ReadWrite|Inaccessible|Bind|TemporaryFileSystem|DynamicUser|RootDirectory|SystemCall|Restrict(A|N|S)|NoNew|Memory(Deny)|Lock)' \
    packaging/systemd/sluiced.service || die "the unit hides the mount"

# Every page is sound roff, and the committed page of the settings is what the daemon prints.
for page in "$WORK"/root/usr/share/man/man*/*.gz; do
    trouble=$(zcat "$page" | man --warnings -E UTF-8 -l -Tutf8 -Z - 2>&1 >/dev/null)
    [ -z "$trouble" ] || die "$page: $trouble"
done
"$WORK/root/usr/sbin/sluiced" --print-man conf | diff - packaging/man/sluice.conf.5 ||
    die "packaging/man/sluice.conf.5 is not what sluiced --print-man conf prints"

# The packaged configuration, but for what this machine does not have.
sed "s#^data:.*#data: $WORK/data#; s#^mount:.*#mount: $WORK/tree#; s#^owner:.*#owner: root#; s#^group:.*#group: root#
     s#127.0.0.1:8261#127.0.0.1:0#; s#unix:/run/sluice#unix:$WORK#" "$WORK/root/etc/sluice/sluice.yaml" >"$WORK/c.yaml"
mkdir "$WORK/tree"
"$WORK/root/usr/sbin/sluiced" --config "$WORK/c.yaml" 2>"$WORK/log" &
pid=$!
for _ in $(seq 100); do [ -e "$WORK/tree/README" ] && break; sleep 0.1; done
[ "$(cat "$WORK/tree/settings/mode")" = 0664 ] || { tail "$WORK/log" >&2; die "it does not start"; }
curl -sf --unix-socket "$WORK/http.sock" http://localhost/v1/version >/dev/null || die "no HTTP"
kill $pid; wait $pid || { tail "$WORK/log" >&2; die "it did not stop cleanly"; }
pid=""
echo "# $(basename "$deb"): $(du -k "$deb" | cut -f1) KiB"

mkdir "$WORK/boot" && cp "$deb" "$WORK/boot/sluice.deb" && cp tests/lib/systemd_package.sh "$WORK/boot/"
if under_systemd "$WORK/boot" systemd_package.sh; then
    [ "$(cat "$WORK/boot/status")" = 0 ] || { tail -30 "$WORK/boot/said" "$WORK/boot/boot" >&2; die "under systemd"; }
    echo "# under $(/lib/systemd/systemd --version | head -1): $(tail -1 "$WORK/boot/said")"
else
    echo "SKIP: integration/package: its service under systemd: $(tail -1 "$WORK/boot/boot")"
    exit 77
fi
