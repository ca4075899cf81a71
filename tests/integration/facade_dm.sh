#!/bin/bash
# labels: asan long
# DM's OpenAPI against a real MySQL and a real MariaDB: every spelling of 5.x and 6.x, what each changes being there when
# it returns; every code of DM's errors that can be provoked; no password on any way out; rows at both ends in the end.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh; . tests/lib/compare.sh; . tests/lib/dm.sh

start_mysql my
start_mariadb mdb
start_mariadb dst
dm=$(free_port)
start_sluice --facades "dm=127.0.0.1:$dm" --member-name worker-1
BASE=http://127.0.0.1:$dm
for s in my mdb; do
    sql $s "CREATE DATABASE d_$s; CREATE TABLE d_$s.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20)); INSERT INTO d_$s.t (v) VALUES ('a'), ('b'), ('c');
        CREATE TABLE d_$s.u (id INT PRIMARY KEY)"
done
one() { task_of "$1" "$(confs my)" "$(rules my my)" "${2:-}"; }
both() { task_of "$1" "$(confs my mdb)" "$(rules my my mdb mdb)" "${2:-}"; }
note "sources: made in both forms, shown, changed, removed"
ok 201 POST /sources "$(source_of my my)"
shows '.source_name == "my" and .password == "******"'
ok 201 POST /sources "{\"source\": $(source_of mdb mdb ', "flavor": "mariadb"'), \"worker_name\": \"worker-1\"}"
ok 200 GET /sources; shows '.total == 2 and [.data[].source_name] == ["mdb", "my"] and ([.data[] | has("status_list")] | any | not)'
ok 200 GET '/sources?with_status=True'; shows '[.data[].status_list[0].worker_name] == ["worker-1", "worker-1"]'
ok 200 GET /sources/my; shows '.flavor == "mysql" and .password == "******" and (has("task_name_list") | not)'
expect 404 GET $A/sources/none ''; is ''
ok 200 PUT /sources/my "{\"source\": $(source_of my my ', "purge": {"interval": 60}' | sed 's/"password": "sluice"/"password": "******"/')}"
ok 200 GET /sources/my; shows '.purge.interval == 60 and .purge.remain_space == 15'
ok 200 PUT /sources/my "{\"source\": $(source_of my my | sed 's/, "password": "sluice"//')}"
ok 200 GET /sources/my/schemas; shows 'index("d_my") != null'
ok 200 GET /sources/my/schemas/d_my; shows '. == ["t", "u"]'
for verb in PATCH POST; do ok 200 $verb /sources/my/transfer '{"worker_name": "worker-1"}'; done
relay() { ok 200 GET /sources/mdb/status; jq -r '.data[0].relay_status.stage' <<<"$body"; }
relay_is() { [ "$(relay)" = "$1" ] || die "the relay is not $1: $body"; }
for verb in PATCH POST; do
    ok 200 $verb /sources/mdb/start-relay '{"worker_name_list": ["worker-1"]}'; relay_is Running
    ok 200 $verb /sources/mdb/pause-relay; relay_is Paused
    ok 200 $verb /sources/mdb/resume-relay; relay_is Running
    ok 200 $verb /sources/mdb/stop-relay '{"worker_name_list": ["worker-1"]}'; relay_is null
done
ok 200 POST /sources/mdb/relay/enable; relay_is Running
ok 200 GET '/sources?enable_relay=true'; shows '[.data[].source_name] == ["mdb"]'
code 46025 "source with name mdb" PUT /sources/mdb "{\"source\": $(source_of mdb mdb)}"
code 46023 "existing relay workers" DELETE /sources/mdb
ok 200 POST /sources/mdb/relay/disable; relay_is null

