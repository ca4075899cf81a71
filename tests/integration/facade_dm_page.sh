#!/bin/bash
# Every request of DM's OpenAPI page, exactly as printed there (its addresses, ports, names and passwords), in a network
# of its own: MySQL at 127.0.0.1:3306, sluiced at 8261.  Answers are as the page says; what else it names is made first.
set -u
[ -n "${DM_PAGE_NETWORK:-}" ] || DM_PAGE_NETWORK=1 exec unshare --net -- bash "$0"
ip link set lo up || { echo "FAIL: no network of its own"; exit 1; }
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/http.sh

my_port=3306 sluice_port=8261
start_mysql my --log-bin=mysql-bin
start_mariadb dst
sql my "CREATE USER root@'%' IDENTIFIED BY '123456'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
    CREATE DATABASE db1; CREATE TABLE db1.table1 (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO db1.table1 (v) VALUES (1), (2);
    FLUSH BINARY LOGS; INSERT INTO db1.table1 (v) VALUES (3)"
start_sluice --member-name worker-1

page() { # status; the page's command on standard input; the answer in $body
    local command
    command=$(cat)
    status=$(eval "${command/curl/curl -s -o \"\$WORK/body\" -w '%{http_code}'}"); body=$(cat "$WORK/body")
    [ "$status" = "$1" ] || die "$command: $status $body"
}
shows() { jq -e "$1" <<<"$body" >/dev/null || die "not $1: $body"; }
hides_passwords() { ! grep -q 123456 <<<"$body" || die "a password is shown: $body"; }
source_as() { # name: as the page makes mysql-01
    expect 201 POST /api/v1/sources "{\"source_name\": \"$1\", \"host\": \"127.0.0.1\", \"port\": 3306, \"user\": \"root\", \"password\": \"123456\", \"enable_gtid\": false}"
}
make_mysql_01() {
    page 201 <<'END'
curl -X 'POST' \
  'http://127.0.0.1:8261/api/v1/sources' \
  -H 'accept: application/json' \
  -H 'Content-Type: application/json' \
  -d '{
  "source_name": "mysql-01",
  "host": "127.0.0.1",
  "port": 3306,
  "user": "root",
  "password": "123456",
  "enable_gtid": false,
  "security": {
    "ssl_ca_content": "",
    "ssl_cert_content": "",
    "ssl_key_content": "",
    "cert_allowed_cn": [
      "string"
    ]
  },
  "purge": {
    "interval": 3600,
    "expires": 0,
    "remain_space": 15
  }
}'
END
}

note "cluster"
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/cluster/masters' \
  -H 'accept: application/json'
END
shows '. == {total: 1, data: [{name: "worker-1", alive: true, leader: true, addr: "127.0.0.1:8261"}]}'
# There is one member, which is called otherwise: DM's errors for that.
page 400 <<'END'
curl -X 'DELETE' \
  'http://127.0.0.1:8261/api/v1/cluster/masters/master1' \
  -H 'accept: */*'
END
shows '.error_code == 38048'
page 400 <<'END'
curl -X 'DELETE' \
  'http://127.0.0.1:8261/api/v1/cluster/workers/worker1' \
  -H 'accept: */*'
END
shows '.error_code == 46004'

note "sources"
make_mysql_01
shows '.source_name == "mysql-01" and .port == 3306 and .password == "******" and .enable_gtid == false'
shows '.security.cert_allowed_cn == ["string"] and .purge == {interval: 3600, expires: 0, remain_space: 15}'
shows '.status_list[0] | .source_name == "mysql-01" and .worker_name == "worker-1"'
hides_passwords
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/cluster/workers' \
  -H 'accept: application/json'
END
shows '. == {total: 1, data: [{name: "worker-1", addr: "127.0.0.1:8261", bound_stage: "bound", bound_source_name: "mysql-01"}]}'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/sources?with_status=true' \
  -H 'accept: application/json'
END
shows '.total == 1 and (.data[0] | .security == null and .password == "******" and .host == "127.0.0.1" and .user == "root")'
hides_passwords
page 204 <<'END'
curl -X 'DELETE' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01?force=true' \
  -H 'accept: application/json'
END
[ ! -e "$T/sources/mysql-01" ] || die "mysql-01 is still there"
source_as mysql-replica-01
expect 200 POST /api/v1/sources/mysql-replica-01/relay/enable ''
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-replica-01/status' \
  -H 'accept: application/json'
END
shows '.total == 1 and (.data[0] | .source_name == "mysql-replica-01" and .relay_status.stage == "Running")'
shows '.data[0].relay_status | keys == ["master_binlog", "master_binlog_gtid", "relay_binlog_gtid", "relay_catch_up_master", "relay_dir", "stage"]'

