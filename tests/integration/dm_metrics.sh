#!/bin/bash
# DM's metrics on its own port, with the labels that its dashboards ask for, of a task with two sources: states,
# positions, row changes, lag, errors; ours on the same page; every metric of the Grafana board is there.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb a; start_mysql b; start_mariadb dst
for n in a b; do sql $n "CREATE DATABASE d$n; CREATE TABLE d$n.t (id INT PRIMARY KEY, v INT); INSERT INTO d$n.t VALUES (1, 1)" || die "no data"; done
dm=$(free_port); start_sluice --facades "dm=127.0.0.1:$dm" --member-name worker1
make_source mysql-01 a && make_source mysql-02 b || die "$(cat "$T/sources/last_error")"
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: test
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule: [ { source: { source_name: mysql-01, schema: da, table: "" } }, { source: { source_name: mysql-02, schema: db, table: "" } } ]
source_config: { source_conf: [ { source_name: mysql-01 }, { source_name: mysql-02 } ] }
END
scrape() { curl -sf "http://127.0.0.1:$dm/metrics" >"$WORK/metrics" || die "no metrics"; }
has() { scrape; grep -qE "^$1\$" "$WORK/metrics" || die "no /$1/ in: $(grep -E "^${1%%[\{ ]*}" "$WORK/metrics" | head -20)"; }
becomes() { wait_for 20 eval "scrape; grep -qE '^$1\$' $WORK/metrics" || has "$1"; }
of() { echo "\{source_id=\"$1\",task=\"test\",worker=\"worker1\"\}"; }

has "dm_worker_task_state$(of mysql-01) 4"
has 'dm_master_worker_state\{worker="worker1"\} 2'
has 'dm_master_start_leader_counter\{worker="worker1"\} 1'
echo >"$T/tasks/test/start" || die "$(cat "$T/tasks/test/last_error")"
wait_for 30 grep -q '^sync' "$T/tasks/test/progress"
has "dm_worker_task_state$(of mysql-02) 2"
sql a "INSERT INTO da.t VALUES (2, 2), (3, 3); UPDATE da.t SET v = 9 WHERE id = 2; DELETE FROM da.t WHERE id = 3; ALTER TABLE da.t ADD w INT"
caught() { [ "$(sql dst "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='da' AND COLUMN_NAME='w'")" = 1 ]; }; wait_for 30 caught || die "no ALTER"
becomes 'dm_syncer_added_jobs_total\{source_id="mysql-01",task="test",type="insert",worker="worker1"\} 2'
has 'dm_syncer_added_jobs_total\{source_id="mysql-01",task="test",type="update",worker="worker1"\} 1'
has 'dm_syncer_finished_jobs_total\{source_id="mysql-01",task="test",type="del",worker="worker1"\} 1'
has 'dm_syncer_finished_jobs_total\{source_id="mysql-01",task="test",type="ddl",worker="worker1"\} 1'
has 'dm_syncer_finished_jobs_total\{source_id="mysql-02",task="test",type="ddl",worker="worker1"\} 0'
becomes "dm_syncer_replication_lag_gauge$(of mysql-01) 0"
becomes "dm_syncer_remaining_time$(of mysql-01) 0"
has 'dm_syncer_binlog_file\{node="syncer",source_id="mysql-01",task="test",worker="worker1"\} 1'
has 'dm_syncer_binlog_pos\{node="master",source_id="mysql-02",task="test",worker="worker1"\} [0-9]+'
for name in txn_duration_time stmt_duration_time binlog_event_row replication_transaction_batch; do
    has "dm_syncer_${name}_count$(of mysql-01) [1-9][0-9]*"; has "dm_syncer_${name}_sum$(of mysql-01) [0-9.]*[1-9][0-9.e-]*"
done
has 'dm_syncer_binlog_event_size_bucket\{source_id="mysql-01",task="test",worker="worker1",le="64"\} [1-9][0-9]*'
echo >"$T/sources/mysql-01/relay/start"
becomes 'dm_relay_binlog_file\{node="relay",source_id="mysql-01",worker="worker1"\} 1'
has 'dm_relay_space\{source_id="mysql-01",type="capacity",worker="worker1"\} [1-9][0-9]{6,}'
has 'dm_master_ddl_state_number\{task="test",type="Un-synced"\} 0'
has "dm_validator_validator_error_count$(of mysql-01) 0"
has 'dm_syncer_queue_size\{queue_id="q_0",source_id="mysql-01",task="test",worker="worker1"\} 0'
sql dst "SET sql_log_bin = 0; INSERT INTO da.t (id) VALUES (50)"; sql a "INSERT INTO da.t (id) VALUES (50)"; wait_state test error
has "dm_worker_task_state$(of mysql-01) 3"
has 'dm_syncer_exit_with_error_count\{resumable_err="false",source_id="mysql-01",task="test",worker="worker1"\} 1'
has "dm_worker_task_state$(of mysql-02) 2"
[ "$(grep -c '^# TYPE dm_' "$WORK/metrics")" = "$(grep '^# TYPE dm_' "$WORK/metrics" | sort -u | wc -l)" ] || die "a metric comes twice"
grep -q '^sluice_task_state{' "$WORK/metrics" || die "ours are not on the page"

note "a shard that waits"
sql a "CREATE DATABASE sh; CREATE TABLE sh.t1 (id INT PRIMARY KEY); CREATE TABLE sh.t2 (id INT PRIMARY KEY)"
cat >"$T/tasks/create" <<END || die "$(cat "$T/tasks/last_error")"
name: sh
shard_mode: pessimistic
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule: [ { source: { source_name: mysql-01, schema: sh, table: "t?" }, target: { schema: sh, table: t } } ]
source_config: { source_conf: [ { source_name: mysql-01 } ] }
END
echo >"$T/tasks/sh/start" || die "$(cat "$T/tasks/sh/last_error")"; caught_up sh a
sql a "ALTER TABLE sh.t1 ADD c INT"
becomes 'dm_master_ddl_state_number\{task="sh",type="Un-synced"\} 1'
has 'dm_syncer_unsynced_table_number\{source_id="mysql-01",task="sh",worker="worker1"\} 1'
has 'dm_syncer_shard_lock_resolving\{source_id="mysql-01",task="sh",worker="worker1"\} 1'
sql a "ALTER TABLE sh.t2 ADD c INT"
becomes 'dm_master_ddl_state_number\{task="sh",type="Un-synced"\} 0'
has 'dm_syncer_shard_lock_resolving\{source_id="mysql-01",task="sh",worker="worker1"\} 0'

note "the Grafana board asks for nothing that is not there"
for board in packaging/grafana/*.json; do
    jq -e '[.panels[].id] | length >= 10 and length == (unique | length)' "$board" >/dev/null || die "$board: panels"
    jq -r '(.panels[].targets[].expr), (.templating.list[] | select(.type == "query") | .query)' "$board" >"$WORK/asked" || die "$board is no board"
    [ "$(grep -cvE '(sluice|dm)_[a-z]' "$WORK/asked")" = 0 ] || die "$board asks for something else: $(grep -vE '(sluice|dm)_' "$WORK/asked")"
    for name in $(grep -oE '(sluice|dm)_[a-z0-9_]+' "$WORK/asked" | sort -u); do
        grep -qE "^$name[{ ]" "$WORK/metrics" || die "$board asks for $name, which is not there"
    done
done
echo OK