note "errors of sources"
code 0 "value is required but missing" POST /sources
code 0 'property "host" is missing' POST /sources '{"source_name": "x"}'
code 0 "value must be an integer" POST /sources "$(source_of x my | sed 's/"port": [0-9]*/"port": "x"/')"
code 0 "not JSON" POST /sources '{"source_name": '
code 0 "with_status" GET '/sources?with_status=maybe'
code 40005 "must not be empty" POST /sources "$(source_of '' my)"
code 40006 "more than max allowed value 32" POST /sources "$(source_of a23456789012345678901234567890123 my)"
code 40007 "relay-binlog-name nonsense not valid" POST /sources "$(source_of x my ', "relay_config": {"relay_binlog_name": "nonsense"}')"
code 11010 "flavor" POST /sources "$(source_of x my ', "flavor": "oracle"')"
code 11009 "relay_binlog_gtid" POST /sources "$(source_of x my ', "relay_config": {"relay_binlog_gtid": "nonsense"}')"
code 11011 "0-1-2 is not mysql GTID set" POST /sources/my/relay/enable '{"relay_binlog_gtid": "0-1-2"}'
code 11012 "is not mariadb GTID set" POST /sources/mdb/relay/enable '{"relay_binlog_gtid": "e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-2"}'
code 40007 "relay-binlog-name nonsense" POST /sources/my/relay/enable '{"relay_binlog_name": "nonsense"}'
code 46007 "source config with ID my already exists" POST /sources "$(source_of my my)"
code 46004 "dm-worker with name w9 not exists" POST /sources "{\"source\": $(source_of x my), \"worker_name\": \"w9\"}"
code 10001 "scope=upstream" POST /sources "$(source_of x my | sed 's/"password": "sluice"/"password": "sluice-pw"/')"
code 10001 "database driver error" PUT /sources/my "{\"source\": $(source_of my my | sed 's/"password": "sluice"/"password": "sluice-pw"/')}"
sql my "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE"
code 26007 "gtid_mode" POST /sources "$(source_of x my | sed 's/"enable_gtid": false/"enable_gtid": true/')"
sql my "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = ON"
expect 404 GET $A/sources/x ''
for path in status schemas schemas/d; do code 46008 "source config with ID none not exists" GET /sources/none/$path; done
for path in enable disable start-relay stop-relay relay/enable relay/disable; do code 46008 "not exists" POST /sources/none/$path; done
code 46008 "not exists" PATCH /sources/none/transfer '{"worker_name": "worker-1"}'
code 46008 "not exists" PUT /sources/none "{\"source\": $(source_of none my)}"
code 46008 "not exists" DELETE /sources/none
code 46012 "none" PATCH /sources/none/pause-relay
code 46012 "none" POST /sources/none/resume-relay
code 46004 "w9" POST /sources/my/transfer '{"worker_name": "w9"}'
code 46004 "w9" POST /sources/my/relay/enable '{"worker_name_list": ["w9"]}'
code 10005 "" GET /sources/my/schemas/nothing
code 38048 "dm-master with name m9 not exists" DELETE /cluster/masters/m9
code 46005 "dm-worker with name worker-1 is still online" DELETE /cluster/workers/worker-1
code 49001 "only member" DELETE /cluster/masters/worker-1
ok 200 GET /cluster/info; shows '.cluster_id > 0 and (has("topology") | not)'
ok 200 PUT /cluster/info '{"master_topology_list": [{"name": "m", "host": "h", "port": 8261}], "grafana_topology": {"host": "g", "port": 3000}}'
ok 200 GET /cluster/info; shows '.topology.grafana_topology.port == 3000 and .topology.master_topology_list[0].name == "m"'
expect 404 GET $A/nothing ''; expect 405 PUT $A/cluster/masters '{}'

# Every refusal is a last_error, too: of the nearest node that is there.
last() { grep -qF "$2" "$T/$1/last_error" || die "$1/last_error: $(cat "$T/$1/last_error")"; }
code 46012 "none" POST /sources/none/resume-relay; last sources "POST /api/v1/sources/none/resume-relay: [code=46012:"
code 0 "missing" POST /sources/my/transfer; last sources/my "POST /api/v1/sources/my/transfer: request body has an error"
code 46018 "x" DELETE /tasks/x; last tasks "DELETE /api/v1/tasks/x: [code=46018:"
code 38048 "m9" DELETE /cluster/masters/m9; last cluster "[code=38048:"