note "relay"
make_mysql_01
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/start-relay' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "worker_name_list": [
    "worker-1"
  ],
  "relay_binlog_name": "mysql-bin.000002",
  "relay_binlog_gtid": "e9a1fc22-ec08-11e9-b2ac-0242ac110003:1-7849",
  "relay_dir": "./relay_log"
}'
END
relay_stage() { expect 200 GET /api/v1/sources/mysql-01/status ''; jq -r '.data[0].relay_status.stage' <<<"$body"; }
[ "$(relay_stage)" = Running ] || die "the relay does not run: $body"
[ "$(cat "$T/sources/mysql-01/relay/relay_binlog_name")" = mysql-bin.000002 ] || die "relay_binlog_name"
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/pause-relay' \
  -H 'accept: */*'
END
[ "$(relay_stage)" = Paused ] || die "the relay is not paused: $body"
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/resume-relay' \
  -H 'accept: */*'
END
[ "$(relay_stage)" = Running ] || die "the relay does not go on: $body"
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/stop-relay' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "worker_name_list": [
    "worker-1"
  ]
}'
END
[ "$(relay_stage)" = null ] || die "the relay is still there: $body"
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/sources/mysql-01/transfer' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "worker_name": "worker-1"
}'
END

note "schemas of a source"
source_as source-1
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/sources/source-1/schemas' \
  -H 'accept: application/json'
END
shows 'index("db1") != null'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/sources/source-1/schemas/db1' \
  -H 'accept: application/json'
END
shows '. == ["table1"]'

note "tasks: the page's own, whose sources do not fit together, so that nothing of it runs"
source_as source-name
page 201 <<'END'
curl -X 'POST' \
  'http://127.0.0.1:8261/api/v1/tasks' \
  -H 'accept: application/json' \
  -H 'Content-Type: application/json' \
  -d '{
  "remove_meta": false,
  "task": {
    "name": "task-1",
    "task_mode": "all",
    "shard_mode": "pessimistic",
    "meta_schema": "dm-meta",
    "enhance_online_schema_change": true,
    "on_duplicate": "overwrite",
    "target_config": {
      "host": "127.0.0.1",
      "port": 3306,
      "user": "root",
      "password": "123456",
      "security": {
        "ssl_ca_content": "",
        "ssl_cert_content": "",
        "ssl_key_content": "",
        "cert_allowed_cn": [
          "string"
        ]
      }
    },
    "binlog_filter_rule": {
      "rule-1": {
        "ignore_event": [
          "all dml"
        ],
        "ignore_sql": [
          "^Drop"
        ]
      },
      "rule-2": {
        "ignore_event": [
          "all dml"
        ],
        "ignore_sql": [
          "^Drop"
        ]
      },
      "rule-3": {
        "ignore_event": [
          "all dml"
        ],
        "ignore_sql": [
          "^Drop"
        ]
      }
    },
    "table_migrate_rule": [
      {
        "source": {
          "source_name": "source-name",
          "schema": "db-*",
          "table": "tb-*"
        },
        "target": {
          "schema": "db1",
          "table": "tb1"
        },
        "binlog_filter_rule": [
          "rule-1",
          "rule-2",
          "rule-3",
        ]
      }
    ],
    "source_config": {
      "full_migrate_conf": {
        "export_threads": 4,
        "import_threads": 16,
        "data_dir": "./exported_data",
        "consistency": "auto"
      },
      "incr_migrate_conf": {
        "repl_threads": 16,
        "repl_batch": 100
      },
      "source_conf": [
        {
          "source_name": "mysql-replica-01",
          "binlog_name": "binlog.000001",
          "binlog_pos": 4,
          "binlog_gtid": "03fc0263-28c7-11e7-a653-6c0b84d59f30:1-7041423,05474d3c-28c7-11e7-8352-203db246dd3d:1-170"
        }
      ]
    }
  },
  "source_name_list": [
    "source-1"
  ]
}'
END
as_the_page() { # jq path of the task in the answer
    shows "$1 | .name == \"task-1\" and .task_mode == \"all\" and .shard_mode == \"pessimistic\" and .meta_schema == \"dm-meta\""
    shows "$1 | .enhance_online_schema_change == true and .on_duplicate == \"overwrite\" and .target_config.host == \"127.0.0.1\" and .target_config.port == 3306"
    shows "$1 | .binlog_filter_rule[\"rule-2\"] == {ignore_event: [\"all dml\"], ignore_sql: [\"^Drop\"]} and (.binlog_filter_rule | length) == 3"
    shows "$1 | .table_migrate_rule == [{source: {source_name: \"source-name\", schema: \"db-*\", table: \"tb-*\"}, target: {schema: \"db1\", table: \"tb1\"}, binlog_filter_rule: [\"rule-1\", \"rule-2\", \"rule-3\"]}]"
    shows "$1 | .source_config | .full_migrate_conf.import_threads == 16 and .full_migrate_conf.data_dir == \"./exported_data\" and .incr_migrate_conf.repl_batch == 100"
    shows "$1 | .source_config.source_conf[0] | .source_name == \"mysql-replica-01\" and .binlog_name == \"binlog.000001\" and .binlog_pos == 4 and (.binlog_gtid | endswith(\":1-170\"))"
    hides_passwords
}
as_the_page .
shows '.target_config.security == {ssl_ca_content: "", ssl_cert_content: "", ssl_key_content: "", cert_allowed_cn: ["string"]}'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/tasks' \
  -H 'accept: application/json'
