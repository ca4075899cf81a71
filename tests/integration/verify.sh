#!/bin/bash
# tasks/<t>/verify/: under load, all rows that somebody damaged at the target are found, by their keys, and no others;
# it goes on after kill -9; repair makes the ends equal, but for what filters leave out.  On and between both flavours.  PAIRS="mariadb:mariadb mysql:mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

V=$T/tasks/q/verify
N=${ROWS:-12000}
order() { echo "${2:-}" >"$V/$1" || die "$pair: $what: $1: $(cat "$V/last_error")"; }
verify_is() { [ "$(cat "$V/state")" = "$1" ]; }
wait_verify() { wait_for "${2:-180}" verify_is "$1" || { cat "$V/status" "$V/report" >&2; task_trouble q; die "$pair: $what: it is $(cat "$V/state"), not $1"; }; }
differing() { python3 -c 'import json, sys
for row in sorted((r["table"], r["kind"], r["key"].split(",")[0] if "hash" in r["key"] else r["key"]) for r in json.load(open(sys.argv[1]))):
    print(row[0], row[1], "a row" if "hash" in row[2] else row[2])' "$V/differing"; }
expect() { # lines
    diff <(printf '%s' "$1" | LC_ALL=C sort) <(differing | LC_ALL=C sort) || { cat "$V/status" >&2; die "$pair: $what: what differs (>) is not what was damaged (<)"; }
}
nothing_differs() { [ "$(cat "$V/rows_differing")" = 0 ] && [ "$(cat "$V/differing")" = "[]" ] && ! grep -q '"differing": [1-9]' "$V/report"; }
repair() { # when it returns it is done, unless that takes ten seconds
    if echo >"$V/repair" 2>/dev/null; then
        nothing_differs || die "$pair: $what: repair has returned, and: $(cat "$V/status" "$V/differing" "$V/report")"
    else
        grep -q 'still being repaired' "$V/last_error" || die "$pair: $what: $(cat "$V/last_error" "$V/error")"
        wait_for 120 nothing_differs || { cat "$T/tasks/q/sources/s1/sync/copied_again" "$V/status" >&2; die "$pair: $what: $(cat "$V/rows_differing") rows still differ"; }
    fi
    wait_verify finished
}
write_load() { # until $WORK/load goes; rows 1..100 of each table are left alone, and w11 and w5 (which follows w499)
    local i=0 r
    while [ -e "$WORK/load" ]; do
        i=$((i + 1)); r=$((101 + (RANDOM * 32768 + RANDOM) % N))
        echo "BEGIN; UPDATE q.big SET v = v + 1 WHERE id = $r; INSERT INTO q.big (v, s) VALUES ($i, CONCAT('new ', $i)); DELETE FROM q.big WHERE id = $r + 1; COMMIT;
            UPDATE q.big SET v = v + 1 WHERE id = 101; UPDATE q.pairs SET v = v + 1 WHERE a = 3 AND b > 'b5' LIMIT 3;
            INSERT INTO q.keyless VALUES ($i, 'n'); UPDATE q.keyless SET s = 'u' WHERE a = 101 + $i % 500; DELETE FROM q.keyless WHERE a = 700 + $i % 200;
            UPDATE q.words SET v = v + 1 WHERE w > CONCAT('w', 150 + $i % 300) LIMIT 2; INSERT IGNORE INTO q.words VALUES (CONCAT('W', 3000 + $i), 1);"
        sleep 0.01
    done | sql_file src /dev/stdin >/dev/null 2>"$WORK/load.err"
}
start_load() { : >"$WORK/load"; write_load & load_pid=$!; }
stop_load() { rm -f "$WORK/load"; wait "$load_pid"; [ ! -s "$WORK/load.err" ] || die "$pair: the load failed: $(head -3 "$WORK/load.err")"; }
damage() {
    sql dst "DELETE FROM q.big WHERE id IN (5, 77); UPDATE q.big SET v = -1 WHERE id = 9; UPDATE q.big SET s = NULL WHERE id = 10; INSERT INTO q.big VALUES (-5, 1, 'extra'), (100000000, 1, 'extra');
        DELETE FROM q.keyless WHERE a = 5 LIMIT 1; INSERT INTO q.keyless VALUES (-1, 'extra'); UPDATE q.words SET v = -1 WHERE w = 'w5'; INSERT INTO q.words VALUES ('aaa', 1);
        DELETE FROM q.words WHERE w = 'w11'; UPDATE q.pairs SET v = -1 WHERE a = 3 AND b = 'b10'; INSERT INTO q.pairs VALUES (3, 'B', 1), (100, 'é', 1)"
}
damaged="q.big missing id=5
q.big missing id=77
q.big different id=9
q.big different id=10
q.big extra id=-5
q.big extra id=100000000
q.keyless missing a row
q.keyless extra a row
q.words different w=w5
q.words extra w=aaa
q.words missing w=w11
q.pairs different a=3, b=b10
q.pairs extra a=3, b=B
q.pairs extra a=100, b=0xc3a9
"

for pair in ${PAIRS:-mariadb:mariadb mysql:mysql}; do
    "start_${pair%:*}" src; "start_${pair#*:}" dst
    numbers="SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n FROM q.ten a, q.ten b, q.ten c, q.ten d, q.ten e"
    sql src "CREATE DATABASE q; USE q; CREATE TABLE ten (n INT PRIMARY KEY); INSERT INTO ten VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
        CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v INT, s VARCHAR(100)); INSERT INTO big SELECT n + 1, n, CONCAT('row ', n) FROM ($numbers) x WHERE n < $N;
        CREATE TABLE keyless (a INT, s VARCHAR(20)); INSERT INTO keyless SELECT n, 'x' FROM ($numbers) x WHERE n < 1000; INSERT INTO keyless VALUES (5, 'x'), (5, 'x');
        CREATE TABLE words (w VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v INT); INSERT INTO words SELECT CONCAT('w', n), n FROM ($numbers) x WHERE n < 1000;
        CREATE TABLE pairs (a INT, b VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, v INT, PRIMARY KEY (a, b)); INSERT INTO pairs SELECT n % 7, CONCAT('b', n), n FROM ($numbers) x WHERE n < 6000"
    [ -n "$sluiced_pid" ] || start_sluice
    make_source s1 src && make_task q s1 dst q </dev/null || die "$(cat "$T/tasks/last_error" "$T/sources/last_error")"
    echo >"$V/start" 2>/dev/null && die "$pair: there is nothing to compare before the task was started"
    echo >"$T/tasks/q/start" || die "$(cat "$T/tasks/q/last_error")"
    caught_up q src
    start_load

    what="nothing is reported that is only on its way"
    echo 3000 >"$V/chunk_rows" || die "$(cat "$V/last_error")"
    order start; wait_verify finished
    expect ""
    [ "$(cat "$V/rows_checked")" -gt $((N + 8000)) ] || die "$pair: $what: only $(cat "$V/rows_checked") rows were looked at: $(cat "$V/report")"
    [ "$(cat "$V/tables_failed")" = 0 ] || die "$pair: $what: $(cat "$V/report")"

    what="all that is damaged is found, across kill -9"
    damage
    echo 6000 >"$V/rate"
    order start
    some() { [ "$(cat "$V/rows_checked")" -gt 3000 ]; }
    wait_for 120 some || die "$pair: $what: it does not begin"
    kill_sluice; restart_sluice
    wait_for 30 verify_is running || die "$pair: $what: it does not go on: $(cat "$V/state")"
    order pause; verify_is paused || die "$pair: $what: it is $(cat "$V/state"), not paused"
    order resume
    echo 0 >"$V/rate"
    wait_verify finished
    expect "$damaged"
    note "$pair: $(cat "$V/progress")"
    stop_load; kill_sluice; restart_sluice
    wait_for 30 verify_is finished || die "$pair: $what: after a restart it is $(cat "$V/state")"
    expect "$damaged"
    start_load

    what="repair"
    repair
    order start; wait_verify finished
    expect ""
    stop_load
    caught_up q src
    same_rows src dst q || die "$pair: $what: the ends differ"
    echo >"$T/tasks/q/stop"; rmdir "$T/tasks/q" || die "$(cat "$T/tasks/last_error")"

    what="what filters leave out is no difference, and what they may be the reason of is not judged"
    sql src "CREATE DATABASE f; USE f; CREATE TABLE ins (id INT PRIMARY KEY, v INT); CREATE TABLE upd LIKE ins; CREATE TABLE del LIKE ins; CREATE TABLE log (v INT);
        INSERT INTO ins VALUES (1,1),(2,2),(3,3),(4,4),(5,500); INSERT INTO upd SELECT * FROM ins; INSERT INTO del SELECT * FROM ins; INSERT INTO log SELECT v FROM ins"
    cat >"$T/tasks/create" <<END || die "$pair: $what: $(cat "$T/tasks/last_error")"
