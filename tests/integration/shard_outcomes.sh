#!/bin/bash
# What becomes of DDL that shards of two sources come to one by one, pessimistic and optimistic, is what the table below says
# (DM's cases, by their numbers): rows and structures at the target, and who waits.  PAIRS="mariadb:optimistic mysql:pessimistic"
# (any of flavor:mode; shard_ddl.sh has the other two, and what operators do with locks); ONLY=pattern of names.
# labels: long
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/shard.sh

# name | pessimistic, optimistic | elements of the tables, if not "k, a, b" | steps, one after the other: shard:clauses of an ALTER,
# or source!statement.  Shards: 1 a.t1, 2 b.t1, 3 a.t2; @t1 is the row's t1.  After each ALTER its table gets a row.
#   =  all follow, rows and structures equal    o  all follow, rows equal, structures differ    s  the target has more rows
#   c  one is in conflict    w  some wait for others    -  not run
# Not here: 028, 077, 079, 146 (refused by TiDB alone), 034 (rows of two shards get one number each), 021 (no server has it),
# 027 (1054, by its nature), 094-101, 155 (shard_kill.sh), 102, 109 strict (shard_ddl.sh), 020 (not merged: sync_special.sh).
outcomes() {
    cat <<'END'
002 |= =| |1:ADD c INT; 2:ADD c INT; 3:ADD c INT
003 |w o| |1:ADD c INT
010 |= =| |1:ADD c INT; 1:ADD d INT; 2:ADD c INT; 3:ADD c INT; 3:ADD d INT; 2:ADD d INT
011 |c c| |1:ADD c INT; 2:ADD c FLOAT; 3:ADD c INT
012 |c =| |1:ADD c INT; 1:ADD d INT; 2:ADD d INT; 2:ADD c INT; 3:ADD c INT; 3:ADD d INT
015 |s s| |a!DROP TABLE @t1; a!CREATE TABLE @t1 LIKE @t2; a!INSERT INTO @t1 (k) VALUES ('again')
016 |s s| |b!DROP TABLE @t1; 1:ADD c INT; 3:ADD c INT; b!CREATE TABLE @t1 (k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, b INT DEFAULT 0, c INT); b!INSERT INTO @t1 (k) VALUES ('again')
017 |s s| |a!DROP DATABASE r_017; a!CREATE DATABASE r_017; a!CREATE TABLE @t1 (k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, b INT DEFAULT 0); a!INSERT INTO @t1 (k) VALUES ('again')
019 |s s| |a!TRUNCATE TABLE @t1; b!INSERT INTO @t1 (k) VALUES ('more')
023 |= =| |a!RENAME TABLE @t1 TO @t8, @t2 TO @t9; a!INSERT INTO @t8 (k) VALUES ('eight'); 2:ADD c INT; a!ALTER TABLE @t8 ADD c INT; a!ALTER TABLE @t9 ADD c INT; a!INSERT INTO @t9 (k, c) VALUES ('nine', 9)
024swap |= =| |a!RENAME TABLE @t1 TO @x, @t2 TO @t1, @x TO @t2; a!INSERT INTO @t1 (k) VALUES ('swapped'); 2:ADD c INT; 1:ADD c INT; 3:ADD c INT
025away |s s| |a!RENAME TABLE @t1 TO @old; a!INSERT INTO @old (k) VALUES ('unseen'); 2:ADD c INT; 3:ADD c INT
026 |= =| |a!CREATE TABLE @t3 LIKE @t1; a!INSERT INTO @t3 (k) VALUES ('third'); 1:ADD c INT; 2:ADD c INT; 3:ADD c INT; a!ALTER TABLE @t3 ADD c INT
031 |c c| |1:ADD c INT; 2:ADD c VARCHAR(5); 3:ADD c INT
032 |c =| |1:ADD c INT; 1:DROP c; 1:ADD d INT; 2:ADD d INT; 3:ADD d INT
033 |= =| |1:ADD c INT NOT NULL; 2:ADD c INT NOT NULL; 3:ADD c INT NOT NULL
035 |c =| |1:ADD c INT, ADD d INT; 2:ADD d INT, ADD c INT; 3:ADD c INT, ADD d INT
035list |c =| |1:ADD (c INT, d INT); 2:ADD COLUMN (d INT, c INT); 3:ADD (c INT, d INT)
036 |c =| |1:ADD c INT FIRST; 2:ADD c INT AFTER a; 3:ADD c INT
037 |c c| |1:ADD c INT DEFAULT 0; 2:ADD c INT DEFAULT -1; 3:ADD c INT DEFAULT 0
039 |= =| |1:ADD c CHAR(1) CHARACTER SET utf8mb3; 2:ADD c CHAR(1) CHARACTER SET utf8mb3; 3:ADD c CHAR(1) CHARACTER SET utf8mb3
040 |c o| |1:ADD c CHAR(1) CHARACTER SET utf8mb4; 2:ADD c CHAR(1) CHARACTER SET utf8mb3; 3:ADD c CHAR(1) CHARACTER SET utf8mb4
041 |= =| |1:ADD c INT AS (a + 1); 2:ADD c INT AS (a + 1); 3:ADD c INT AS (a + 1)
043 |c c| |1:ADD c INT AS (a + 1); 2:ADD c INT AS (a + 2); 3:ADD c INT AS (a + 1)
046 |= =| |1:DROP b; 2:DROP b; 3:DROP b
047 |= =|k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, s INT AS (a + 1) STORED|1:DROP s; 2:DROP s; 3:DROP s
048 |= =|k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, s INT AS (a + 1) VIRTUAL|1:DROP s; 2:DROP s; 3:DROP s
049 |= =| |1:CHANGE a c INT DEFAULT 0; 2:CHANGE a c INT DEFAULT 0; 3:CHANGE a c INT DEFAULT 0
050 |c c| |1:CHANGE a c INT; 2:CHANGE a d INT; 3:CHANGE a c INT
051 |c c| |1:CHANGE a c INT; 2:CHANGE b c INT; 3:CHANGE a c INT
056 |c =| |1:CHANGE a c INT FIRST; 2:CHANGE a c INT AFTER b; 3:CHANGE a c INT FIRST
057 |= =| |1:CHANGE a c INT DEFAULT 1; 2:CHANGE a c INT DEFAULT 1; 3:CHANGE a c INT DEFAULT 1
058 |c c| |1:CHANGE a c INT DEFAULT 1; 2:CHANGE a c INT DEFAULT 2; 3:CHANGE a c INT DEFAULT 1
062 |= =| |1:MODIFY a BIGINT DEFAULT 0; 2:MODIFY a BIGINT DEFAULT 0; 3:MODIFY a BIGINT DEFAULT 0
063 |c o| |1:MODIFY a MEDIUMINT DEFAULT 0; 2:MODIFY a BIGINT DEFAULT 0; 3:MODIFY a MEDIUMINT DEFAULT 0
064 |= =| |1:MODIFY a INT(30) DEFAULT 0; 2:MODIFY a INT(30) DEFAULT 0; 3:MODIFY a INT(30) DEFAULT 0
065 |c =| |1:MODIFY a BIGINT DEFAULT 0 FIRST; 2:MODIFY a BIGINT DEFAULT 0 AFTER b; 3:MODIFY a BIGINT DEFAULT 0
066 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT|1:MODIFY a INT DEFAULT 1; 2:MODIFY a INT DEFAULT 1; 3:MODIFY a INT DEFAULT 1
067 |c c|k VARCHAR(20) PRIMARY KEY, a INT, b INT|1:MODIFY a INT DEFAULT 1; 2:MODIFY a INT DEFAULT 2; 3:MODIFY a INT DEFAULT 1
071 |= =| |1:DEFAULT CHARACTER SET utf8mb3; 2:DEFAULT CHARACTER SET utf8mb3; 3:DEFAULT CHARACTER SET utf8mb3
073 |= =|k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1 DEFAULT 'x', b INT|1:CONVERT TO CHARACTER SET utf8mb4; 2:CONVERT TO CHARACTER SET utf8mb4; 3:CONVERT TO CHARACTER SET utf8mb4
076 |= =|k VARCHAR(20) NOT NULL, a INT DEFAULT 0, b INT|1:ADD PRIMARY KEY (k); 2:ADD PRIMARY KEY (k); 3:ADD PRIMARY KEY (k)
080 |= =| |1:ADD UNIQUE u (k, a); 2:ADD UNIQUE u (k, a); 3:ADD UNIQUE u (k, a); 1:DROP KEY u; 2:DROP KEY u; 3:DROP KEY u
082 |= =|k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, b INT, UNIQUE KEY u (k, a)|1:RENAME INDEX u TO w; 2:RENAME INDEX u TO w; 3:RENAME INDEX u TO w
103 |= =| |1:ADD c INT; 2:ADD c INT; 3:ADD c INT; 1:DROP a; 3:DROP a; 2:DROP a; 3:CHANGE b d INT; 2:CHANGE b d INT; 1:CHANGE b d INT
104 |c =| |1:ADD c INT NOT NULL DEFAULT 1, ADD d INT NOT NULL DEFAULT 2; 2:ADD d INT NOT NULL DEFAULT 2, ADD c INT NOT NULL DEFAULT 1; 3:ADD c INT NOT NULL DEFAULT 1, ADD d INT NOT NULL DEFAULT 2
105 |c =| |1:ADD KEY i (a), ADD KEY j (b); 2:ADD KEY j (b), ADD KEY i (a); 3:ADD KEY i (a), ADD KEY j (b)
106 |c =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a), KEY j (b)|1:DROP KEY i, DROP KEY j; 2:DROP KEY j, DROP KEY i; 3:DROP KEY i; 3:DROP KEY j
108 |c c| |1:ADD c DECIMAL(5,2); 2:ADD c DECIMAL(6,2); 3:ADD c DECIMAL(5,2)
109 |c c| |1:ADD c VARCHAR(3); 2:ADD c VARCHAR(4); 3:ADD c VARCHAR(3)
110 |c c| |1:ADD c VARCHAR(5); 2:ADD c VARCHAR(4); 3:ADD c VARCHAR(5)
111 |c c| |1:ADD c INT UNSIGNED ZEROFILL; 2:ADD c INT UNSIGNED; 3:ADD c INT UNSIGNED ZEROFILL
112 |c c| |1:ADD c INT UNSIGNED; 2:ADD c INT; 3:ADD c INT UNSIGNED
113 |= =| |1:ADD c INT, ADD d INT; 2:ADD c INT, ADD d INT; 3:ADD c INT, ADD d INT
114 |= =| |1:ADD c INT, ADD d INT; 2:ADD c INT, ADD d INT; 3:ADD c INT, ADD d INT; 2:DROP c, DROP d; 3:DROP c, DROP d; 1:DROP c, DROP d
116 |= =| |1:ADD c INT, DROP a; 2:ADD c INT, DROP a; 3:ADD c INT, DROP a
117 |w c| |1:DROP a; 1:ADD a INT DEFAULT 0
118 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a)|1:DROP KEY i, DROP a; 2:DROP KEY i, DROP a; 3:DROP KEY i, DROP a
119 |c o| |1:ADD KEY i (a); 2:ADD KEY i (b); 3:ADD KEY i (a)
120 |= =| |1:ADD KEY i (a), ADD UNIQUE u (k, b); 2:ADD KEY i (a), ADD UNIQUE u (k, b); 3:ADD KEY i (a), ADD UNIQUE u (k, b)
122 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a)|1:DROP KEY i, ADD KEY j (b); 2:DROP KEY i, ADD KEY j (b); 3:DROP KEY i, ADD KEY j (b)
124 |w =| |1:ADD KEY i (a); 1:DROP KEY i
125 |w =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a)|1:DROP KEY i; 1:ADD KEY i (a)
126 |w o|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a), KEY j (b)|1:DROP KEY i, DROP KEY j; 1:ADD KEY i (b), ADD KEY j (a)
128 |= =| |1:MODIFY a INT NOT NULL DEFAULT 0; 2:MODIFY a INT NOT NULL DEFAULT 0; 3:MODIFY a INT NOT NULL DEFAULT 0
129 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT|1:MODIFY a INT DEFAULT 5; 2:MODIFY a INT DEFAULT 5; 3:MODIFY a INT DEFAULT 5
130 |c c|k VARCHAR(20) PRIMARY KEY, a INT, b INT|1:MODIFY a INT DEFAULT 0; 2:MODIFY a INT DEFAULT -1; 3:MODIFY a INT DEFAULT 0
131 |= =| |1:MODIFY a INT NOT NULL DEFAULT 0; 1:MODIFY a INT DEFAULT 0; 2:MODIFY a INT NOT NULL DEFAULT 0; 2:MODIFY a INT DEFAULT 0; 3:MODIFY a INT NOT NULL DEFAULT 0; 3:MODIFY a INT DEFAULT 0
132 |= =|k VARCHAR(20) NOT NULL, a INT NOT NULL DEFAULT 0, PRIMARY KEY (k)|1:DROP PRIMARY KEY, ADD PRIMARY KEY (k, a); 2:DROP PRIMARY KEY, ADD PRIMARY KEY (k, a); 3:DROP PRIMARY KEY, ADD PRIMARY KEY (k, a)
134 |= =|k VARCHAR(20) NOT NULL, a INT NOT NULL DEFAULT 0, PRIMARY KEY (k, a)|1:DROP PRIMARY KEY, ADD PRIMARY KEY (k); 2:DROP PRIMARY KEY, ADD PRIMARY KEY (k); 3:DROP PRIMARY KEY, ADD PRIMARY KEY (k)
136 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, UNIQUE KEY u (k, a)|1:DROP KEY u, ADD UNIQUE KEY u (k, a, b); 2:DROP KEY u, ADD UNIQUE KEY u (k, a, b); 3:DROP KEY u, ADD UNIQUE KEY u (k, a, b)
137 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, UNIQUE KEY u (k, a, b)|1:DROP KEY u, ADD UNIQUE KEY u (k, a); 2:DROP KEY u, ADD UNIQUE KEY u (k, a); 3:DROP KEY u, ADD UNIQUE KEY u (k, a)
139 |= =| |1:ENGINE=InnoDB; 2:ENGINE=InnoDB; 3:ENGINE=InnoDB
142 |= =|k VARCHAR(20) NOT NULL, a INT NOT NULL DEFAULT 0, PRIMARY KEY (k, a)) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10)|1:ADD PARTITION (PARTITION p1 VALUES LESS THAN (20)); 2:ADD PARTITION (PARTITION p1 VALUES LESS THAN (20)); 3:ADD PARTITION (PARTITION p1 VALUES LESS THAN (20)); 3:DROP PARTITION p1; 2:DROP PARTITION p1; 1:DROP PARTITION p1
148 |= =| |1:ADD c INT, DROP b, ADD KEY i (c); 2:ADD c INT, DROP b, ADD KEY i (c); 3:ADD c INT, DROP b, ADD KEY i (c)
149 |= =|k VARCHAR(20) PRIMARY KEY, a VARCHAR(9) DEFAULT 'x', b INT|1:MODIFY a VARCHAR(20) DEFAULT 'x'; 2:MODIFY a VARCHAR(20) DEFAULT 'x'; 3:MODIFY a VARCHAR(20) DEFAULT 'x'
150 |= =|k VARCHAR(20) PRIMARY KEY, a VARCHAR(9) DEFAULT 'x', b INT|1:MODIFY a VARCHAR(5) DEFAULT 'x'; 2:MODIFY a VARCHAR(5) DEFAULT 'x'; 3:MODIFY a VARCHAR(5) DEFAULT 'x'
150one |w o|k VARCHAR(20) PRIMARY KEY, a VARCHAR(9) DEFAULT 'x', b INT|1:MODIFY a VARCHAR(5) DEFAULT 'x'
151 |= =| |1:MODIFY a DOUBLE; 2:MODIFY a DOUBLE; 3:MODIFY a DOUBLE
151one |w w| |1:MODIFY a DOUBLE
152 |= =| |1:ADD c INT, ADD KEY i (c); 2:ADD c INT, ADD KEY i (c); 3:ADD c INT, ADD KEY i (c); 3:DROP KEY i, DROP c; 1:DROP KEY i, DROP c; 2:DROP KEY i, DROP c
155 |= =| |1:CHANGE a c INT; 1:ADD d INT; 2:CHANGE a c INT; 1:CHANGE c e INT; 3:CHANGE a c INT; 2:ADD d INT; 3:ADD d INT; 2:CHANGE c e INT; 3:CHANGE c e INT
twice |= =| |1:ADD c INT; 2:ADD c INT; 3:ADD c INT; 1:DROP c; 2:DROP c; 3:DROP c; 1:ADD c INT; 2:ADD c INT; 3:ADD c INT
END
    # who may see an index: the two call it by other names
    local hidden=IGNORED shown="NOT IGNORED"
    [ "$flavor" = mysql ] && hidden=INVISIBLE shown=VISIBLE
    echo "085 |= =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a)|1:ALTER INDEX i $hidden; 2:ALTER INDEX i $hidden; 3:ALTER INDEX i $hidden"
    echo "086 |c =|k VARCHAR(20) PRIMARY KEY, a INT, b INT, KEY i (a)|1:ALTER INDEX i $hidden; 2:ALTER INDEX i $shown; 3:ALTER INDEX i $hidden"
}

