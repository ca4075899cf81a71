#!/bin/bash
# The check before a start, against real servers of both flavours: everything that it looks at is made wrong, the
# command that each line of the report prints is typed at the server that it names, and the line then is OK.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh

src_opts="--max-allowed-packet=64M"
start_mariadb mas $src_opts
start_mariadb mad
start_mysql mys $src_opts --gtid-mode=OFF --enforce-gtid-consistency=OFF
start_mysql myd
start_sluice

report() { cat "$T/tasks/$task/check_report"; }
check() { echo >"$T/tasks/$task/check" 2>/dev/null; [ -s "$T/tasks/$task/check_report" ] || die "no report: $(cat "$T/tasks/$task/last_error")"; }
expect() { report | grep -qE "^$1" || die "no /$1/ in: $(report)"; shown=$((shown + 1)); }
expect_not() { ! report | grep -qE "^$1" || die "still: $(report | grep -E "^$1")"; }
shown=0; typed=0

# Types what the report says, where it says: at a server, or "here", in the task's directory.
mend() {
    local line where what
    check
    while read -r line; do
        where=$(sed -nE 's/.*; type (at the source|at the target|here): .*/\1/p' <<<"$line")
        what=$(sed -E 's/.*; type (at the source|at the target|here): //; s/ \(.*//' <<<"$line")
        case $where in
        "at the source") sql "$from" "$what" || die "does not work at the source: $what" ;;
        "at the target") sql "$to" "$what" || die "does not work at the target: $what" ;;
        here) (cd "$T/tasks/$task" && eval "$what") || die "does not work: $what" ;;
        *) continue ;;
        esac
        typed=$((typed + 1))
    done < <(report | grep -E '^(FAIL|WARN)' | grep -vE '  connections:' | sort -u)
}
few_account() { sql "$1" "CREATE USER IF NOT EXISTS few@'%' IDENTIFIED BY 'few'"; }
make_few_source() { make_source "$1" "$2" && echo few >"$T/sources/$1/user" && echo few >"$T/sources/$1/password"; }