note "tasks of 6.x: made stopped, started, stopped, changed, removed"
ok 201 POST /tasks "{\"task\": $(both all)}"
shows '.task.name == "all" and (.check_result | length) > 0'
stages_are all '{"my":"Stopped","mdb":"Stopped"}'
ok 200 GET '/tasks?stage=stopped'; shows '.total == 1'
ok 200 GET '/tasks?stage=Running'; shows '.total == 0'
ok 200 GET '/tasks?source_name_list=mdb&source_name_list=my&with_status=1'; shows '.total == 1 and (.data[0].status_list | length) == 2'
ok 200 GET '/tasks?source_name_list=my'; shows '.total == 0'
ok 200 GET /sources/my; shows '.task_name_list == ["all"]'
ok 200 POST /tasks/all/start
wait_sync all
stages_are all '{"my":"Running","mdb":"Running"}'
ok 200 GET /tasks/all/status
shows '.data[0].dump_status | .total_tables == 1 and .completed_tables == 1 and .finished_rows == 3 and .progress == "100.00 %"'
shows '.data[0] | .sync_status.dump_io_total_bytes == .dump_status.finished_bytes and .sync_status.dump_io_total_bytes > 0'
ok 200 GET '/tasks/all/status?source_name_list=mdb'; shows '.total == 1 and .data[0].source_name == "mdb"'
code 46035 "all" PUT /tasks/all "{\"task\": $(both all)}"
code 46025 "no task runs" PUT /sources/my "{\"source\": $(source_of my my)}"
code 49001 "have running subtasks" DELETE /tasks/all
ok 200 POST /tasks/all/start
ok 200 POST /tasks/all/stop '{"source_name_list": ["mdb"]}'; stages_are all '{"my":"Running","mdb":"Paused"}'
ok 200 POST /tasks/all/start '{"source_name_list": ["mdb"]}'; stages_are all '{"my":"Running","mdb":"Running"}'
ok 200 POST /sources/my/disable; stages_are all '{"my":"Paused","mdb":"Running"}'
ok 200 POST /sources/my/enable; stages_are all '{"my":"Running","mdb":"Running"}'
ok 200 POST /tasks/all/stop '{"timeout_duration": "5s"}'; stages_are all '{"my":"Paused","mdb":"Paused"}'
ok 200 POST /tasks/all/stop
ok 200 GET /tasks/all; shows 'has("shard_mode") | not'
jq '{task: .}' <<<"$body" >"$WORK/same"
ok 200 PUT /tasks/all "$(jq '.task.source_config.incr_migrate_conf.repl_threads = 7' "$WORK/same")"
shows '.task.source_config.incr_migrate_conf.repl_threads == 7 and .task.target_config.password == "******"'
ok 200 POST /tasks/all/start; wait_sync all; shows '[.data[].dump_status, .data[].load_status] == [null, null, null, null]' # not zeros
ok 200 POST /tasks/all/stop
for verb in PATCH POST; do
    ok 200 $verb /tasks/all/resume '[]'; stages_are all '{"my":"Running","mdb":"Running"}'
    ok 200 $verb /tasks/all/pause '["my"]'; stages_are all '{"my":"Paused","mdb":"Running"}'
    ok 200 $verb /tasks/all/resume '["my"]'; stages_are all '{"my":"Running","mdb":"Running"}'
    wait_sync all
    ok 200 $verb /tasks/all/pause; stages_are all '{"my":"Paused","mdb":"Paused"}'
done
ok 200 GET /tasks/all/sources/my/migrate_targets; shows '. == {total: 1, data: [{source_schema: "d_my", source_table: "t", target_schema: "d_my", target_table: "t"}]}'
ok 200 GET '/tasks/all/sources/my/migrate_targets?schema_pattern=d_.y&table_pattern=%5Et%24'; shows '.total == 1'
ok 200 GET '/tasks/all/sources/my/migrate_targets?table_pattern=u'; shows '.total == 0'
tables=/tasks/all/sources/my/schemas
ok 200 GET $tables; shows '. == ["d_my"]'
ok 200 GET $tables/d_my; shows '. == ["t"]'
ok 200 GET $tables/d_my/t; shows '.schema_create_sql | startswith("CREATE TABLE `t` ( `id` int")'
for verb in PUT PATCH; do
    ok 200 $verb $tables/d_my/t '{"sql_content": "CREATE TABLE x.another (id INT PRIMARY KEY, w INT)", "flush": true, "sync": true}'
    ok 200 GET $tables/d_my/t; shows '.schema_create_sql == "CREATE TABLE `t` (id INT PRIMARY KEY, w INT)"'
    ok 204 DELETE $tables/d_my/t
    ok 200 GET $tables/d_my; is '[]'
done
ok 200 PUT $tables/d_my/t '{"schema_source": "downstream"}'
ok 200 PUT $tables/d_my/t '{"schema_source": "upstream"}'
ok 200 GET $tables/d_my; shows 'length == 1'
ok 204 DELETE $tables/d_my/t
code 44005 "" DELETE $tables/d_my/t
code 44005 "" GET $tables/nothing
code 44005 "" GET $tables/d_my/nothing
sql dst "RENAME TABLE d_my.t TO d_my.away"
code 44007 "d_my.t" PUT $tables/d_my/t '{"schema_source": "downstream"}'
sql dst "RENAME TABLE d_my.away TO d_my.t"
code 44009 "CREATE TABLE" PUT $tables/d_my/t '{"sql_content": "DROP TABLE t"}'
code 49001 "sql" PUT $tables/d_my/t '{}'
code 49001 "sql" PUT $tables/d_my/t '{"schema_source": "upstream", "sql_content": "CREATE TABLE t (a INT)"}'
code 0 "is not one of" PUT $tables/d_my/t '{"schema_source": "heaven"}'
code 40054 "sub task with name none not found" GET /tasks/none/sources/my/schemas
code 46008 "none" GET /tasks/all/sources/none/schemas
ok 200 POST /tasks/all/start
for path in '' /d_my /d_my/t; do code 40051 "current stage is Running but not paused" GET $tables$path; done
code 40051 "not paused" DELETE $tables/d_my/t
ok 200 POST /tasks/all/stop
code 0 "table_pattern" GET '/tasks/all/sources/my/migrate_targets?table_pattern=('
code 40054 "sub task with name none not found" GET /tasks/none/sources/my/migrate_targets

