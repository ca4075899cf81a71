#!/bin/bash
# kill -9 of a full copy at random moments, by LOAD DATA and by INSERT, until it gets through: equal, nothing twice.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/compare.sh
SEED=${SEED:-$RANDOM}; RANDOM=$SEED
note "seed $SEED"
copy=$SLUICE_BUILD/copy_run
start_mariadb src
start_mariadb dst
sql src "CREATE DATABASE c; USE c;
    CREATE TABLE numbers (id INT PRIMARY KEY, k INT, c CHAR(120), KEY (k));
    INSERT INTO numbers SELECT seq * 3, seq % 977, REPEAT(MD5(seq), 3) FROM seq_1_to_300000;
    CREATE TABLE texts (name VARCHAR(40) COLLATE utf8mb4_unicode_ci, part INT, c CHAR(120), PRIMARY KEY (name, part));
    INSERT INTO texts SELECT CONCAT(IF(seq % 2, 'Äpfel ', 'apfel '), seq DIV 7), seq % 7, REPEAT(MD5(seq), 3) FROM seq_1_to_100000;
    CREATE TABLE uniques (id INT PRIMARY KEY, u BIGINT UNIQUE, c CHAR(100)) ENGINE=InnoDB;
    INSERT INTO uniques SELECT seq, 18014398509481984 - seq, REPEAT(MD5(seq), 3) FROM seq_1_to_100000;
    CREATE TABLE keyless (a INT, c CHAR(100));
    INSERT INTO keyless SELECT seq % 1000, REPEAT(MD5(seq % 500), 3) FROM seq_1_to_100000;
    CREATE TABLE child (id INT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES numbers (id) ON DELETE CASCADE);
    INSERT INTO child SELECT seq, seq * 3 FROM seq_1_to_20000;
    CREATE TABLE plain (id INT PRIMARY KEY, c CHAR(100)) ENGINE=MyISAM;
    INSERT INTO plain SELECT seq, REPEAT(MD5(seq), 3) FROM seq_1_to_50000;
    $(for ((i = 0; i < 120; i++)); do echo "CREATE TABLE small$i (id INT PRIMARY KEY, u INT UNIQUE, c CHAR(9)); INSERT INTO small$i VALUES (1, $i, 'a'), (2, 1000, 'b');"; done)
    CREATE VIEW few AS SELECT n.id, t.name FROM numbers n JOIN texts t ON t.part = n.k WHERE n.id < 100"

through() { # label: kill it until it gets through on its own
    local kills=0 pid
    while :; do
        $copy -s c "$src_port" "$dst_port" >"$WORK/out" 2>&1 &
        pid=$!
        if [ "$kills" -lt "${KILLS:-12}" ]; then
            # at first while tables are made, many at once
            [ "$kills" -lt 4 ] && sleep "0.$((RANDOM % 9))$((RANDOM % 10))" || sleep "$((RANDOM % 2)).$((RANDOM % 1000 + 1000))"
            if kill -9 "$pid" 2>/dev/null; then
                wait "$pid" 2>/dev/null
                kills=$((kills + 1))
                continue
            fi
        fi
        wait "$pid" || { cat "$WORK/out"; die "$1: the copy failed"; }
        [ "$kills" -gt 2 ] && break
        sql dst "DROP DATABASE c; DROP DATABASE dm_meta" # too fast: once more from the start
    done
    same_rows src dst c || die "$1: after $kills kills"
    note "$1: $kills kills"
}
through "by LOAD DATA"
sql dst "DROP DATABASE c; DROP DATABASE dm_meta; SET GLOBAL local_infile=0"
through "by INSERT"
sql dst "SELECT COUNT(*) FROM c.few" | grep -q '^[1-9]' || die "the view is not there"