pair() { # source, target
    from=$1 to=$2 task=$1-$2
    note "$from ($(server_version "$from")) to $to ($(server_version "$to"))"
    few_account "$from"; few_account "$to"
    sql "$from" "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d; CREATE TABLE keyless (a INT); CREATE TABLE my (id INT PRIMARY KEY) ENGINE=MyISAM;
        CREATE TABLE p (id INT PRIMARY KEY, n INT NOT NULL, s VARCHAR(20) NOT NULL); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id));
        CREATE VIEW v AS SELECT id FROM p; CREATE PROCEDURE r() SELECT 1; CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO SELECT 1; CREATE TRIGGER st BEFORE INSERT ON p FOR EACH ROW SET NEW.n = 3;
        SET GLOBAL binlog_row_image = MINIMAL, GLOBAL binlog_format = STATEMENT"
    sql "$to" "DROP DATABASE IF EXISTS d; CREATE DATABASE d; SET GLOBAL read_only = OFF; CREATE TABLE d.p (id INT PRIMARY KEY, n INT NOT NULL, more INT);
        INSERT INTO d.p VALUES (1, 1, 1); CREATE TRIGGER d.tr BEFORE INSERT ON d.p FOR EACH ROW SET NEW.n = 2;
        SET GLOBAL read_only = ON, GLOBAL max_allowed_packet = 16777216, GLOBAL local_infile = OFF"
    sql "$to" "SET GLOBAL innodb_force_primary_key = ON" 2>/dev/null || sql "$to" "SET GLOBAL sql_require_primary_key = ON"
    [ -e "$T/sources/$from" ] || make_few_source "$from" "$from" || die "$(cat "$T/sources/last_error")"
    make_task "$task" "$from" "$to" d </dev/null || die "$(cat "$T/tasks/last_error")"
    echo few >"$T/tasks/$task/target/user"; echo few >"$T/tasks/$task/target/password"

    check
    expect 'FAIL  binlog_format: .*SET GLOBAL binlog_format'
    expect 'WARN  binlog_row_image: .*SET GLOBAL binlog_row_image'
    expect 'FAIL  grants: source: missing REPLICATION SLAVE.*GRANT REPLICATION SLAVE'
    expect 'WARN  grants: source: missing RELOAD.*GRANT RELOAD'
    expect 'FAIL  tables: .*GRANT SELECT ON'
    expect 'FAIL  read_only: .*SET GLOBAL read_only'
    expect 'WARN  max_allowed_packet: .*SET GLOBAL max_allowed_packet=67108864'
    expect 'WARN  local_infile: .*SET GLOBAL local_infile'
    expect 'FAIL  grants: target: missing .*needed to keep checkpoints'
    [ "$from" = mas ] || expect 'FAIL  xa: .*GRANT XA_RECOVER_ADMIN'
    [ "$from" = mas ] || expect 'FAIL  gtid: .*SET GLOBAL gtid_mode'
    mend; check # now it sees tables
    expect_not 'FAIL  binlog_format'; expect_not 'WARN  binlog_row_image'; expect_not 'FAIL  read_only'; expect_not 'WARN  local_infile'; expect_not 'FAIL  gtid'
    expect 'FAIL  required_key: d.keyless has no primary key.*SET GLOBAL'
    expect 'WARN  engine: d.my is MyISAM.*ALTER TABLE `d`.`my` ENGINE=InnoDB'
    expect 'FAIL  grants: source: missing LOCK TABLES.*GRANT LOCK TABLES ON `d`'
    expect 'WARN  keys: d.keyless has no primary key.*ADD COLUMN id'
    expect 'FAIL  grants: target: missing .*needed to write what the source has'
    [ "$from" = mys ] || expect 'FAIL  grants: source: missing REFERENCES, needed to see'
    expect 'FAIL  grants: target: missing REFERENCES'
    expect 'WARN  grants: target: missing CREATE VIEW, SHOW VIEW'
    expect 'WARN  grants: target: missing TRIGGER'
    expect 'WARN  grants: source: missing SHOW VIEW'
    sql "$from" "GRANT TRIGGER, EVENT, EXECUTE ON d.* TO few@'%'"
    mend; check # now it sees the tables of the target
    expect 'FAIL  target_table: d.p has rows.*TRUNCATE TABLE `d`.`p`'
    expect 'WARN  not_copied: d: 1 triggers, 1 routines, 1 events stay at the source.*when the target takes over: (mariadb-dump|mysqldump)'
    sql "$from" "DROP TRIGGER d.st; DROP PROCEDURE d.r; DROP EVENT d.e"
    expect 'FAIL  triggers: d.p has the trigger tr.*DROP TRIGGER `d`.`tr`'
    expect 'FAIL  columns: d.p: the target has no column s.*ADD COLUMN `s`'
    expect 'FAIL  columns: d.p: the source has no column more.*DROP COLUMN `more`'
    mend; mend; check
    report | grep -E '^(FAIL|WARN)' | grep -vE '^WARN  (keys|connections):' && die "still not OK"
    echo >"$T/tasks/$task/start" || die "$(cat "$T/tasks/$task/last_error")"
    wait_sync() { [ "$(cat "$T/tasks/$task/stage")" = sync ]; }
    wait_for 60 wait_sync || { task_trouble "$task"; die "what was checked does not run"; }
    echo >"$T/tasks/$task/stop"; rmdir "$T/tasks/$task" || die "$(cat "$T/tasks/$task/last_error")"
}
pair mas mad
pair mys myd
sql myd "REVOKE ALL, GRANT OPTION FROM few@'%'"; sql mas "REVOKE ALL, GRANT OPTION FROM few@'%'; SET GLOBAL server_id = $mas_id"
pair mas myd
rmdir "$T/sources/mas" "$T/sources/mys" || die sources
for s in mas mad mys; do make_source $s $s || die "$(cat "$T/sources/last_error")"; done

new_task() { # source target schema; more of the document
    from=$1 to=$2 task=x; [ ! -e "$T/tasks/x" ] || rmdir "$T/tasks/x" || die "$(cat "$T/tasks/x/last_error")"
    make_task x "$1" "$2" "$3" || die "$(cat "$T/tasks/last_error")"
}
note "what the other flavour cannot take, by table, before the start"
sql mas "CREATE DATABASE odd; USE odd; CREATE TABLE versioned (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; CREATE SEQUENCE seq;
    CREATE TABLE next (id INT PRIMARY KEY DEFAULT NEXTVAL(seq)); CREATE TABLE fine (id INT PRIMARY KEY)"
new_task mas mad odd </dev/null; check; expect 'FAIL  versioning: odd.versioned.*copied and not followed.*DROP SYSTEM VERSIONING'
new_task mas myd odd </dev/null; check
expect 'FAIL  versioning: odd.versioned'; expect 'FAIL  type: odd.next cannot be made'; expect 'FAIL  sequence: odd.seq: .*ignore_tables'
mend; check; expect_not 'FAIL  sequence'
echo '[{"db_name": "odd", "tbl_name": "*e*e*"}, {"db_name": "odd", "tbl_name": "seq"}, {"db_name": "odd", "tbl_name": "next"}]' >"$T/tasks/x/block_allow_list/ignore_tables"
check; expect_not FAIL
sql mys "CREATE DATABASE odd; CREATE TABLE odd.fx (id INT PRIMARY KEY, a INT, KEY f ((a + 1)))"
new_task mys mad odd </dev/null; check; expect 'FAIL  keys: odd.fx: the target has no keys on expressions'; expect 'FAIL  type: odd.fx cannot be made'
sql mys "SET GLOBAL server_id = 0"; check; expect 'FAIL  server_id: .*SET GLOBAL server_id=1'
mend; check; expect_not 'FAIL  server_id'