note "templates, in the spelling of 6.x and of 5.4"
for path in /tasks/templates /task/configs; do
    ok 201 POST $path "$(both tpl)"; shows '.name == "tpl" and .target_config.password == "******"'
    code 20050 "the openapi task config for 'tpl' already exist" POST $path "$(both tpl)"
    ok 200 GET $path; shows '.total == 1 and .data[0].name == "tpl"'
    ok 200 GET $path/tpl; shows '.source_config.source_conf | length == 2'
    ok 200 PUT $path/tpl "$(jq '.meta_schema = "elsewhere"' <<<"$body")"; shows '.meta_schema == "elsewhere"'
    ok 202 POST $path/import; shows '.success_task_list == ["all"] and .failed_task_list == []'
    ok 202 POST $path/import '{"overwrite": false}'; shows '.success_task_list == [] and .failed_task_list[0].task_name == "all"'
    ok 202 POST $path/import '{"overwrite": true}'; shows '.success_task_list == ["all"]'
    code 20051 "the openapi task config for 'none' does not exist" GET $path/none
    last templates "[code=20051:"
    code 20051 "does not exist" PUT $path/none "$(both none)"
    code 20004 "" POST $path "$(one '')"
    for name in tpl all none; do ok 204 DELETE $path/$name; done
    ok 200 GET $path; shows '.total == 0'
done

ok 201 POST /tasks/templates "$(task_of ours '[{"source_name": "my", "start_time": "2026-01-01T00:00:00Z", "expression_filters": ["e"]}]' \
    '[{"source": {"source_name": "my", "schema": "d_my", "table": "t"}, "extract_table": {"table_regexp": "(.*)", "target_column": "c"}}]' \
    ', "expression_filter": {"e": {"schema": "d_my", "table": "t", "insert_value_expr": "id > 3"}}, "block_allow_list": {"ignore_dbs": ["x"]}')"
ok 200 GET /tasks/templates/ours; as_is=$(jq -cS . <<<"$body")
shows '.table_migrate_rule[0].extract_table.target_column == "c" and .expression_filter.e.insert_value_expr == "id > 3" and .block_allow_list.ignore_dbs == ["x"]'
shows '.source_config.source_conf[0] | .start_time == "2026-01-01T00:00:00Z" and .expression_filters == ["e"]'
ok 200 PUT /tasks/templates/ours "$(jq 'del(.expression_filter, .block_allow_list)' <<<"$body")" # as a client of DM's, which knows neither
ok 200 GET /tasks/templates/ours; [ "$(jq -cS . <<<"$body")" = "$as_is" ] || die "something of ours is lost: $body"
code 49001 "start_time" POST /tasks/converters "{\"task\": $body}"
ok 200 POST /tasks/converters "{\"task\": $(jq 'del(.source_config.source_conf[0].start_time) | .table_migrate_rule[0].source |= (.schema = "*" | .table = "")' <<<"$as_is")}"
shows '.task_config_file | contains("expression-filter:") and contains("ignore-dbs:") and contains("extract-table:")'
ok 204 DELETE /tasks/templates/ours

