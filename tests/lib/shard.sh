# shard.sh - tables t1 and t2 of two sources, a and b, that become one, d.tb of dst.  Source me after the others.
#
#     what=... ; flavor=... ; mode=pessimistic|optimistic|''
#     begin_shards [line of the document...]   # servers a, b, dst and sluice run; task m follows (prepare=COMMAND before it)
#     on a "ALTER TABLE t1 ..." ; all "INSERT INTO TB ..." ; wait_lock ; order exec '' ; ends_well "k,v"
#     end_shards

L=$T/tasks/m/locks
lock() { ls "$L" | grep '^m-'; }
has_lock() { [ -n "$(lock)" ]; }
no_lock() { [ -z "$(lock)" ]; }
of() { cat "$L/$(lock)/$1"; }
trouble() { for f in "$L"/m-*/*; do echo "$f: $(cat "$f" 2>/dev/null)"; done; task_trouble m; sql dst "SHOW CREATE TABLE d.tb; SELECT name, version, state FROM dm_meta.sluice_shard WHERE db='d'"; } >&2
fail() { trouble; die "$flavor $mode: $what: $*"; }
no_locks() { wait_for "${PATIENCE:-60}" no_lock || fail "a lock stays: $(lock)"; }
wait_lock() { wait_for 30 has_lock || fail "no lock"; }
order() { echo "$2" >"$L/$(lock)/$1" || die "$flavor $mode: $what: $1: $(cat "$L/$(lock)/last_error")"; }
sql_is() { [ "$(sql "$1" "$2")" = "$3" ]; }

on() { sql "$1" "USE d; $2" || die "$flavor $mode: $what: $1 refused: $2"; }
all() { for s in a b; do for t in t1 t2; do on $s "${1//TB/$t}"; done; done; }
union() { # columns: of all shards, in one order
    for s in a b; do for t in t1 t2; do sql "$s" "SELECT $1 FROM d.$t"; done; done | sort
}
equal() { [ "$(union "$1")" = "$(sql dst "SELECT $1 FROM d.tb" | sort)" ] && [ "$(sql a 'SELECT COUNT(*) FROM d.other')" = "$(sql dst 'SELECT COUNT(*) FROM d.other')" ]; }
same() { # columns
    wait_for "${PATIENCE:-60}" equal "$1" && return
    diff <(union "$1") <(sql dst "SELECT $1 FROM d.tb" | sort) | head -20 >&2; fail "the rows differ"
}
ends_well() { no_locks; same "$1"; state_is m running || fail "the task is $(state m)"; }
document() {
    cat <<END
name: m
shard_mode: $mode
target_config: { host: 127.0.0.1, port: $dst_port, user: sluice, password: sluice }
table_migrate_rule:
$(for s in a b; do echo "  - source: { source_name: $s, schema: d, table: \"t*\" }
    target: { schema: d, table: tb }
  - source: { source_name: $s, schema: d, table: other }"; done)
source_config: { source_conf: [ { source_name: a }, { source_name: b } ] }
END
    printf '%s\n' "$@"
}
started() { echo >"$T/tasks/m/start"; } 2>/dev/null # the checkpoints of the one before may still be being removed
follows() { for s in a b; do [ "$(cat "$T/tasks/m/sources/$s/stage")" = sync ] && [ -n "$(cat "$T/tasks/m/sources/$s/sync/position")" ] || return 1; done; }
begin_shards() {
    sql dst "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS dm_meta"
    for s in a b; do
        sql $s "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d;
            CREATE TABLE t1 (k VARCHAR(40) PRIMARY KEY, v INT DEFAULT 0); CREATE TABLE t2 LIKE t1; CREATE TABLE other (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"
        for t in t1 t2; do sql $s "INSERT INTO d.$t (k) VALUES ('start$s$t')"; done
    done
    sql b "DROP TABLE d.other"
    ${prepare:-:}
    document "$@" >"$WORK/m.yaml"; cat "$WORK/m.yaml" >"$T/tasks/create" && wait_for 60 started || die "$flavor $mode: $(cat "$T/tasks/m/last_error" "$T/tasks/last_error")"
    wait_for 60 follows || { task_trouble m; die "$flavor $mode: the copy does not end"; }
}
end_shards() { echo >"$T/tasks/m/stop"; rmdir "$T/tasks/m" || die "$flavor $mode: the task stays: $(cat "$T/tasks/m/last_error")"; }
