#!/bin/bash
# Values of 64 MiB, so rows, events and statements of many packets: copied, inserted, updated, deleted, alone
# and in one transaction, both flavours.  Memory stays within 256 MiB and three times the largest row.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/bench/lib.sh
MIB=$((64 * 1048576))

# What is dear to escape, what is text, what is any byte.
values() { # first id
    cat <<END
INSERT INTO b VALUES ($1 + 0, REPEAT('''', $MIB), NULL, 'quotes');
INSERT INTO b VALUES ($1 + 1, NULL, REPEAT('aé漢😀', $MIB / 10), 'text');
INSERT INTO b VALUES ($1 + 2, REPEAT(RANDOM_BYTES(1024), $MIB / 1024), '', 'random');
END
}
sums() { sql "$1" "SELECT id, LENGTH(b), SHA2(b, 256), LENGTH(t), SHA2(t, 256), n FROM big.b ORDER BY id"; }
equal() { [ "$(sums "$s")" = "$(sums "$d")" ] || { diff <(sums "$s") <(sums "$d"); die "$flavour: $1: the ends differ"; }; note "$flavour: $1, $(peak_mib "$sluiced_pid") MiB at most"; }
write() { sql "$s" "USE big; $1" || die "$flavour: the source refused it"; caught_up "t$s" "$s"; }

start_sluice
for flavour in ${FLAVORS:-mariadb mysql}; do
    s=s_$flavour d=d_$flavour
    for server in "$s" "$d"; do
        "start_$flavour" "$server" --max-binlog-cache-size=4G
    done
    sql "$s" "CREATE DATABASE big; USE big; CREATE TABLE b (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT CHARACTER SET utf8mb4, n VARCHAR(20)); $(values 0)" ||
        die "$flavour: no values"
    make_source "$s" "$s" && make_task "t$s" "$s" "$d" big </dev/null && echo >"$T/tasks/t$s/start" || { task_trouble "t$s"; die "no start"; }
    caught_up "t$s" "$s"
    equal "64 MiB values through the snapshot"
    write "$(values 10)"
    equal "64 MiB values through the binlog"
    write "UPDATE b SET b = CONCAT(SUBSTRING(b, 2), 'z') WHERE id = 10; UPDATE b SET id = 21, n = 'other' WHERE id = 11; DELETE FROM b WHERE id = 12"
    equal "updates and deletes of rows with such values"
    write "BEGIN; $(values 30) UPDATE b SET t = b, b = NULL WHERE id = 30; DELETE FROM b WHERE id = 31; COMMIT"
    equal "all of it in one transaction"
    peak=$(peak_mib "$sluiced_pid")
    [ "$peak" -le $((256 + 3 * 64)) ] || die "$flavour: $peak MiB of memory"
    echo >"$T/tasks/t$s/stop" || die "no stop"
    stop_sluice; restart_sluice # what the next one needs is counted alone
    stop_server "$s"; stop_server "$d"
done
