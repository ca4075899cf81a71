# systemd.sh - this system once more, as a copy that nobody sees, with systemd as its first process.
# Source me, or run me inside of it.
#
#     under_systemd FOLDER script.sh      # runs the script (FOLDER/script.sh, there /mnt) as root; its output is in FOLDER/said
#
# 0: it ran; its status is in FOLDER/status.  2: such namespaces or mounts cannot be made here; FOLDER/boot says why.
# What it writes is gone with it: the root is an overlay over this one, in memory.  It has no network.

under_systemd() { # folder script
    local folder=$1 booted i
    printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=file:/mnt/said\nStandardError=inherit\nExecStart=/bin/sh -c "bash /mnt/%s; echo $? >/mnt/status"\n' "$2" >"$folder/asked.service"
    rm -f "$folder/status" "$folder/made"
    mkdir -p "$folder/memory" "$folder/root"
    timeout -s KILL 120 unshare --kill-child --fork --pid --mount --uts --ipc --cgroup --net bash tests/lib/systemd.sh "$folder" >"$folder/boot" 2>&1 &
    booted=$!
    disown # or bash reports its end
    for ((i = 0; i < 1200; i++)); do
        [ ! -s "$folder/status" ] || break
        kill -0 $booted 2>/dev/null || break
        sleep 0.1
    done
    pkill -KILL -P $booted # unshare, and with it all that is inside
    for ((i = 0; i < 100; i++)); do [ -d "/proc/$booted" ] || break; sleep 0.1; done
    [ -s "$folder/status" ] && return 0
    [ -e "$folder/made" ] || return 2
    echo 124 >"$folder/status"
}

boot() { # folder
    local target
    [ -x /lib/systemd/systemd ] || { echo "there is no /lib/systemd/systemd"; return 1; }
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$1/memory"
    mkdir "$1/memory/upper" "$1/memory/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/memory/upper,workdir=$1/memory/work" "$1/root"
    cd "$1/root"
    mount -t proc proc proc
    mount --rbind /dev dev
    mount -t sysfs sysfs sys
    mount -t tmpfs tmpfs sys/fs/cgroup
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs tmpfs run
    mount --bind "$1" mnt
    mkdir -p run/systemd/system run/old
    # Of the machine's own units nothing starts but what is asked for.
    for target in sysinit basic network-online; do printf '[Unit]\nDefaultDependencies=no\n' >run/systemd/system/$target.target; done
    ln -s /dev/null run/systemd/system/systemd-networkd-wait-online.service
    cp mnt/asked.service run/systemd/system/
    mknod run/fuse c 10 229 && chmod 666 run/fuse && mount --bind run/fuse dev/fuse # as udev makes it
    pivot_root . run/old
    umount -l /run/old
    touch /mnt/made
    export container=sluice-test SYSTEMD_UNIT_PATH=/run/systemd/system:/etc/systemd/system:/lib/systemd/system
    exec /lib/systemd/systemd --system --unit=asked.service --log-target=console
}

if [ "$0" = tests/lib/systemd.sh ]; then
    set -e
    boot "$1"
fi