note "columns that were at the target before and would change values without an error"
sql mas "CREATE DATABASE fit; CREATE TABLE fit.t (id INT PRIMARY KEY, c VARCHAR(20) CHARACTER SET utf8mb4, e ENUM('a','b'), d DATETIME(3) NOT NULL, n DECIMAL(10,4))"
sql mad "CREATE DATABASE fit; CREATE TABLE fit.t (id BIGINT PRIMARY KEY, c VARCHAR(40) CHARACTER SET latin1, e ENUM('b','a'), d DATETIME NOT NULL, n DECIMAL(10,2))"
new_task mas mad fit </dev/null; check
for c in 'c is .*another set' "e is .*by their number" 'd is .*fractions' 'n is .*digits'; do expect "FAIL  type: fit.t.$c"; done
mend; check; expect_not 'FAIL  type'

note "unique keys for which values that differ at the source are equal at the target"
sql mas "CREATE DATABASE coarse; CREATE TABLE coarse.t (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, u VARCHAR(20) COLLATE utf8mb4_nopad_bin UNIQUE, v VARCHAR(20) COLLATE utf8mb4_bin)"
sql mad "CREATE DATABASE coarse; CREATE TABLE coarse.t (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, u VARCHAR(20) COLLATE utf8mb4_bin UNIQUE, v VARCHAR(20) COLLATE utf8mb4_general_ci)"
new_task mas mad coarse </dev/null; check
expect 'FAIL  collation: coarse.t.k is utf8mb4_bin; in a unique key of the target it is utf8mb4_general_ci'
expect 'FAIL  collation: coarse.t.u is utf8mb4_nopad_bin'; expect_not 'FAIL  collation: coarse.t.v'
echo >"$T/tasks/x/start" 2>/dev/null && die "started with a coarser key"
mend; check; expect_not 'FAIL  collation'
sql mas "ALTER TABLE coarse.t MODIFY k VARCHAR(20) COLLATE latin1_swedish_nopad_ci, MODIFY v VARCHAR(20) COLLATE utf8mb4_general_nopad_ci, DROP u" # the target's would be made
new_task mas myd coarse </dev/null; check
expect 'FAIL  collation: coarse.t.k, in a unique key, is latin1_swedish_nopad_ci, there latin1_swedish_ci: rows that differ here may be equal'
expect 'WARN  collation: coarse.t.v'; [ "$(report | grep -c '^FAIL')" = 1 ] || die "$(report)"
echo >"$T/tasks/x/start" 2>/dev/null && die "started with a coarser key"
echo '["collation"]' >"$T/tasks/x/ignore_checking_items"; check
expect_not FAIL; expect 'IGNORED  collation: coarse.t.k, in a unique key'; expect 'IGNORED  collation: coarse.t.v'
echo '["all"]' >"$T/tasks/x/ignore_checking_items"; check
[ "$(report)" = "IGNORED  all: nothing was looked at, as ignore_checking_items wants it" ] || die "$(report)"
echo '["table_schema"]' >"$T/tasks/x/ignore_checking_items"; echo >"$T/tasks/x/start" || die "forced: $(cat "$T/tasks/x/last_error")" # DM's word for it
echo >"$T/tasks/x/stop"

note "tables that become one, routes that contradict each other, also across sources"
sql mas "CREATE DATABASE m; CREATE TABLE m.a (id INT PRIMARY KEY); CREATE TABLE m.b (id INT PRIMARY KEY)"
sql mad "CREATE DATABASE m; CREATE TABLE m.a (id INT PRIMARY KEY)"
document() { cat <<END
name: x
target_config: { host: 127.0.0.1, port: $myd_port, user: sluice, password: sluice }
table_migrate_rule:
$1
source_config: { source_conf: [ $2 ] }
END
}
rmdir "$T/tasks/x"
document '  - { source: { source_name: mas, schema: m, table: "[ab]" }, target: { schema: m, table: one } }' '{ source_name: mas }' >"$T/tasks/create"
check; expect 'FAIL  merge: m.b -> m.one: another table of the task becomes m.one too'
echo '["schema_of_shard_tables"]' >"$T/tasks/x/ignore_checking_items"; echo >"$T/tasks/x/check" || die "$(cat "$T/tasks/x/last_error")"
document '  - { source: { source_name: mas, schema: m, table: "a*" }, target: { schema: m1 } }
  - { source: { source_name: mas, schema: "m", table: "?" }, target: { schema: m2 } }' '{ source_name: mas }' | cp /dev/stdin "$T/tasks/x/config"