usual="k VARCHAR(20) PRIMARY KEY, a INT DEFAULT 0, b INT DEFAULT 0"
read_outcomes() { # into names, want[], elements[], steps[] of the mode
    local name want columns text
    names=""
    while IFS='|' read -r name want columns text; do
        name=${name% }
        case $name in ${ONLY:-*}) ;; *) continue ;; esac
        if [ "$mode" = pessimistic ]; then want=${want% *}; else want=${want#* }; fi
        names="$names $name"; wants[$name]=$want; elements[$name]=${columns:-$usual}; steps[$name]=$text
        [ "${columns:-}" != " " ] || elements[$name]=$usual
    done < <(outcomes)
}

tables_sql() { # source
    local n t
    for n in $names; do
        echo "CREATE DATABASE r_$n; USE r_$n;"
        for t in t1 t2; do [ "$1$t" = bt2 ] || echo "CREATE TABLE $t (${elements[$n]}); INSERT IGNORE INTO $t (k) VALUES ('$1$t');"; done
    done
}
# The next step of each row, which is round number $1, for each source: files.
round_sql() {
    local n text step where what db
    : >"$WORK/a.sql"; : >"$WORK/b.sql"
    for n in $names; do
        text=${steps[$n]%%;*}
        [ -n "$text" ] || continue
        if [ "$text" = "${steps[$n]}" ]; then steps[$n]=""; else steps[$n]=${steps[$n]#*; }; fi
        where=${text%%[:!]*}; what=${text#*[:!]}; db=r_$n
        case $text in
        [123]:*)
            case $where in 1) step="a t1" ;; 2) step="b t1" ;; 3) step="a t2" ;; esac
            local t=$db.${step#* } k="$where-$1"
            echo "ALTER TABLE $t $what; INSERT IGNORE INTO $t (k) VALUES ('$k'), ('$k-gone'); DELETE FROM $t WHERE k='$k-gone';" >>"$WORK/${step% *}.sql" ;;
        *) echo "${what//@/$db.};" >>"$WORK/$where.sql" ;;
        esac
    done
    [ -s "$WORK/a.sql" ] || [ -s "$WORK/b.sql" ]
}
reached() { # source
    local pos='SELECT @@global.gtid_executed'
    [ "$flavor" = mariadb ] && pos='SELECT @@gtid_binlog_pos'
    [ "$(sql "$1" "$pos" | tr -d '\\n ')" = "$(tr -d '\n ' <"$T/tasks/m/sources/$1/sync/gtid")" ] || state_is m error
}
both_there() { for s in a b; do wait_for 120 reached $s || fail "$s is not reached"; done; state_is m running || fail "the task is $(state m): $(cat "$T/tasks/m/error")"; }

