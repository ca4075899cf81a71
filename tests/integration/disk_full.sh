#!/bin/bash
# The target's disk fills up under a running task: the task says so and waits; when there is room
# again it goes on by itself and both ends are equal.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

disk=$WORK/disk
mkdir -p "$disk"
# Twelve rows of 4 MB are twice that in the target's binlog (rows, and the statements as annotations).
mount -t tmpfs -o size=320m tmpfs "$disk" || die "no tmpfs"
at_exit 'umount -l $disk'
start_mariadb src
mariadb_template >/dev/null
whole=$WORK
WORK=$disk; start_mariadb dst; WORK=$whole
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)"
start_sluice
make_source s1 src && make_task full s1 dst d </dev/null && echo >"$T/tasks/full/start" || die "$(cat "$T/tasks/full/last_error")"
caught_up full src

head -c "$(($(df --output=avail -B1 "$disk" | tail -1) - 20000000))" /dev/zero >"$disk/ballast"
for i in $(seq 12); do sql src "INSERT INTO d.t (b) VALUES (REPEAT('$i', 4000000))"; done
trouble() { grep -qiE 'full|space|28|1021|1114|1026' <<<"$(cat "$T/tasks/full/sources/s1/sync/error" "$T/tasks/full/error")"; }
wait_for 60 trouble || { task_trouble full; die "the task does not say that the disk is full"; }
note "task says: $(cat "$T/tasks/full/sources/s1/sync/error")"
rm "$disk/ballast"
caught_up full src 300 # the server looks for room once a minute
same_rows src dst d || die "the ends differ"
