#!/bin/bash
# labels: asan
# What stops a task has DM's number in its error_msg: each cause is made at real servers, a schema and a task for each, all
# at once. What is paused shows where it was after a restart, too.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh; . tests/lib/dm.sh

start_mysql my
start_mariadb dst
dm=$(free_port)
start_sluice --facades "dm=127.0.0.1:$dm" --member-name worker-1
BASE=http://127.0.0.1:$dm
ok 201 POST /sources "$(source_of my my)"

dup=error n=0
place() { sql my "SHOW BINARY LOG STATUS" | awk '{ printf "\"binlog_name\": \"%s\", \"binlog_pos\": %s", $1, $2 }'; }
both_have() { sql my "CREATE DATABASE $1; USE $1; $2"; sql dst "CREATE DATABASE $1; USE $1; ${3:-$2}"; }
task() { # name mode start table target [more fields]
    local mode=$2
    ok 201 POST /tasks "{\"remove_meta\": false, \"task\": $(task_of "$1" "[{\"source_name\": \"${from:-my}\"${3:+, $3}}]" \
        "[{\"source\": {\"source_name\": \"${from:-my}\", \"schema\": \"$1\", \"table\": \"$4\"}$5}]" ", \"ignore_checking_items\": [\"all\"]${6:-}")}"
}
# The cases: code, task, what the sentence has.
cases=""
case_of() { cases="$cases
$1 $2 $3"; }
follows() { # code part statements [key there [start]]: changes of one table
    local name=c$((n += 1)) columns="id INT NOT NULL, v VARCHAR(20), w INT NOT NULL"
    local row="INSERT INTO t VALUES (1, 'a', 1)"
    both_have $name "CREATE TABLE t ($columns, PRIMARY KEY (id)); $row" "CREATE TABLE t ($columns, PRIMARY KEY (${4:-id})); $row"
    task $name incremental "${5:-$(place)}" t ''
    case_of "$1" $name "$2"
    sql my "USE $name; $3"
}
merges() { # code part mode statements: shards a and b of w
    local name=c$((n += 1)) shard="id INT PRIMARY KEY, v INT"
    both_have $name "CREATE TABLE a ($shard); CREATE TABLE b ($shard); CREATE TABLE c ($shard); CREATE TABLE _a_gho ($shard)" "CREATE TABLE w ($shard)"
    task $name incremental "$(place)" "?" ", \"target\": {\"schema\": \"$name\", \"table\": \"w\"}" ", \"shard_mode\": \"$3\""
    case_of "$1" $name "$2"
    sql my "USE $name; $4"
}
copies() { # code part: two rows of which the target takes one
    local name=c$((n += 1)) t="CREATE TABLE t (id INT PRIMARY KEY, v INT"
    both_have $name "$t)" "$t, UNIQUE KEY (v))"
    sql my "INSERT INTO $name.t VALUES (1, 1), (2, 1)"
    task $name full '' t ''
    case_of "$1" $name "$2"
}

note "made"
follows 11126 "upstream didn't log enough columns in binlog" "SET SESSION binlog_row_image = MINIMAL; UPDATE t SET v = 'b'" w
follows 36004 "as a statement" "SET SESSION binlog_format = STATEMENT; UPDATE t SET v = 'b'"
follows 36067 "SQL syntax" "ALTER TABLE t ADD KEY k ((w + 1))"
follows 36069 "source: " "DO 1" id '"binlog_name": "bin.999999", "binlog_pos": 4'
merges 36068 "\`RENAME TABLE\` statement not supported" pessimistic "CREATE DATABASE other; CREATE TABLE other.x (id INT PRIMARY KEY, v INT); RENAME TABLE other.x TO d"
merges 20049 "fail to match 'trash_table_rules'" pessimistic "RENAME TABLE a TO a_bak, _a_gho TO a"
merges 36044 "_c_gho" pessimistic "RENAME TABLE c TO _c_gho"
merges 36045 "_b_gho" pessimistic "RENAME TABLE _a_gho TO _b_gho"
merges 38016 "is different with" pessimistic "ALTER TABLE a ADD x INT; ALTER TABLE b ADD y INT"
merges 36008 "detect inconsistent DDL sequence from source" pessimistic "ALTER TABLE a ADD x INT"
name=c$n
lock() { ls "$T/tasks/$name/locks" | grep "^$name-"; }
wait_for 60 lock >/dev/null || die "no lock of $name"
echo >"$T/tasks/$name/locks/$(lock)/exec" || die "$(cat "$T/tasks/$name/locks/$(lock)/last_error")" # without b
sql my "ALTER TABLE $name.b ADD y INT"
merges 36062 "because schema conflict detected" optimistic "ALTER TABLE a ADD x INT; ALTER TABLE b ADD x VARCHAR(20)"
merges 11128 "wasn't fully dropped in downstream" optimistic "ALTER TABLE a ADD x INT; ALTER TABLE b ADD x INT; ALTER TABLE a DROP x; ALTER TABLE a ADD x INT"
both_have dumped "CREATE TABLE t (id INT PRIMARY KEY)"
task dumped dump '' t '' ', "source_config": {"source_conf": [{"source_name": "my"}], "full_migrate_conf": {"data_dir": "/dev/null/x"}}'
case_of 32001 dumped "Not a directory"
both_have unlocked "CREATE TABLE t (id INT PRIMARY KEY)"
sql my "CREATE USER reader@'%' IDENTIFIED BY 'sluice'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN ON *.* TO reader@'%'"
ok 201 POST /sources "$(source_of poor my | sed 's/"user": "sluice"/"user": "reader"/')"
from=poor task unlocked full '' t '' ', "source_config": {"source_conf": [{"source_name": "poor"}], "full_migrate_conf": {"consistency": "flush"}}'
case_of 32004 unlocked "couldn't acquire global lock"
copies 34019 "Duplicate entry"

error_is() { # code task part
    ok 200 GET "/tasks/$2/status"
    jq -e --arg h "[code=$1:" --arg p "$3" '.data[0].error_msg // "" | startswith($h) and contains($p)' <<<"$body" >/dev/null
}
while read -r want name part; do
    [ -n "$want" ] || continue
    wait_for 60 error_is "$want" "$name" "$part" || die "$name: not $want '$part': $(jq -c '.data[0] | {stage, unit, error_msg}' <<<"$body")"
    codes="$codes $want"
done <<<"$cases"
code 40056 "current unit is" GET /tasks/unlocked/sources/poor/schemas
ok 200 GET /tasks; for name in $(jq -r '.data[].name' <<<"$body"); do ok 204 DELETE "/tasks/$name?force=true"; done

note "one source of a new task: the other was never started"
both_have st "CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY)"
from_each() { echo "[{\"source_name\": \"my\", $(place)}, {\"source_name\": \"poor\", $(place)}]"; }
ok 201 POST /tasks "{\"task\": $(mode=incremental task_of st "$(from_each)" '[{"source": {"source_name": "my", "schema": "st", "table": "a"}}, {"source": {"source_name": "poor", "schema": "st", "table": "b"}}]')}"
stages_are st '{"my":"Stopped","poor":"Stopped"}'
ok 200 POST /tasks/st/start '{"source_name_list": ["my"]}'; stages_are st '{"my":"Running","poor":"Stopped"}'
stop_sluice; restart_sluice; stages_are st '{"my":"Running","poor":"Stopped"}'
ok 200 POST /tasks/st/start; stages_are st '{"my":"Running","poor":"Running"}'

note "what is paused is where it was, after a restart too"
sql my "INSERT INTO st.a VALUES (1); INSERT INTO st.b VALUES (1)"
at_end() { ok 200 GET /tasks/st/status; [ "$(jq -r '[.data[].sync_status.syncer_binlog] | unique | .[]' <<<"$body")" = "($(sql my "SHOW BINARY LOG STATUS" | awk '{ print $1 ", " $2 }'))" ]; }
wait_for 60 at_end || die "not at the end: $body"
ok 200 POST /tasks/st/stop; at_end || die "it was elsewhere: $body"
shows '[.data[] | .stage, .sync_status.synced] == ["Paused", true, "Paused", true]'
stop_sluice; restart_sluice
wait_for 30 at_end || die "after the restart it is elsewhere: $body"
shows '[.data[] | .stage, .unit] == ["Paused", "Sync", "Paused", "Sync"]'
synced() { ok 200 GET /tasks/st/status; jq -e '[.data[].sync_status.synced] | all' <<<"$body" >/dev/null; }
wait_for 60 synced || die "the source is where it was, and it is not said: $body"
sql my "INSERT INTO st.a VALUES (2)"
behind() { ! synced; }
wait_for 60 behind || die "the source has gone on, and it is not said: $body"

note "a comparison that waits for what the paused task lacks"
echo >"$T/tasks/st/verify/start" || die "$(cat "$T/tasks/st/verify/last_error")"
code 40082 "validator is running" GET /tasks/st/sources/my/schemas
echo >"$T/tasks/st/verify/stop" || die "$(cat "$T/tasks/st/verify/last_error")"
note "codes seen:$(tr ' ' '\n' <<<"$codes" | sort -nu | tr '\n' ' ')"
echo PASS