END
shows '.total == 1'
as_the_page '.data[0]'
page 204 <<'END'
curl -X 'DELETE' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1' \
  -H 'accept: */*'
END
[ ! -e "$T/tasks/task-1" ] || die "task-1 is still there"

note "tasks: one of the sources that the page names after that"
source_as task-1
expect 201 POST /api/v1/tasks "{\"remove_meta\": false, \"task\": {\"name\": \"task-1\", \"task_mode\": \"all\",
    \"enhance_online_schema_change\": true, \"on_duplicate\": \"overwrite\",
    \"target_config\": {\"host\": \"127.0.0.1\", \"port\": $dst_port, \"user\": \"sluice\", \"password\": \"sluice\"},
    \"table_migrate_rule\": [{\"source\": {\"source_name\": \"source-1\", \"schema\": \"db1\", \"table\": \"*\"}},
        {\"source\": {\"source_name\": \"task-1\", \"schema\": \"db1\", \"table\": \"table1\"}, \"target\": {\"schema\": \"db2\"}}],
    \"source_config\": {\"source_conf\": [{\"source_name\": \"source-1\"}, {\"source_name\": \"task-1\"}]}}}"
stages() { jq -c '[.data[] | {(.source_name): .stage}] | add' <<<"$body"; }
in_sync() { expect 200 GET /api/v1/tasks/task-1/status ''; jq -e '[.data[].unit] == ["Sync", "Sync"]' <<<"$body" >/dev/null; }
wait_for 60 in_sync || die "task-1 is not in sync: $body"
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/status?stage=running' \
  -H 'accept: application/json'
END
shows '.total == 2 and (.data[0] | .name == "task-1" and .source_name == "source-1" and .worker_name == "worker-1" and .stage == "Running" and .unit == "Sync")'
shows '.data[0] | (.load_status | keys) == ["bps", "finished_bytes", "meta_binlog", "meta_binlog_gtid", "progress", "total_bytes"] and .load_status.progress == "100.00 %"'
shows '.data[0].sync_status | [has("total_events", "total_tps", "recent_tps", "master_binlog", "master_binlog_gtid", "syncer_binlog", "syncer_binlog_gtid",
    "blocking_ddls", "unresolved_groups", "synced", "binlog_type", "seconds_behind_master")] | all'
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/pause' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '[
  "source-1"
]'
END
expect 200 GET /api/v1/tasks/task-1/status ''
[ "$(stages)" = '{"source-1":"Paused","task-1":"Running"}' ] || die "after a pause: $body"
page 200 <<'END'
curl -X 'PATCH' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/resume' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '[
  "source-1"
]'
END
expect 200 GET /api/v1/tasks/task-1/status ''
[ "$(stages)" = '{"source-1":"Running","task-1":"Running"}' ] || die "after a resume: $body"
sql my "INSERT INTO db1.table1 (v) VALUES (4)"
has_all() { [ "$(sql dst 'SELECT COUNT(*) FROM db1.table1')" = 4 ]; }
wait_for 60 has_all || die "the row did not come: $(sql dst 'SELECT * FROM db1.table1')"

note "structures of tables, while the task is paused"
expect 200 PATCH /api/v1/tasks/task-1/pause '[]'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/sources/source-1/schemas' \
  -H 'accept: application/json'
END
shows '. == ["db1"]'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/sources/source-1/schemas/db1' \
  -H 'accept: application/json'
END
shows '. == ["table1"]'
page 200 <<'END'
curl -X 'GET' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/sources/source-1/schemas/db1/table1' \
  -H 'accept: application/json'
END
shows '.schema_name == "db1" and .table_name == "table1" and (.schema_create_sql | startswith("CREATE TABLE `table1` ( `id` int"))'
shows '.schema_create_sql | contains("\n") | not'
page 200 <<'END'
curl -X 'PUT' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/sources/task-1/schemas/db1/table1' \
  -H 'accept: */*' \
  -H 'Content-Type: application/json' \
  -d '{
  "sql_content": "CREATE TABLE `t1` ( `c1` int(11) DEFAULT NULL, `c2` int(11) DEFAULT NULL, `c3` int(11) DEFAULT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;",
  "flush": true,
  "sync": true
}'
END
grep -q '`c3` int(11)' "$T/tasks/task-1/sources/task-1/schemas/db1/table1.sql" || die "it was not set: $(cat "$T/tasks/task-1/sources/task-1/schemas/db1/table1.sql")"
page 204 <<'END'
curl -X 'DELETE' \
  'http://127.0.0.1:8261/api/v1/tasks/task-1/sources/source-1/schemas/db1/table1' \
  -H 'accept: */*'
END
expect 200 GET /api/v1/tasks/task-1/sources/source-1/schemas/db1 ''
is '[]'
echo PASS
