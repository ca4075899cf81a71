#!/bin/bash
# expression_filter: of each expression the source's own evaluation (SELECT ... WHERE) and what reached the target
# agree row by row; for inserts, updates by old and new values, and deletes.  FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

EXPRESSIONS=$(grep -v '^#' <<'END'
id > 5
n IS NULL OR n < 3
n <> 7 AND NOT (id = 2 OR id = 3)
n XOR id % 2
n IN (1, 2, NULL)
n NOT IN (1, 2)
n BETWEEN -5 AND 2
n NOT BETWEEN id AND 9
u > 9223372036854775807
u DIV 2 > 9223372036854775806
d = 1.5
d * 2 > 3.000
d > '1.4'
d / 3 < 0.5
n / 2 = 0.5 OR n DIV 2 = 3
d % 1 = 0.25
f < 0.3
f = 0.5 OR f IS NULL
f * 10 > d
s = 'ABC'
s < 'b'
s <> 'abc '
s LIKE 'a%'
s NOT LIKE '_b%'
s LIKE '%\%%'
s = 0
s = 12
s > n
s IN ('abc', 'x', '12ab')
BINARY s = 'abc'
b = 'abc'
b LIKE 'A%'
b > 'B'
r = x'616263'
r < 'b'
LENGTH(s) > 3 OR CHAR_LENGTH(s) = 1
CONCAT(s, n) = 'abc1'
UPPER(b) = 'ABC' AND LOWER(b) <> b
LEFT(s, 1) = 'a' AND RIGHT(s, 1) <> 'c'
SUBSTRING(s, 2) = 'bc' OR SUBSTR(s, -1, 1) = 'b'
TRIM(s) = 'abc'
e = 'NEW'
e IN ('old', '')
e > 'm'
t = 'a,c'
t LIKE '%b%'
dt = '2030-1-2'
dt >= 20300102 AND dt < '2030-03-01'
dt > ts
ts BETWEEN '2030-01-02' AND '2030-01-02 03:04:05'
YEAR(dt) = 2030 AND MONTH(ts) = 1
DATE(ts) = dt
tm > '10:00:00'
tm < '-00:30:00' OR HOUR(tm) = 10
y = 2030 OR y + 1 = 2000
bits = 5 OR bits & 2
n | 4 = 5 OR n ^ 1 = 6 OR ~n = 18446744073709551615
n << 2 = 4 OR u >> 63 = 1
IF(n > 2, d, f) > 1
IFNULL(n, id) = id
COALESCE(n, d, 9) = 9
NULLIF(n, 1) IS NULL
CASE WHEN n > 2 THEN s ELSE b END = 'abc'
CASE n WHEN 1 THEN 10 WHEN 7 THEN 20 END = 20
ABS(n) = 5 OR SIGN(d) = -1
ROUND(d) = 2 OR FLOOR(d) = -2 OR CEILING(d) = -1
MOD(id, 3) = 1
GREATEST(n, id) = n OR LEAST(s, b) = 'ABC'
CAST(s AS SIGNED) = 12 OR CAST(d AS SIGNED) = 2
CAST(n AS CHAR) LIKE '-%'
CAST(dt AS CHAR) LIKE '2030%'
n <=> NULL OR s <=> 'abc'
(n > 1) = TRUE AND (s = 'abc') IS NOT TRUE
(n = 1 AND d = 1.5) IS FALSE
NOT n OR !id
s AND n
-n > 3 OR - -n = 7
END
)
columns="id INT PRIMARY KEY, n INT, u BIGINT UNSIGNED, d DECIMAL(12,4), f DOUBLE, s VARCHAR(20) COLLATE utf8mb4_general_ci, b VARCHAR(20) COLLATE utf8mb4_bin,
    r VARBINARY(20), e ENUM('new','old','mid'), t SET('a','b','c'), dt DATE, ts DATETIME, tm TIME, y YEAR, bits BIT(4)"