check; expect 'FAIL  routes: table m.a matches two routes: m.a\* -> m1, and m.\? -> m2'
document '  - { source: { source_name: mas, schema: m, table: a } }
  - { source: { source_name: mad, schema: m, table: a } }' '{ source_name: mas }, { source_name: mad }' | cp /dev/stdin "$T/tasks/x/config"
check; expect 'FAIL  merge: m.a: a table of source ma. becomes it too'

note "shards that are not alike: within a source, and across two"
sql mas "CREATE DATABASE sh; USE sh; CREATE TABLE t1 (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(9) CHARACTER SET utf8mb4 NOT NULL DEFAULT 'x'); CREATE TABLE t2 (id INT PRIMARY KEY AUTO_INCREMENT, a BIGINT)"
sql mad "CREATE DATABASE sh; CREATE TABLE sh.t1 (id INT PRIMARY KEY AUTO_INCREMENT, a INT, c INT NOT NULL)"
shards() { # mode
    document '  - { source: { source_name: mas, schema: sh, table: "t?" }, target: { schema: all, table: t } }
  - { source: { source_name: mad, schema: sh, table: t1 }, target: { schema: all, table: t } }' '{ source_name: mas }, { source_name: mad }' | sed "s/^name: x/name: x\nshard_mode: $1/" | cp /dev/stdin "$T/tasks/x/config" || die "$(cat "$T/tasks/x/last_error")"
    check
}
from=mas; shards pessimistic
expect 'FAIL  shards: sh.t2 has no column b, as sh.t1 has: column length mismatch; type at the source: ALTER TABLE `sh`.`t2` ADD COLUMN `b` varchar\(9\) '
expect 'FAIL  shards: sh.t2.a is bigint(\(20\))?, in sh.t1 it is int(\(11\))?: different column definition; type at the source: ALTER TABLE `sh`.`t2` MODIFY COLUMN `a` int'
expect 'FAIL  shards: sh.t1 of source mad has no column b, as sh.t1 of source mas has'
expect 'FAIL  shards: sh.t1 of source mas has no column c, as sh.t1 of source mad has: .*type at the source mas: ALTER TABLE `sh`.`t1` ADD COLUMN `c` int'
expect 'WARN  auto_increment: sh.t1 and sh.t2 both count id'
report | sed -nE '/^source mas:/,/^source/s/^FAIL  shards:.*; type at the source: //p' >"$WORK/mas.sql"; [ -s "$WORK/mas.sql" ] || report | sed -nE 's/^FAIL  shards: sh.t2.*; type at the source: //p' >"$WORK/mas.sql"
while read -r line; do sql mas "$line" || die "$line"; typed=$((typed + 1)); done <"$WORK/mas.sql"
report | sed -nE 's/^FAIL  shards:.*; type at the source mas: //p' | while read -r line; do sql mas "$line; ${line/\`t1\`/\`t2\`}" || die "$line"; done
report | sed -nE 's/^FAIL  shards: sh.t1 of source mad .*; type at the source: //p' | while read -r line; do sql mad "$line" || die "$line"; done
check; expect_not 'FAIL  shards'
sql mad "ALTER TABLE sh.t1 MODIFY a BIGINT"; check; expect 'FAIL  shards: sh.t1.a of source mad|FAIL  shards: .*different column definition'
shards optimistic; expect_not 'FAIL  shards'; expect 'WARN  shards: .*different column definition; make `all`.`t` at the target first'
sql mad "ALTER TABLE sh.t1 ADD more INT"; check; expect 'FAIL  shards: .* has no column more, .*make `all`.`t` at the target first, with the columns of all its shards'
sql mad "ALTER TABLE sh.t1 DROP more"; check; expect_not 'FAIL  shards'
sql mad "ALTER TABLE sh.t1 MODIFY a DATE, DROP PRIMARY KEY, ADD PRIMARY KEY (id, c)"; check; expect 'FAIL  shards: .*different column definition'
echo '["schema_of_shard_tables", "auto_increment_ID"]' >"$T/tasks/x/ignore_checking_items"; check; expect_not 'FAIL  shards'; expect 'IGNORED  shards'

