#!/bin/bash
# What a sync says of itself in DM's words: where both ends are, whether they are the same, how much and how fast;
# and DM's checkpoint table: written for its tools, and taken over from it.
# FLAVORS="mariadb mysql".
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh

S=$T/tasks/t/sources/s1/sync
is() { [ "$(cat "$S/$1")" = "$2" ]; }
becomes() { wait_for 30 is "$1" "$2" || { task_trouble t; die "$flavor: $what: $1 is '$(cat "$S/$1")', not '$2'"; }; }

for flavor in ${FLAVORS:-mariadb mysql}; do
    "start_$flavor" src; "start_$flavor" dst
    sql src "CREATE DATABASE shop; CREATE TABLE shop.o (id INT PRIMARY KEY, v INT)"
    start_sluice
    make_source s1 src && make_task t s1 dst shop <<<"  incr_migrate_conf: { checkpoint_flush_interval: 1 }" && echo >"$T/tasks/t/start" || die "$(cat "$T/tasks/t/last_error")"
    wait_state t running; caught_up t src

    what="at rest both ends are the same"
    becomes synced true
    is seconds_behind_master 0 || die "$flavor: $what: behind by $(cat "$S/seconds_behind_master")"
    is binlog_type remote && is blocking_ddls '[]' || die "$flavor: $what: $(cat "$S/status")"

    what="rows and statements are counted, the ends move together"
    before=$(cat "$S/total_events")
    sql src "USE shop; INSERT INTO o VALUES (1,1),(2,2),(3,3); ALTER TABLE o ADD c INT; UPDATE o SET v = v + 1 WHERE id < 3; DELETE FROM o WHERE id = 3"
    caught_up t src
    is total_events $((before + 7)) || die "$flavor: $what: $(cat "$S/total_events") after $before"
    end=$(source_end src); end="(${end% *}, ${end#* })"
    becomes master_binlog "$end"; becomes syncer_binlog "$end"; becomes synced true
    is master_binlog_gtid "$(cat "$S/syncer_binlog_gtid")" || die "$flavor: $what: $(cat "$S/status")"
    [ -n "$(cat "$S/syncer_binlog_gtid")" ] || die "$flavor: $what: no GTID"

    what="what the target cannot take yet is behind, and grows old"
    sql dst "BEGIN; UPDATE shop.o SET v = v WHERE id = 1; DO SLEEP(4)" >/dev/null 2>&1 &
    holder=$!
    held() { sql dst "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'" | grep -qx 1; }
    wait_for 10 held || die "$flavor: $what: no lock"
    sql src "UPDATE shop.o SET v = 9 WHERE id = 1"
    becomes synced false
    late() { [ "$(cat "$S/seconds_behind_master")" -ge 1 ]; }
    wait_for 10 late || die "$flavor: $what: not late"
    for _ in 1 2 3 4 5; do late || held || break; late || die "$flavor: $what: it flickers"; done
    wait "$holder"; becomes synced true; becomes seconds_behind_master 0
    same_rows src dst shop || die "$flavor: rows differ"

    what="of old changes none is forgotten between two of them, nor before the first is read" # MySQL logs when they really were
    echo >"$T/tasks/t/pause"; wait_state t paused
    { echo "SET timestamp = UNIX_TIMESTAMP() - 300;"; for i in $(seq 1000 2500); do echo "INSERT INTO shop.o (id, v) VALUES ($i, 1);"; done; } >"$WORK/old.sql"; sql_file src "$WORK/old.sql"
    sleep 1; echo >"$T/tasks/t/resume"
    last=$(sql src "SELECT MAX(id) FROM shop.o"); none=0
    until [ "$(sql dst "SELECT MAX(id) FROM shop.o")" = "$last" ]; do
        lag=$(cat "$S/seconds_behind_master"); [ "$(sql dst "SELECT MAX(id) FROM shop.o")" = "$last" ] || [ "$lag" -gt 0 ] || none=$((none + 1))
        state_is t running || die "$flavor: $what: $(cat "$T/tasks/t/error")"
    done
    [ $none = 0 ] || [ "$flavor" = mysql ] || die "$flavor: $what: $none times it was behind by nothing"
    becomes seconds_behind_master 0; becomes synced true; none=0; from=$(cat "$S/heartbeats")
    until [ "$(cat "$S/heartbeats")" -gt "$from" ]; do is seconds_behind_master 0 || none=$((none + 1)); done
    [ $none = 0 ] || die "$flavor: $what: idle, and $none times behind"
    sql src "DELETE FROM shop.o WHERE id >= 1000"; caught_up t src

    what="DM's tools find its checkpoint, and a clean end in it"
    dm() { sql dst "SELECT CONCAT_WS('|', id, cp_schema, cp_table, binlog_name, binlog_pos, ${1:-exit_safe_binlog_name, exit_safe_binlog_pos}, is_global) FROM dm_meta.t_syncer_checkpoint"; }
    end=$(source_end src | tr ' ' '|')
    open_end() { [ "$(dm | cut -d'|' -f6-)" = "|0|1" ]; }
    wait_for 20 open_end || die "$flavor: $what: while it runs: $(dm)"

    what="of an idle task nothing is written, as the target may be somebody's source"
    sql src "INSERT INTO shop.o (id, v) VALUES (50, 50)"; caught_up t src
    follows() { [ "$(dm)" = "s1|||$at||0|1" ]; }
    at=$(source_end src | tr ' ' '|'); wait_for 60 follows || die "$flavor: $what: $(dm), not $at"
    before=$(source_end dst); sleep 3
    [ "$(source_end dst)" = "$before" ] || die "$flavor: $what: the target's binlog went on from $before to $(source_end dst)"
    sql src "DELETE FROM shop.o WHERE id = 50"; caught_up t src
    at=$(source_end src | tr ' ' '|'); wait_for 60 follows || die "$flavor: $what: $(dm), not $at"; end=$at
    echo >"$T/tasks/t/pause"; wait_state t paused
    [ "$(dm)" = "s1|||$end|$end|1" ] || die "$flavor: $what: $(dm), not $end"
    [ "$(sql dst 'SELECT binlog_gtid FROM dm_meta.t_syncer_checkpoint')" = "$(cat "$S/gtid")" ] || die "$flavor: $what: the GTID set is another"

    what="a task goes on from the checkpoint that DM left, which had applied more than it says"
    sql dst "CREATE TABLE dm_meta.was AS SELECT * FROM dm_meta.t_syncer_checkpoint"
    sql src "USE shop; INSERT INTO o VALUES (10,10,1),(11,11,1); UPDATE o SET v = 12 WHERE id = 1; DELETE FROM o WHERE id = 2"
    forgotten() { grep -c 'checkpoints of the deleted task t are removed' "$SLUICE_LOG"; } # the last thing that is done of it
    times=$(forgotten); echo >"$T/tasks/t/resume"; caught_up t src; echo >"$T/tasks/t/stop"; rmdir "$T/tasks/t"
    gone() { [ "$(forgotten)" -gt "$times" ] && [ ! -e "$T/tasks/t" ] && ! sql dst 'SELECT 1 FROM dm_meta.t_syncer_checkpoint' 2>/dev/null; }
    wait_for 30 gone || die "$flavor: $what: the table stays"
    sql dst "CREATE TABLE dm_meta.t_syncer_checkpoint LIKE dm_meta.was; INSERT INTO dm_meta.t_syncer_checkpoint SELECT * FROM dm_meta.was"
    sql src "INSERT INTO shop.o VALUES (20,20,2)"
    task_mode=incremental make_task t s1 dst shop </dev/null && echo >"$T/tasks/t/start" || die "$(cat "$T/tasks/t/last_error")"
    wait_state t running; caught_up t src
    grep -q "goes on from DM's checkpoint" "$SLUICE_LOG" || die "$flavor: $what: it did not"
    same_rows src dst shop || die "$flavor: $what: rows differ"
    sql src "INSERT INTO shop.o VALUES (21,21,2)"; caught_up t src
    kill_sluice; restart_sluice; wait_state t running; caught_up t src
    same_rows src dst shop || die "$flavor: $what: rows differ"

    what="a task of mode all takes over what DM has copied, and goes on from its checkpoint"
    anew() { times=$(forgotten); echo >"$T/tasks/t/stop"; rmdir "$T/tasks/t"; wait_for 30 gone || die "$flavor: $what: the table stays"; }
    task_all() { make_task t s1 dst shop </dev/null || die "$flavor: $what: $(cat "$T/tasks/last_error")"; }
    anew
    sql dst "CREATE TABLE dm_meta.t_syncer_checkpoint LIKE dm_meta.was; INSERT INTO dm_meta.t_syncer_checkpoint SELECT * FROM dm_meta.was;
        CREATE TABLE dm_meta.t_lightning_checkpoint_list (task_name VARCHAR(255) NOT NULL, source_name VARCHAR(255) NOT NULL, status VARCHAR(10) NOT NULL DEFAULT 'init', PRIMARY KEY (task_name, source_name));
        INSERT INTO dm_meta.t_lightning_checkpoint_list VALUES ('t', 's1', 'finished')"
    sql src "INSERT INTO shop.o VALUES (30,30,3); CREATE TABLE shop.later (id INT PRIMARY KEY); INSERT INTO shop.later VALUES (1)"
    task_all; echo >"$T/tasks/t/start" || { cat "$T/tasks/t/check_report" >&2; die "$flavor: $what: $(cat "$T/tasks/t/last_error")"; }
    wait_state t running; caught_up t src
    grep -q "OK    takeover: DM has been here: its copy is taken over" "$T/tasks/t/check_report" || die "$flavor: $what: $(cat "$T/tasks/t/check_report")"
    [ "$(cat "$T/tasks/t/sources/s1/dump/rows")" = 0 ] || die "$flavor: $what: rows were copied"
    same_rows src dst shop || die "$flavor: $what: rows differ"
    kill_sluice; restart_sluice; wait_state t running; sql src "DELETE FROM shop.o WHERE id = 30"; caught_up t src
    same_rows src dst shop || die "$flavor: $what: rows differ after a restart"

    what="what DM had not finished is told, and what to type"
    anew
    for status in running:"is not finished" finished:"has no checkpoint yet"; do
        sql dst "CREATE TABLE IF NOT EXISTS dm_meta.t_lightning_checkpoint_list (task_name VARCHAR(255) NOT NULL, source_name VARCHAR(255) NOT NULL, status VARCHAR(10), PRIMARY KEY (source_name));
            REPLACE INTO dm_meta.t_lightning_checkpoint_list VALUES ('t', 's1', '${status%:*}')"
        [ -e "$T/tasks/t" ] || task_all
        ! echo >"$T/tasks/t/start" 2>/dev/null || die "$flavor: $what: $status: started"
        grep -q "FAIL  takeover: DM.*${status#*:}" "$T/tasks/t/check_report" || die "$flavor: $what: $status: $(cat "$T/tasks/t/check_report")"
    done
    sql dst "DROP TABLE dm_meta.t_lightning_checkpoint_list; CREATE TABLE dm_meta.t_loader_checkpoint (id VARCHAR(32), filename VARCHAR(255), \`offset\` BIGINT, end_pos BIGINT);
        INSERT INTO dm_meta.t_loader_checkpoint VALUES ('s1', 'shop.o.0.sql', 50, 100)" # of older releases
    ! echo >"$T/tasks/t/start" 2>/dev/null && grep -q "FAIL  takeover: DM.*is not finished" "$T/tasks/t/check_report" || die "$flavor: $what: $(cat "$T/tasks/t/check_report")"
    sql dst "UPDATE dm_meta.t_loader_checkpoint SET \`offset\` = end_pos"
    sql dst "RENAME TABLE dm_meta.t_loader_checkpoint TO dm_meta.f_loader_checkpoint"
    task_mode=full make_task f s1 dst shop </dev/null && echo >"$T/tasks/f/start" || die "$flavor: $what: $(cat "$T/tasks/f/last_error")"
    wait_state f finished; grep -q "OK    takeover: DM has finished its load of this source: there is nothing to copy" "$T/tasks/f/check_report" || die "$flavor: $what: $(cat "$T/tasks/f/check_report")"
    sql dst "CREATE TABLE dm_meta.t_onlineddl (id VARCHAR(32), ghost_schema VARCHAR(128), ghost_table VARCHAR(128), ddls TEXT); INSERT INTO dm_meta.t_onlineddl VALUES ('s1', 'shop', '_o_gho', '[]')"
    ! echo >"$T/tasks/t/start" 2>/dev/null; grep -q "WARN  takeover: 1 online schema changes were under way" "$T/tasks/t/check_report" || die "$flavor: $what: $(cat "$T/tasks/t/check_report")"
    sql dst "DROP TABLE dm_meta.t_onlineddl; TRUNCATE shop.o; TRUNCATE shop.later"
    echo >"$T/tasks/t/start" || die "$flavor: $what: after what was typed: $(cat "$T/tasks/t/last_error")"
    wait_state t running; caught_up t src; same_rows src dst shop || die "$flavor: $what: rows differ"

    what="what somebody mends at the target goes on by itself, what is of DM's list does not"
    echo true >"$T/tasks/t/auto_resume" && echo 50 >"$T/tasks/t/max_retries" || die "$flavor: $what: while it runs: $(cat "$T/tasks/t/last_error")"
    state_is t running || die "$flavor: $what: a setting stopped it"; sql dst "RENAME TABLE shop.o TO shop.away"; sql src "ALTER TABLE shop.o ADD d INT"
    retries() { [ "$(cat "$S/retries")" -gt 0 ]; }
    wait_for 30 retries || die "$flavor: $what: it does not try again: $(cat "$S/status")"
    [ "$(cat "$S/max_retries")" = 50 ] || die "$flavor: $what: it gives up after $(cat "$S/max_retries")"
    before=$(cat "$S/gave_up"); echo false >"$T/tasks/t/auto_resume" || die "$flavor: $what: $(cat "$T/tasks/t/last_error")"
    given_up() { state_is t error && is gave_up $((before + 1)); }
    wait_for 30 given_up || die "$flavor: $what: it tries on, although auto_resume is off: $(cat "$S/status")"
    echo true >"$T/sources/s1/checker/check_enable" && echo 2 >"$T/sources/s1/checker/backoff_max" || die "$flavor: $what: $(cat "$T/sources/s1/last_error")"
    echo >"$T/tasks/t/resume"; wait_for 30 retries || die "$flavor: $what: the source's checker says so, and it does not: $(cat "$S/status")"
    sql dst "RENAME TABLE shop.away TO shop.o"
    mended() { state_is t running && sql dst "SELECT d FROM shop.o LIMIT 1" >/dev/null 2>&1; }
    wait_for 60 mended || { task_trouble t; die "$flavor: $what: it does not go on"; }
    caught_up t src; same_rows src dst shop || die "$flavor: $what: rows differ"
    sql dst "INSERT INTO shop.o (id) VALUES (77)"; sql src "INSERT INTO shop.o (id) VALUES (77)"
    wait_state t error; [ "$(cut -d. -f1 "$S/next_retry_seconds")" = 0 ] || die "$flavor: $what: a duplicate is tried again"
    grep -q "gave up after" "$T/tasks/t/error" && die "$flavor: $what: it says that a duplicate was tried again: $(cat "$T/tasks/t/error")"
    stop_sluice; rm -rf "$WORK/data"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir"; SERVERS=""
done
echo "sync_status: master, syncer, synced, events and lag tell the truth on ${FLAVORS:-mariadb mysql}"