rows="(1, 1, 1, 1.5, 0.25, 'abc', 'abc', 'abc', 'new', 'a,c', '2030-01-02', '2030-01-02 03:04:05', '10:20:30', 2030, b'101'),
    (2, 2, 18446744073709551615, -1.5, 0.5, 'ABC ', 'ABC', 'ABC', 'old', 'b', '2030-02-28', '2030-01-02 00:00:00', '-01:00:00', 1999, b'0010'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 7, 9223372036854775808, 2, -3.5, 'x', 'x', 'x', 'mid', '', '1999-12-31', '1999-12-31 23:59:59', '00:00:00', 2000, b'0'),
    (5, -5, 0, 0.25, 1e10, '12ab', 'aBC', '', 'new', 'a,b,c', '2030-01-02', '2030-01-02 00:00:00', '838:59:59', 2030, b'1111'),
    (6, 0, 5, -0.0001, 0, '', 'b%c', x'00ff', 'old', 'c', '2000-02-29', '2031-05-06 07:08:09', '10:00:00', 1901, b'1'),
    (7, 3, 6, 12345678.9, 0.1, 'a%b', ' abc', 'abc ', 'mid', 'b,c', '2030-12-31', '2030-12-31 23:59:59', '09:59:59', 2155, b'0110')"

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    ddl="CREATE DATABASE x; USE x;"; insert=""; rules=""; names=""; i=0
    while IFS= read -r expression; do
        i=$((i + 1)); ddl+="CREATE TABLE t$i ($columns);"; insert+="INSERT INTO t$i VALUES $rows;"; names+=", e$i"
        rules+="  e$i: { schema: x, table: t$i, insert_value_expr: $(jq -Rn --arg e "$expression" '$e') }"$'\n'
    done <<<"$EXPRESSIONS"
    count=$i
    ddl+="CREATE TABLE up ($columns); CREATE TABLE del ($columns); INSERT INTO up VALUES $rows; INSERT INTO del VALUES $rows;"
    sql src "$ddl" || die "$flavor: tables"
    start_sluice
    make_source s1 src || die "$(cat "$T/sources/last_error")"
    document() { cat <<END
name: x
task_mode: all
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
expression_filter:
$rules
  up: { schema: x, table: up, update_old_value_expr: "n > 0", update_new_value_expr: "n < 0" }
  del: { schema: x, table: del, delete_value_expr: "${1:-d > 0}" }
  gone: { schema: x, table: del, insert_value_expr: "no_such_column = 1" }
source_config: { source_conf: [ { source_name: s1, expression_filters: [ up, del, gone$names ] } ] }
END
    }
    what="what is no expression is refused when it is written"
    document "d > > 0" >"$WORK/x.yaml"; cat "$WORK/x.yaml" >"$T/tasks/create" 2>/dev/null && die "$flavor: $what"
    grep -q 'expression_filter del' "$T/tasks/last_error" || die "$flavor: $what: $(cat "$T/tasks/last_error")"
    document >"$WORK/x.yaml"; cat "$WORK/x.yaml" >"$T/tasks/create" && echo >"$T/tasks/x/start" || die "$flavor: $(cat "$T/tasks/last_error" "$T/tasks/x/last_error")"
    wait_state x running; caught_up x src

    what="inserts"
    sql src "USE x; BEGIN; $insert COMMIT; UPDATE up SET n = IF(id % 2, -1, 1); DELETE FROM del" || die "$flavor: rows"
    caught_up x src; state_is x running || { task_trouble x; die "$flavor: the task is $(state x)"; }
    checks=""; i=0
    while IFS= read -r expression; do
        i=$((i + 1)); checks+="SELECT 't$i', GROUP_CONCAT(id ORDER BY id) FROM t$i WHERE NOT IFNULL(($expression), 0);"
    done <<<"$EXPRESSIONS"
    sql src "SET time_zone='+00:00'; USE x; $checks" 2>/dev/null | tr '\t' ' ' >"$WORK/want"
    for i in $(seq "$count"); do echo "SELECT 't$i', GROUP_CONCAT(id ORDER BY id) FROM x.t$i;"; done >"$WORK/q.sql"
    sql dst "$(cat "$WORK/q.sql")" | tr '\t' ' ' >"$WORK/got"
    [ "$(wc -l <"$WORK/want")" = "$count" ] || die "$flavor: the source refused one of $count"
    diff "$WORK/want" "$WORK/got" >"$WORK/diff" || { while read -r _ t _; do sed -n "${t#t}p" <<<"$EXPRESSIONS"; done < <(grep '^>' "$WORK/diff") >&2; cat "$WORK/diff" >&2; die "$flavor: $what: the server says otherwise"; }

    what="updates and deletes"
    [ "$(sql dst 'SELECT GROUP_CONCAT(CONCAT(id, ":", IFNULL(n, "N")) ORDER BY id) FROM x.up')" = "1:1,2:1,3:-1,4:1,5:-1,6:1,7:3" ] || die "$flavor: $what: $(sql dst 'SELECT id, n FROM x.up')"
    [ "$(sql dst 'SELECT GROUP_CONCAT(id ORDER BY id) FROM x.del')" = "1,4,5,7" ] || die "$flavor: $what: $(sql dst 'SELECT id FROM x.del')"
    grep -q 'expression_filter gone leaves nothing out: there is no column no_such_column' "$SLUICE_LOG" || die "$flavor: $what: no warning"

    what="a DDL: the expression is of the table as it is now"
    sql src "USE x; ALTER TABLE t1 DROP COLUMN n, ADD COLUMN z INT FIRST, CHANGE id id BIGINT; INSERT INTO t1 (z, id) VALUES (1, 100), (1, -100)"
    caught_up x src
    [ "$(sql dst 'SELECT GROUP_CONCAT(id) FROM x.t1 WHERE z = 1')" = -100 ] || die "$flavor: $what: $(sql dst 'SELECT id FROM x.t1')"
    note "$flavor: $count expressions as the server has them, $(cat "$T/tasks/x/sources/s1/sync/rows_ignored") rows left out"
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
echo "sync_rows_filter: expressions drop the rows that the servers say, on ${FLAVORS:-mariadb mysql}"