note "columns of the target that need a value which nothing brings"
sql mad "CREATE DATABASE inc; CREATE TABLE inc.t (id INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL DEFAULT 1)"
sql mas "CREATE DATABASE inc; CREATE TABLE inc.t (id INT PRIMARY KEY)"
task_mode=incremental; new_task mas mad inc </dev/null; check
expect 'FAIL  columns: inc.t: the source has no column a, which cannot be NULL and has no default.*MODIFY `a` int'
mend; check; expect_not FAIL
sql mad "DROP TABLE inc.t"; check; expect 'FAIL  target_table: inc.t is not at the target'
task_mode=all

note "online schema changes under way, connections that are not there, a start that is not there"
sql mas "CREATE DATABASE osc; USE osc; CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE _t_gho (id INT PRIMARY KEY); CREATE TABLE _x_new (id INT PRIMARY KEY)"
new_task mas mad osc </dev/null; check; expect 'WARN  online_ddl: osc._t_gho: an online schema change of osc.t .*DROP TABLE `osc`.`_t_gho`'
report | grep -q '_x_new' && die "a table of that name alone"
mend; check; expect_not 'WARN  online_ddl'
sql mad "SET GLOBAL max_connections = 10"; echo 200 >"$T/tasks/x/full_migrate_conf/import_threads" || die "$(cat "$T/tasks/x/last_error")"; check
expect 'WARN  connections: import_threads is 200: 64 are used'
echo 8 >"$T/tasks/x/full_migrate_conf/import_threads"; check
expect 'FAIL  connections: target: 12 more are wanted, .* of 10 are taken; type at the target: SET GLOBAL max_connections=[0-9]+'
sql mad "$(report | sed -nE 's/^FAIL  connections:.*type at the target: //p')"; typed=$((typed + 1)); check; expect_not '(WARN|FAIL)  connections'
echo incremental >"$T/tasks/x/task_mode"; echo '[{"source_name": "mas", "binlog_name": "bin.000099"}]' >"$T/tasks/x/source_conf"; check
expect 'FAIL  start: the source has no bin.000099 yet.*; give the source another start in source_conf'

note "XA, the same server, foreign keys that cascade"
sql mas "CREATE DATABASE fk; USE fk; CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT cp FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
    XA START 'left'; INSERT INTO p VALUES (1); XA END 'left'; XA PREPARE 'left'"
new_task mas mad fk </dev/null; check; expect 'WARN  xa: 1 prepared'
sql mas "XA ROLLBACK 'left'"; check; expect_not 'WARN  xa'
echo '[{"source": {"source_name": "mas", "schema": "fk", "table": "c"}}]' >"$T/tasks/x/table_migrate_rule"
check; expect 'FAIL  foreign_keys: fk.c: fk.p, which changes it by cascade'
new_task mas mas fk </dev/null; check; expect 'WARN  target: it looks like the source itself'
rmdir "$T/tasks/x"

note "what only the configuration can change: no binlog, schemas left out of it, a replica that does not log"
restart_with() { stop_server "$1"; eval "${1}_options=\"$2\""; restart_server "$1"; }
restart_with mas "--skip-log-bin"; new_task mas mad fk </dev/null; check; expect 'FAIL  binlog: .*log_bin=bin'
restart_with mas "--binlog-do-db=x"; check; expect 'FAIL  binlog_do_db: .*take binlog_do_db'
restart_with mas "--skip-log-slave-updates"; check; expect_not 'FAIL  log_updates'
sql mas "CHANGE MASTER TO master_host='127.0.0.1', master_port=$mad_port, master_user='sluice', master_password='sluice', master_use_gtid=no; START SLAVE"
replicates() { sql mas "SHOW GLOBAL STATUS LIKE 'Slaves_running'" | grep -qw 1; }; wait_for 20 replicates || die "no replica"
check; expect 'FAIL  log_updates: the source is a replica.*log_slave_updates=ON'
restart_with mas "--log-slave-updates"; check; expect_not 'FAIL  log_updates'
mas_prefix='env TZ=Etc/GMT-3'; restart_with mas "--log-slave-updates"; check; expect 'WARN  time_zone: .*180 minutes from UTC.*echo \+03:00 > timezone'
mend; check; expect_not 'WARN  time_zone'
sql mas "SET GLOBAL time_zone = 'SYSTEM'"; echo Mars/Olympus >"$T/tasks/x/timezone"; check; expect 'FAIL  time_zone: timezone Mars/Olympus is not known at the target.*mysql_tzinfo_to_sql'
stop_server mad; check; expect 'FAIL  connection: target'
note "OK: $shown lines provoked, $typed commands typed as printed"