note "between tasks and task files"
ok 200 POST /tasks/converters "{\"task\": $(both conv)}"
shows '.task.target_config.password == "******" and (.task_config_file | contains("mysql-instances:"))'
jq '{task_config_file}' <<<"$body" >"$WORK/file"
ok 200 POST /tasks/converters "$(cat "$WORK/file")"
shows '.task.name == "conv" and [.task.source_config.source_conf[].source_name] == ["my", "mdb"] and (.task.table_migrate_rule | length) == 2'
code 49001 "one of task and task_config_file" POST /tasks/converters '{}'
code 20003 "" POST /tasks/converters '{"task_config_file": "a: ["}'; last tasks "[code=20003:"
convert() { # code part file
    code "$1" "$2" POST /tasks/converters "$(jq -n --arg f "$3" '{task_config_file: $f}')"
}
file=$'name: x\ntask-mode: all\ntarget-database: {host: h, port: 1, user: u}\n'
convert 20004 "task name should not be empty" "task-mode: all"
convert 20020 "task-mode" "name: x"
convert 20013 "mysql-instances" "$file"
convert 20005 "source-id is missing" "$file"'mysql-instances: [{}]'
convert 20006 "too long" "$file"'mysql-instances: [{source-id: a23456789012345678901234567890123}]'
in_instance() { convert "$1" "$2" "$file"$'mysql-instances: [{source-id: a, '"$3}]"; }
in_instance 20023 "section routes" 'route-rules: [r]'
in_instance 20026 "section block-allow-list" 'block-allow-list: r'
in_instance 20027 "section mydumpers" 'mydumper-config-name: r'
in_instance 20029 "section loaders" 'loader-config-name: r'
in_instance 20030 "section syncers" 'syncer-config-name: r'
in_instance 20040 "section expression-filter" 'expression-filters: [r]'
in_instance 20056 "section validators" 'continuous-validator-config-name: r'
in_instance 20055 "none, fast or full" 'continuous-validator: {mode: slow}'
in_instance 20047 "a size is expected" 'mydumper: {chunk-filesize: 64MX}'
in_instance 20053 "import_mode" 'loader: {import-mode: x}'
in_instance 20054 "on_duplicate" 'loader: {on-duplicate: x}'
convert 20033 "shard_mode" "$file"$'shard-mode: both\nmysql-instances: [{source-id: a}]'
convert 20070 "foreign_key_checks" "${file/user: u/user: u, session: {foreign_key_checks: maybe\}}"$'mysql-instances: [{source-id: a}]'
convert 20014 "same source-id" "$file"'mysql-instances: [{source-id: a}, {source-id: a}]'
convert 20032 "named twice" "$file"$'mysql-instances: [{source-id: a, route-rules: [r, r]}]\nroutes: {r: {schema-pattern: a}}'
convert 20038 "no instance calls it" "$file"$'mysql-instances: [{source-id: a}]\nroutes: {r: {schema-pattern: a}}'
convert 20064 "column-mapping" "$file"$'mysql-instances: [{source-id: a}]\ncolumn-mappings: {m: {}}'
convert 20052 "collation_compatible" "$file"$'mysql-instances: [{source-id: a}]\ncollation_compatible: none'
code 20021 "target-database" POST /tasks/converters '{"task_config_file": "name: x\ntask-mode: all"}'
code 20024 "is not in section filters" POST /tasks/converters '{"task_config_file": "name: x\ntask-mode: all\ntarget-database: {host: h, port: 1, user: u}\nmysql-instances: [{source-id: a, filter-rules: [f]}]"}'

