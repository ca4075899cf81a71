#!/bin/bash
# Four sources of 16 shards that merge into one table: a backlog of TXNS (150,000) transactions of 4 row changes, a quarter
# at each, against MariaDB's own multi-source replica, which keeps the 64 tables apart; and the resident memory.
#
# SHARD_MODE=pessimistic|optimistic is the task's shard_mode; without it the shards merge by routes alone.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/bench/lib.sh
TXNS=${TXNS:-150000}
RUNS=${RUNS:-3}
SHARDS=16
sources="s1 s2 s3 s4"

load() { # source first last: each transaction writes one of its shards
    { echo "USE $1;"; echo "DELIMITER //"; echo "BEGIN NOT ATOMIC DECLARE b BIGINT; FOR i IN $2..$3 DO SET b = ${1#s} * 1000000000 + i * 4; START TRANSACTION; CASE i MOD $SHARDS"
    for n in $(seq 0 $((SHARDS - 1))); do
        echo "WHEN $n THEN INSERT INTO o_$n VALUES (b, i, REPEAT('c', 119), MD5(i)), (b + 1, i, REPEAT('d', 119), MD5(i));
            UPDATE o_$n SET k = k + 1 WHERE id = b - 4 * $SHARDS; DELETE FROM o_$n WHERE id = b + 1;"
    done
    echo "END CASE; COMMIT; END FOR; END //"; } >"$WORK/load.$1"
    sql_file "$1" "$WORK/load.$1"
}
columns="(id BIGINT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60), KEY (k))"
for s in $sources; do
    # shellcheck disable=SC2046
    start_mariadb "$s" $(mariadb_bench_options relaxed) --gtid-domain-id="${s#s}"
    sql "$s" "CREATE DATABASE $s"
    for n in $(seq 0 $((SHARDS - 1))); do echo "CREATE TABLE o_$n $columns;"; done >"$WORK/tables.sql"
    sql_file "$s" "$WORK/tables.sql" "$s" || die "no tables"
    load "$s" 1 1000 || die "load"
    eval "from_$s=\$(sql $s 'SELECT @@gtid_binlog_pos')"
    [ -n "${dumps:-}" ] || dumps=$WORK/dumps && mkdir -p "$dumps"
    # shellcheck disable=SC2046
    mariadb-dump --no-defaults -uroot -S "$(eval echo "\$${s}_dir")/s.sock" --databases "$s" >"$dumps/$s" || die "dump"
done
loads=""
for s in $sources; do load "$s" 1001 $((1000 + TXNS / 4)) & loads="$loads $!"; done
for l in $loads; do wait "$l" || die "load"; done
for s in $sources; do eval "to_$s=\$(sql $s 'SELECT @@gtid_binlog_pos')"; done

fresh() { # durable|relaxed [option...]
    local wanted=$1; shift
    [ -z "${dst_pid:-}" ] || { kill_server dst; rm -rf "$dst_dir"; SERVERS=${SERVERS/ dst/}; unset dst_port; }
    # shellcheck disable=SC2046
    start_mariadb dst $(mariadb_bench_options "$wanted") --log-slave-updates=1 "$@"
    for s in $sources; do { echo "SET sql_log_bin=0;"; cat "$dumps/$s"; } >"$WORK/dump"; sql_file dst "$WORK/dump" || die "restore"; done
}
merged() { # what all shards have is in one table
    { echo "SET sql_log_bin=0; CREATE DATABASE g; CREATE TABLE g.o $columns;"
    for s in $sources; do for n in $(seq 0 $((SHARDS - 1))); do echo "INSERT INTO g.o SELECT * FROM $s.o_$n; DROP TABLE $s.o_$n;"; done; done; } >"$WORK/merge.sql"
    sql_file dst "$WORK/merge.sql" || die "merge"
}
document() {
    echo "name: $1"; echo "task_mode: incremental"
    echo "target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }"
    if [ -n "${SHARD_MODE:-}" ]; then echo "shard_mode: $SHARD_MODE"; else echo "ignore_checking_items: [ merge ]"; fi
    echo "table_migrate_rule:"
    for s in $sources; do echo "  - { source: { source_name: $s, schema: $s, table: 'o_*' }, target: { schema: g, table: o } }"; done
    echo "source_config: { source_conf: [ $(for s in $sources; do eval "echo \"{ source_name: $s, binlog_gtid: '\$from_$s' },\""; done) ] }"
}
ours() {
    local s to
    document "$task" >"$WORK/doc"
    cat "$WORK/doc" >"$T/tasks/create" || die "$(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$task/start" || die "$(cat "$T/tasks/$task/last_error")"
    for s in $sources; do
        eval "to=\$to_$s"
        until [ "$(cat "$T/tasks/$task/sources/$s/sync/gtid" 2>/dev/null)" = "$to" ]; do
            state_is "$task" error && { task_trouble "$task"; return 1; }
            sleep 0.05
        done
    done
}
replica() {
    local s all="" port
    for s in $sources; do
        eval "port=\$${s}_port all=\"\$all,\$to_$s\" start=\"\${start:-},\$from_$s\""
    done
    sql dst "SET GLOBAL gtid_slave_pos='${start#,}'; $(for s in $sources; do eval "port=\$${s}_port"; echo "CHANGE MASTER '$s' TO MASTER_HOST='127.0.0.1',
        MASTER_PORT=$port, MASTER_USER='sluice', MASTER_PASSWORD='sluice', MASTER_USE_GTID=slave_pos;"; done) START ALL SLAVES"
    unset start
    [ "$(sql dst "SELECT MASTER_GTID_WAIT('${all#,}', 600)")" = 0 ]
}
rows_of() { # server table...: counted and summed
    local s=$1; shift
    sql "$s" "SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', id, k, c, pad))) FROM ($(printf 'SELECT * FROM %s UNION ALL ' "$@") SELECT * FROM $1 WHERE FALSE) x"
}
of_sources() {
    # shellcheck disable=SC2046
    for s in $sources; do rows_of "$s" $(seq -f "$s.o_%g" 0 $((SHARDS - 1))); done | awk '{ n += $1; c += $2 } END { printf "%d\t%d\n", n, c }'
}

backlog() { # relaxed|durable goal
    local i a b ours_times="" peer_times=""
    for i in $(seq "$RUNS"); do
        fresh "$1"; merged
        [ "$i" = 1 ] && show_settings s1 dst
        task=t$1$i; a=$(seconds ours) || die "ours"
        [ "$(rows_of dst g.o)" = "$all_rows" ] || die "the ends differ: $(rows_of dst g.o), not $all_rows"
        echo >"$T/tasks/$task/stop"
        # shellcheck disable=SC2046
        fresh "$1" $([ "$1" = durable ] && echo --slave-parallel-threads=8 --slave-parallel-mode=optimistic)
        b=$(seconds replica) || die "replica"
        note "run $i, $1: ours $a s, multi-source replica $b s"
        ours_times="$ours_times $a" peer_times="$peer_times $b"
    done
    # shellcheck disable=SC2086
    ratio_goal "4 sources of 16 shards into one table, $1, against a multi-source replica" "$2" "$(median $peer_times)" "$(median $ours_times)"
}

start_sluice
for s in $sources; do make_source "$s" "$s" || die "$(cat "$T/sources/last_error")"; done
all_rows=$(of_sources)
backlog relaxed 1.2
backlog durable 2.5
most_goal "resident memory with them, peak, MiB" 256 "$(peak_mib "$sluiced_pid")"
