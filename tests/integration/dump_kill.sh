#!/bin/bash
# kill -9 of a dump into a folder and of its load, while a writer commits: the folder is of one moment,
# nothing is loaded twice, and following the binlog from its position makes both ends equal.  Paused, too.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
SEED=${SEED:-$RANDOM}; RANDOM=$SEED
KILLS=${KILLS:-6}
note "seed $SEED"
start_mariadb src
start_mariadb dst --local-infile="${LOCAL_INFILE:-1}"
sql src "CREATE DATABASE k; USE k;
    CREATE TABLE numbers (id INT PRIMARY KEY, k INT, c CHAR(120), KEY (k));
    INSERT INTO numbers SELECT seq * 3, seq % 977, REPEAT(MD5(seq), 3) FROM seq_1_to_400000;
    CREATE TABLE uniques (id INT PRIMARY KEY, u BIGINT UNIQUE, c CHAR(100));
    INSERT INTO uniques SELECT seq, 18014398509481984 - seq, REPEAT(MD5(seq), 3) FROM seq_1_to_150000;
    CREATE TABLE keyless (a INT, c CHAR(100));
    INSERT INTO keyless SELECT seq % 1000, REPEAT(MD5(seq % 500), 3) FROM seq_1_to_150000;
    CREATE TABLE plain (id INT PRIMARY KEY, c CHAR(100)) ENGINE=MyISAM;
    INSERT INTO plain SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_50000;
    CREATE TABLE left_side (id INT AUTO_INCREMENT PRIMARY KEY, n INT); CREATE TABLE right_side LIKE left_side;
    CREATE SEQUENCE s; SELECT NEXTVAL(s), NEXTVAL(s)" >/dev/null || die "tables"

writer() { # every transaction writes to both sides
    while [ -e "$WORK/write" ]; do
        echo "START TRANSACTION; INSERT INTO left_side (n) VALUES (1); INSERT INTO right_side (n) VALUES (1); COMMIT;
            UPDATE numbers SET k = k + 1 WHERE id = $((3 * (1 + RANDOM * 12))); INSERT INTO plain VALUES (UUID_SHORT() % 1000000000 + 60000, 'w');"
    done | mariadb --no-defaults -f -uroot -S "$src_dir/s.sock" k 2>/dev/null
}

ended() { state "$1" | grep -qE '^(finished|error)$'; }
make_folder_task() { # name mode
    task_mode=$2 task_document "$1" src dst k </dev/null |
        sed "s|^source_config:|&\n  full_migrate_conf: { data_dir: $WORK/folder }|" >"$T/tasks/create" || die "$1: $(cat "$T/tasks/last_error")"
}
begin() { echo >"$T/tasks/$1/start" || { cat "$T/tasks/$1/check_report"; die "$1: $(cat "$T/tasks/$1/last_error")"; }; }
rows_of() { cat "$T/tasks/$1/sources/src/$2/rows" 2>/dev/null || echo 0; } # none before the unit is there
some_more() { # name stage: rows than there were when it was asked first
    local least
    least=$(($(rows_of "$1" "$2") + 1 + RANDOM * 8))
    until ended "$1" || [ "$(rows_of "$1" "$2")" -ge "$least" ]; do sleep 0.01; done
}
hold() { eval "kill -STOP \$${1}_pid"; }
let_go() { eval "kill -CONT \$${1}_pid"; }

afresh() { # name mode: it was done before the kill
    note "$1: once more from the start"
    wait_state "$1" finished 1
    rmdir "$T/tasks/$1" || die "$1 stays: $(cat "$T/tasks/last_error")"
    if [ "$2" = dump ]; then rm -rf "$WORK/folder"; else sql dst "DROP DATABASE k; DROP DATABASE dm_meta"; fi
    make_folder_task "$1" "$2"
    begin "$1"
}

# It is killed when some more rows are through, and while the server that it cannot do without stands still:
# so the kill finds it at work, and so does the daemon that comes after.
through() { # name mode server: paused once, killed KILLS times, then let through
    local kills=0
    make_folder_task "$1" "$2"
    begin "$1"
    some_more "$1" "$2"
    if echo >"$T/tasks/$1/pause"; then
        state_is "$1" paused || die "$1 is $(state "$1"), not paused"
        echo >"$T/tasks/$1/resume" || die "$1: no resume"
    fi
    while [ "$kills" -lt "$KILLS" ]; do
        some_more "$1" "$2"
        hold "$3"
        if ended "$1"; then
            let_go "$3"
            afresh "$1" "$2"
            continue
        fi
        note "kill $1 at $(rows_of "$1" "$2") rows, $(cat "$T/tasks/$1/sources/src/$2/phase")"
        kill_sluice
        kills=$((kills + 1))
        restart_sluice
        let_go "$3"
    done
    wait_for 180 ended "$1"
    wait_state "$1" finished 1
    note "$1: $kills kills"
}

start_sluice
make_source src src || die "source: $(cat "$T/sources/last_error")"
touch "$WORK/write"; writer & writer_pid=$!
at_exit 'rm -f "$WORK/write"; wait $writer_pid'
through out dump src
ls "$WORK/folder" | grep partial && die "a partial file is left"
rm "$WORK/write"; wait $writer_pid

through in load dst
[ "$(sql dst 'SELECT COUNT(*) FROM k.left_side')" = "$(sql dst 'SELECT COUNT(*) FROM k.right_side')" ] || die "not of one moment"
[ "$(sql dst 'SELECT COUNT(*) FROM k.left_side')" -gt 0 ] || die "the writer wrote nothing before the moment"
gtid=$(sed -n 's/^\tGTID://p' "$WORK/folder/metadata" | tr -d ' ')
task_mode=incremental task_document follow src dst k </dev/null |
    sed "s|{ source_name: src } \]|{ source_name: src, binlog_gtid: \"$gtid\" } ]|" >"$T/tasks/create" || die "follow: $(cat "$T/tasks/last_error")"
begin follow
caught_up follow src
same_rows src dst k || die "after the changes since the dump"