# Per row: the columns and keys of a table, and its rows.
shapes() { # server schema-pattern of table: "name shape"
    sql "$1" "SET SESSION group_concat_max_len=100000; SELECT c.TABLE_SCHEMA, c.s, IFNULL(k.s, '') FROM
        (SELECT TABLE_SCHEMA, GROUP_CONCAT(CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, CHARACTER_SET_NAME) ORDER BY COLUMN_NAME) s
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA LIKE 'r\\_%' AND TABLE_NAME='$2' GROUP BY TABLE_SCHEMA) c LEFT JOIN
        (SELECT TABLE_SCHEMA, GROUP_CONCAT(CONCAT_WS(' ', INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME) ORDER BY INDEX_NAME, SEQ_IN_INDEX) s
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA LIKE 'r\\_%' AND TABLE_NAME='$2' GROUP BY TABLE_SCHEMA) k ON c.TABLE_SCHEMA=k.TABLE_SCHEMA
        ORDER BY 1"
}
rows_sql() { # "schema table columns" lines -> one statement each
    awk '{ printf "SELECT \"%s\", CONCAT_WS(\"|\"", $1; n = split($3, c, ","); for (i = 1; i <= n; i++) printf ", IFNULL(`%s`, \"-\")", c[i]; printf ") FROM `%s`.`%s`;\n", $1, $2 }'
}
columns_sql() { echo "SELECT TABLE_SCHEMA, TABLE_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY COLUMN_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA LIKE 'r\\_%' AND TABLE_NAME LIKE 't%' GROUP BY 1, 2"; }
rows_of() { # server [k]: "schema rows", sorted; all columns, or k alone
    sql "$1" "$(columns_sql)" | if [ $# -gt 1 ]; then sed 's/\t[^\t]*$/\tk/'; else cat; fi | rows_sql >"$WORK/rows.sql"
    sql "$1" "$(cat "$WORK/rows.sql")"
}
lock_of() { echo "$L/m-\`r_$1\`.\`tb\`"; }
# What has become of a row.
found() {
    local lock n=$1
    lock=$(lock_of "$n")
    if [ -d "$lock" ] && [ "$(tr -d ' \n' <"$lock/waiting")" != "[]" ]; then
        [ -n "$(cat "$lock/conflict")" ] && echo c || echo w
    elif [ "${seen[src_k_$n]:-}" != "${seen[dst_k_$n]:-}" ]; then
        [ -z "$(comm -23 <(echo "${seen[src_k_$n]:-}") <(echo "${seen[dst_k_$n]:-}"))" ] && echo s || echo "missing rows"
    elif [ ! -d "$lock" ] && [ "${seen[src_all_$n]:-}" = "${seen[dst_all_$n]:-}" ] && [ "${seen[dst_shape_$n]:-}" = "${seen[b_shape_$n]:-}" ]; then
        echo =
    else
        echo o
    fi
}
keep() { # what: lines "r_name text" of standard input, sorted
    local name text
    while read -r name text; do seen[$1_${name#r_}]+=$text$'\n'; done < <(sort)
}
look() {
    seen=()
    keep src_k < <(rows_of a k; rows_of b k); keep dst_k < <(rows_of dst k)
    keep src_all < <(rows_of a; rows_of b); keep dst_all < <(rows_of dst)
    keep dst_shape < <(shapes dst tb); keep b_shape < <(shapes b t1)
}
settled() {
    local n
    look; bad=""
    for n in $names; do [ "$(found "$n")" = "${wants[$n]}" ] || bad="$bad $n"; done
    [ -z "$bad" ]
}
differ() {
    local n
    for n in $bad; do
        echo "$flavor $mode: row $n is '$(found "$n")', not '${wants[$n]}': $(cat "$(lock_of "$n")/conflict" 2>/dev/null)"
        diff <(echo "${seen[src_k_$n]:-}") <(echo "${seen[dst_k_$n]:-}"); diff <(echo "${seen[b_shape_$n]:-}") <(echo "${seen[dst_shape_$n]:-}")
    done >&2
    die "$flavor $mode: outcomes differ"
}

declare -A wants elements steps seen
document() {
    cat <<END
name: m
shard_mode: $mode
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
$(for s in a b; do echo "  - source: { source_name: $s, schema: \"r_*\", table: \"t*\" }
    target: { table: tb }"; done)
source_config: { source_conf: [ { source_name: a }, { source_name: b } ] }
END
}
run_mode() {
    local s n bad
    what="the table of outcomes"
    read_outcomes
    sql dst "DROP DATABASE IF EXISTS dm_meta; $(for n in $names; do echo "DROP DATABASE IF EXISTS r_$n;"; done)"
    for s in a b; do sql $s "SET sql_log_bin=0; $(for n in $names; do echo "DROP DATABASE IF EXISTS r_$n;"; done) $(tables_sql $s)" || die "$flavor: no tables"; done
    document | cat >"$T/tasks/create" && wait_for 60 started || die "$flavor $mode: $(cat "$T/tasks/m/last_error" "$T/tasks/last_error")"
    wait_for 60 follows || { task_trouble m; die "$flavor $mode: the copy does not end"; }
    local round=1
    while round_sql $round; do
        for s in a b; do [ ! -s "$WORK/$s.sql" ] || sql $s "$(cat "$WORK/$s.sql")" || die "$flavor $mode: $s refuses a step of round $round"; done
        both_there
        round=$((round + 1))
    done
    wait_for 30 settled || differ
    end_shards
    note "$flavor: $mode: $(wc -w <<<"$names") rows of the table are as it says"
}

for pair in ${PAIRS:-mariadb:optimistic mysql:pessimistic}; do
    flavor=${pair%:*} mode=${pair#*:}
    "start_$flavor" a; "start_$flavor" b; "start_$flavor" dst
    start_sluice
    make_source a a && make_source b b || die "no sources"
    run_mode
    stop_sluice; rm -rf "$WORK/data"
    for s in a b dst; do kill_server $s; eval "rm -rf \$${s}_dir"; done; SERVERS=""
done