name: q
task_mode: all
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule: [ { source: { source_name: s1, schema: f, table: "*" } } ]
expression_filter:
  ins: { schema: f, table: ins, insert_value_expr: v > 100 }
  log: { schema: f, table: log, insert_value_expr: v > 100 }
  gone: { schema: f, table: "*", insert_value_expr: no_such_column > 100 }
  upd: { schema: f, table: upd, update_old_value_expr: v > 1 }
  del: { schema: f, table: del, delete_value_expr: v > 1 }
source_config: { source_conf: [ { source_name: s1, expression_filters: [ ins, log, gone, upd, del ] } ] }
END
    echo >"$T/tasks/q/start" || die "$pair: $what: $(cat "$T/tasks/q/last_error")"
    caught_up q src
    sql src "USE f; INSERT INTO ins VALUES (10,1000),(11,1001),(12,12); UPDATE ins SET v = 1200 WHERE id = 12; INSERT INTO log VALUES (12),(1000);
        UPDATE upd SET v = 22 WHERE id = 2; DELETE FROM del WHERE id = 3; INSERT INTO upd VALUES (10,1000); INSERT INTO del VALUES (10,1000)"
    caught_up q src
    of() { python3 -c 'import json, sys
print(" ".join("%s %s/%s" % (t["table"][2:], t["left_out"], t["not_judged"]) for t in json.load(open(sys.argv[1]))))' "$V/report"; }
    order start; wait_verify finished
    expect ""
    [ "$(of)" = "del 0/1 ins 2/0 log 1/0 upd 0/1" ] || die "$pair: $what: left out/not judged: $(of)"
    grep -q 'not judged, 1 rows' "$V/report" && [ "$(cat "$V/rows_not_judged")" = 2 ] || die "$pair: $what: $(cat "$V/report")"
    sql src "USE f; INSERT INTO ins VALUES (20,2000),(21,2001),(22,2002)" && caught_up q src # kept out; changed so that they pass, and not
    sql src "USE f; UPDATE ins SET v = 20 WHERE id = 20; UPDATE ins SET v = 3001 WHERE id = 21; DELETE FROM ins WHERE id = 22; UPDATE log SET v = 9 WHERE v = 1000; UPDATE log SET v = 1000 WHERE v = 9
        ; FLUSH BINARY LOGS" && caught_up q src # an event of no transaction ends it
    sql dst "USE f; DELETE FROM ins WHERE id = 3; UPDATE ins SET v = -1 WHERE id IN (4, 12); UPDATE upd SET v = -1 WHERE id = 4; INSERT INTO log VALUES (-7); DELETE FROM del WHERE id = 2; INSERT INTO del VALUES (77,77)"
    order start; wait_verify finished
    expect "f.ins missing id=3
f.ins missing id=20
f.ins different id=4
f.ins different id=12
f.del missing id=2
f.log extra a row
"
    grep -q 'it has no key: compared by hashes' "$V/report" || die "$pair: $what: $(cat "$V/report")"
    echo >"$V/repair" 2>/dev/null && die "$pair: $what: rows of a table without a key are said to be repaired"
    kept() { grep -q 'filters leave rows of f.log out' "$V/report" && [ "$(differing)" = "f.log extra a row" ]; }
    wait_for 60 kept || die "$pair: $what: $(cat "$V/last_error" "$V/report" "$V/differing")"
    sql dst "DELETE FROM f.log WHERE v = -7"
    there() { sql dst "SELECT CONCAT('$1', id, '=', v) FROM f.$1 ORDER BY id" | tr '\n' ' '; }
    upd="upd1=1 upd2=2 upd3=3 upd4=-1 upd5=500 upd10=1000 "; del="del1=1 del2=2 del3=3 del4=4 del5=500 del10=1000 del77=77 "
    ins="ins1=1 ins2=2 ins3=3 ins4=4 ins5=500 ins12=1200 ins20=20 "
    [ "$(there ins)$(there upd)$(there del)" = "$ins$upd$del" ] || die "$pair: $what: repaired what it should not: $(there ins)$(there upd)$(there del)"
    sql dst "USE f; DELETE FROM ins WHERE id = 1; UPDATE ins SET v = -1 WHERE id = 12; UPDATE del SET v = -1 WHERE id = 4"
    again() { python3 -c 'import json, sys
print(sum(t["state"] == "done" and t["reason"] == "" for t in json.load(open(sys.argv[1]))))' "$T/tasks/q/sources/s1/sync/copied_again"; }
    settled() { ! grep -q settling "$T/tasks/q/sources/s1/sync/copied_again"; }
    wait_for 60 settled || die "$pair: $what: $(cat "$T/tasks/q/sources/s1/sync/copied_again")"
    for t in ins upd del; do echo "schema=f table=$t" >"$T/tasks/q/resnapshot" || die "$pair: $what: $(cat "$T/tasks/q/last_error")"; done
    thrice() { [ "$(again)" = 3 ]; }
    wait_for 120 thrice || die "$pair: $what: not copied again: $(cat "$T/tasks/q/sources/s1/sync/copied_again")"
    upd="upd1=1 upd2=22 upd3=3 upd4=4 upd5=500 upd10=1000 "
    [ "$(there ins)$(there upd)$(there del)" = "$ins$upd$del" ] || die "$pair: $what: after a resnapshot: $(there ins)$(there upd)$(there del)"
    echo >"$T/tasks/q/stop"; rmdir "$T/tasks/q" || die "$(cat "$T/tasks/last_error")"; rmdir "$T/sources/s1"
    stop_server src; stop_server dst; rm -rf "$src_dir" "$dst_dir"; unset src_port dst_port
done