note "errors of tasks"
create() { # code part task
    code "$1" "$2" POST /tasks "{\"task\": $3}"
}
create 0 "is not one of" "$(mode=never one x)"
create 0 'session/sql_mode": property' "$(one x | sed 's/"password": "sluice"}/"password": "sluice", "session": {"sql_mode": "ANSI"}}/')"
create 0 "is not one of" "$(one x ', "shard_mode": "never"')"
create 0 "/source_config/source_conf" "$(one x ', "source_config": {}')"
create 20004 "task name should not be empty" "$(one '')"
create 20008 "timezone" "$(one x ', "timezone": "SYSTEM"')"
create 20001 "ignore_checking_items" "$(one x ', "ignore_checking_items": ["nonsense"]')"
create 20066 "strict_optimistic_shard_mode" "$(one x ', "strict_optimistic_shard_mode": true')"
create 20014 "twice" "$(task_of x "$(confs my my)" "$(rules my my)")"
create 11043 "table_migrate_rule" "$(task_of x "$(confs my)" '[{"source": {"source_name": "my", "schema": "~(", "table": "t"}}]')"
create 11011 "is not mysql GTID set" "$(task_of x '[{"source_name": "my", "binlog_gtid": "0-1-2"}]' "$(rules my my)")"
create 11012 "is not mariadb GTID set" "$(task_of x '[{"source_name": "mdb", "binlog_gtid": "e9a1fc22-ec08-11e9-b2ac-0242ac110003:1"}]' "$(rules mdb mdb)")"
create 11009 "binlog_gtid" "$(task_of x '[{"source_name": "my", "binlog_gtid": "nonsense"}]' "$(rules my my)")"
create 49001 "filter rule name none not found" "$(task_of x "$(confs my)" '[{"source": {"source_name": "my", "schema": "d_my", "table": "t"}, "binlog_filter_rule": ["none"]}]')"
create 20041 "expression_filter" "$(one x ', "expression_filter": {"e": {"schema": "d_my", "table": "t", "insert_value_expr": "id >"}}')"
expression() { create "$1" "expression_filter" "$(one x ", \"expression_filter\": {\"e\": {\"schema\": \"$2\", \"table\": \"t\", \"insert_value_expr\": \"id > 3\"$3}}")"; }
expression 20042 "" ""
expression 20039 d_my ', "delete_value_expr": "id > 3"'
create 20040 "there is no rule none" "$(task_of x '[{"source_name": "my", "expression_filters": ["none"]}]' "$(rules my my)")"
create 20048 "shadow_table_rules" "$(one x ', "shadow_table_rules": ["^_.+_gho$"]')"
create 20044 "block_allow_list" "$(one x ', "block_allow_list": {"do_dbs": ["~("]}')"
copying() { # code part settings of the copy
    create "$1" "$2" "$(one x ", \"source_config\": {\"full_migrate_conf\": {$3}, \"source_conf\": [{\"source_name\": \"my\"}]}${4:-}")"
}
copying 20062 "on_duplicate_physical" '"on_duplicate_physical": "manual"'
copying 20063 "checksum" '"checksum": "off"'
copying 20065 "analyze" '"analyze": "off"'
copying 20053 "import_mode" '"import_mode": "physical"'
copying 20069 "shared storage" '"import_mode": "import-into"'
copying 20068 "shard_mode" '"import_mode": "import-into"' ', "shard_mode": "optimistic"'
mode=dump copying 20058 "does not begin with /" '"data_dir": "here"'
mode=load copying 20059 "s3 is not supported" '"data_dir": "s3://here"'
create 20037 "binlog_filter_rule" "$(one x ', "binlog_filter_rule": {"r": {"ignore_event": ["nonsense"]}}')"
create 49002 "data source configuration not found" "$(task_of x "$(confs none)" "$(rules none my)")"
create 10001 "scope=downstream" "$(target_port=1 one x)"
create 26005 "check was not passed" "$(one x)"
two='[{"source": {"source_name": "my", "schema": "d_m*", "table": "t"}, "target": {"schema": "a"}}, {"source": {"source_name": "my", "schema": "d_*", "table": "t"}, "target": {"schema": "b"}}]'
ok 201 POST /tasks "{\"task\": $(task_of two "$(confs my)" "$two" ', "ignore_checking_items": ["all"]')}"
code 40080 "d_my.t" GET /tasks/two/sources/my/migrate_targets; last tasks/two "[code=40080:"
ok 204 DELETE /tasks/two
create 46014 "subtasks with name all for sources" "$(both all)"
expect 400 GET $A/tasks/x ''
code 46018 "task with name x not exist" GET /tasks/x
code 46018 "task with name x not exist" GET /tasks/x/status
code 46018 "task with name x not exist" PUT /tasks/x "{\"task\": $(one x)}"
code 46018 "task with name x not exist" DELETE /tasks/x
for path in start stop pause resume; do ok 200 POST /tasks/x/$path; done
code 0 "stage" GET '/tasks?stage=nonsense'
code 46008 "source config with ID none not exists" POST /tasks/all/start '{"source_name_list": ["none"]}'
code 46017 "none" POST /tasks/all/stop '{"source_name_list": ["none"]}'
code 46017 "none" PATCH /tasks/all/pause '["none"]'
code 46017 "none" POST /tasks/all/resume '["none"]'
code 46017 "none" GET '/tasks/all/status?source_name_list=none'
code 0 "value must be an array" PATCH /tasks/all/pause '{}'
code 49001 "start_time" POST /tasks/all/start '{"start_time": "yesterday"}'
code 20057 "start_time" POST /tasks/all/start '{"start_time": "2099-01-01 00:00:00"}'
code 20060 "safe_mode" POST /tasks/all/start '{"safe_mode_time_duration": "long"}'
ok 200 POST /sources/my/disable
code 38058 "disabled" POST /tasks/all/start '{"source_name_list": ["my"]}'
ok 200 POST /sources/my/enable
mode=incremental
ok 201 POST /tasks "{\"task\": $(one inc)}"
code 20022 "must set meta for task-mode incremental" POST /tasks/inc/start
ok 204 DELETE /tasks/inc
mode=all
code 46010 "existing tasks" DELETE /sources/my
create 20011 "binlog_pos needs binlog_name" "$(task_of x '[{"source_name": "my", "binlog_pos": 4}]' "$(rules my my)")"
ok 200 POST /tasks/all/stop
ok 200 PUT /tasks/all "$(jq '.task.source_config.incr_migrate_conf.safe_mode = true' "$WORK/same")"
code 20061 "conflicts" POST /tasks/all/start '{"safe_mode_time_duration": "0s"}'
ok 200 PUT /tasks/all "$(cat "$WORK/same")"
code 49001 "timeout_duration" POST /tasks/all/stop '{"source_name_list": ["my"], "timeout_duration": "soon"}'
code 10001 "scope=downstream" PUT /tasks/all "$(jq '.task.target_config.port = 1' "$WORK/same")"
ok 200 GET /tasks/all; shows ".target_config.port == $dst_port"
note "a full copy ends"
mode=full
ok 201 POST /tasks "{\"task\": $(task_of full "$(confs mdb)" '[{"source": {"source_name": "mdb", "schema": "d_mdb", "table": "u"}}]')}"
ok 200 POST /tasks/full/start
ended() { [ "$(stages full)" = '{"mdb":"Finished"}' ]; }
wait_for 60 ended || die "full has not ended: $body"
shows '.data[0] | .unit == "Load" and .load_status.progress == "100.00 %" and .sync_status == null'
ok 200 POST /tasks/full/start; ok 200 POST /tasks/full/stop; ended || die "it goes on: $body"
code 40051 "current stage is Finished but not paused" GET /tasks/full/sources/mdb/schemas
ok 204 DELETE /tasks/full
mode=all

note "tasks of 5.x: made and started, removed while they run, and gone on with where they were"
kept() { sql dst "SELECT CONCAT(table_name) FROM information_schema.tables WHERE table_schema = 'dm_meta'" | while read -r t; do sql dst "SELECT COUNT(*) FROM dm_meta.\`$t\`"; done | awk '{ n += $1 } END { print n + 0 }'; }
[ "$(kept)" -gt 0 ] || die "the target keeps nothing of the task"
ok 204 DELETE /tasks/all
[ "$(kept)" = 0 ] || die "the target keeps something of the deleted task: $(sql dst "SHOW TABLES IN dm_meta")"
expect 400 DELETE $A/tasks/all ''
name=$(printf 't-\303\213!s`t'); coded='t-%C3%8B!s%60t'
dup=overwrite
ok 201 POST /tasks "{\"remove_meta\": true, \"task\": $(both "$name"), \"source_name_list\": [\"my\", \"mdb\"]}"
shows '.name == "t-Ë!s`t" and (has("check_result") | not)'
wait_sync "$coded"
shows '.data[0].name == "t-Ë!s`t"'
ok 204 DELETE "/tasks/$coded"
code 46018 'task with name t-Ë!s`t not exist' GET "/tasks/$coded"
[ "$(sql dst "SELECT COUNT(*) > 0 FROM information_schema.tables WHERE table_schema = 'dm_meta'")" = 1 ] || die "the checkpoints are gone"
sql my "INSERT INTO d_my.t (v) VALUES ('while it was gone')"
ok 201 POST /tasks "{\"remove_meta\": false, \"task\": $(both "$name")}"
wait_sync "$coded"
sql my "UPDATE d_my.t SET v = CONCAT(v, '!')"; sql mdb "DELETE FROM d_mdb.t WHERE id = 2"
rows_are() { [ "$(sql dst "SELECT * FROM d_$1.t ORDER BY id")" = "$(sql "$1" "SELECT * FROM d_$1.t ORDER BY id")" ]; }
code 46017 "none" DELETE "/tasks/$coded?source_name_list=none"
ok 204 DELETE "/tasks/$coded?source_name_list=mdb"; stages_are "$coded" '{"my":"Running"}'
ok 201 POST /tasks "{\"remove_meta\": false, \"task\": $(both "$name")}" # the one that is missing is added
stages_are "$coded" '{"my":"Running","mdb":"Running"}'
for s in my mdb; do wait_for 60 rows_are $s || die "$s differs: $(sql dst "SELECT * FROM d_$s.t")"; done
stop_server mdb
error_is() { # code source part: a subtask's error_msg
    ok 200 GET "/tasks/$coded/status?source_name_list=$2"
    jq -e --arg h "[code=$1:" --arg p "$3" '.data[0].error_msg // "" | startswith($h) and contains($p)' <<<"$body" >/dev/null || return 1
    codes="$codes $1"
}
errs() { wait_for 60 error_is "$@" || die "not $1 '$3': $body"; }
lost() { error_is 10001 mdb "error 20" || error_is 36069 mdb "source: "; } # the source's own error, or its sync's
wait_for 60 lost || die "no error_msg of a source that is gone: $body"
restart_server mdb; wait_sync "$coded"
heard() { ok 200 GET /sources/mdb/status; jq -e '.data[0] | has("error_msg") | not' <<<"$body" >/dev/null; }
wait_for 60 heard || die "the source is back, and that is not said: $body"
sql dst "INSERT INTO d_my.t VALUES (900, 'in the way')"; sql my "INSERT INTO d_my.t VALUES (900, 'x')"
errs 10006 my "Duplicate entry"
sql dst "DELETE FROM d_my.t WHERE id = 900"; ok 200 POST "/tasks/$coded/resume"; wait_for 60 rows_are my || die "my differs after what was in the way is gone"
ok 200 POST "/tasks/$coded/pause"
sql dst "ALTER TABLE d_my.t DROP COLUMN v"; sql my "INSERT INTO d_my.t VALUES (901, 'x')"; ok 200 POST "/tasks/$coded/resume"
errs 36027 my "Column count doesn't match value count"
sql dst "ALTER TABLE d_my.t ADD COLUMN v VARCHAR(20)"; ok 200 POST "/tasks/$coded/resume"; wait_sync "$coded"
sql my "SET SESSION binlog_format = STATEMENT; INSERT INTO d_my.t VALUES (902, 'said')"
errs 36004 my "as a statement"
echo as=done >"$T/tasks/$name/sources/my/sync/resolve_ddl" || die "$(cat "$T/tasks/$name/sources/my/sync/last_error")"
ok 200 POST "/tasks/$coded/resume"
sql dst "DROP TABLE d_my.t"; sql my "UPDATE d_my.t SET v = 'x'"
fails() { ok 200 GET "/tasks/$coded/status?source_name_list=my"; jq -e '.data[0] | .stage == "Paused" and (.error_msg | startswith("[code=36070:class=sync-unit:scope=downstream:level=high], Message: downstream table doesn'"'"'t exist, RawCause: ") and contains("d_my.t"))' <<<"$body" >/dev/null; }
wait_for 60 fails || die "no error_msg: $body"
ok 204 DELETE "/tasks/$coded"; sql dst "DROP TABLE d_mdb.t"
ok 201 POST /tasks "{\"remove_meta\": true, \"task\": $(both "$name")}"
wait_sync "$coded"
for s in my mdb; do wait_for 60 rows_are $s || die "$s differs after a new start: $(sql dst "SELECT * FROM d_$s.t")"; done
ok 200 POST "/tasks/$coded/stop"
at=$(sql my "SELECT NOW()"); wait_for 5 test "$(date +%s)" -gt "$(date -d "$at" +%s)"
sql my "INSERT INTO d_my.t (v) VALUES ('after')"
ok 200 POST "/tasks/$coded/start" "{\"source_name_list\": [\"my\"], \"start_time\": \"$at\", \"safe_mode_time_duration\": \"600s\"}"
stages_are "$coded" '{"my":"Running","mdb":"Paused"}'
wait_for 60 rows_are my || die "my differs after a start from $at"
ok 200 POST /sources/mdb/relay/enable
code 46023 "existing relay workers" DELETE '/sources/mdb?force=1'
stages_are "$coded" '{"my":"Running","mdb":"Paused"}' # nothing was removed before that was found
ok 200 POST /sources/mdb/relay/disable
ok 204 DELETE '/sources/mdb?force=1'
ok 200 GET "/tasks/$coded"; shows '.source_config.source_conf == [{source_name: "my"}]'
stages_are "$coded" '{"my":"Running"}'
ok 204 DELETE '/sources/my?force=true'
ok 200 GET /tasks; shows '.total == 0'

note "a shard that waits"
ok 201 POST /sources "$(source_of my my)"
sql my "CREATE DATABASE sh; CREATE TABLE sh.a (id INT PRIMARY KEY); CREATE TABLE sh.b (id INT PRIMARY KEY); INSERT INTO sh.a VALUES (1); INSERT INTO sh.b VALUES (2)"
ok 201 POST /tasks "{\"remove_meta\": false, \"task\": $(task_of shards "$(confs my)" '[{"source": {"source_name": "my", "schema": "sh", "table": "?"}, "target": {"schema": "sh", "table": "whole"}}]' ', "shard_mode": "pessimistic"')}"
wait_sync shards
sql my "ALTER TABLE sh.a ADD COLUMN v INT"
waits() { ok 200 GET /tasks/shards/status; jq -e '.data[0].unresolved_ddl_lock_id != ""' <<<"$body" >/dev/null; }
wait_for 60 waits || die "no lock: $body"
shows '.data[0].unresolved_ddl_lock_id == "shards-`sh`.`whole`" and (.data[0].sync_status.blocking_ddls | length) == 1'
shows '.data[0].sync_status.unresolved_groups[0] | (.target | contains("whole")) and .synced == ["`sh`.`a`"] and .unsynced == ["`sh`.`b`"] and (.ddl_list | length) == 1 and (.first_location | test("^\\([^ ]+[.][0-9]+, [0-9]+\\)$"))'
sql my "ALTER TABLE sh.b ADD COLUMN v INT; INSERT INTO sh.b VALUES (3, 3)"
free() { ok 200 GET /tasks/shards/status; jq -e '.data[0] | .unresolved_ddl_lock_id == "" and .sync_status.unresolved_groups == []' <<<"$body" >/dev/null; }
wait_for 60 free || die "still locked: $body"
merged() { [ "$(sql dst "SELECT id, v FROM sh.whole ORDER BY id" | tr '\t\n' ' ;')" = "1 NULL;2 NULL;3 3;" ]; }
wait_for 60 merged || die "$(sql dst "SELECT * FROM sh.whole")"
ok 204 DELETE '/sources/my?force=true'

! grep -rq 'sluice-pw' "$SLUICE_LOG" "$T/audit" || die "a password is in the log or the audit"
note "codes seen:$(tr ' ' '\n' <<<"$codes" | sort -nu | tr '\n' ' ')"
echo PASS
