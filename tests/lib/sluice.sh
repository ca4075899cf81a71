# sluice.sh - a sluiced of one's own, with a mount.  Source me after servers.sh.
#
#     start_sluice [option...]      # sets T (the mount), URL, sluiced_pid; data in $WORK/data
#     kill_sluice ; stop_sluice ; restart_sluice
#     make_source s1 src ; make_task orders s1 dst <<END   (more lines of the document)
#
# SLUICE_BUILD names the build folder (build/release by default).

SLUICE_BUILD=${SLUICE_BUILD:-build/release}
sluiced=$SLUICE_BUILD/sluiced
sluicectl=$SLUICE_BUILD/sluicectl
T=$WORK/tree
SLUICE_LOG=${SLUICE_LOG:-$WORK/sluiced.log}
sluiced_pid=""

start_sluice() {
    mkdir -p "$T"
    sluice_port=${sluice_port:-$(free_port)}
    URL=http://127.0.0.1:$sluice_port
    SLUICE_URL=$URL
    export SLUICE_URL
    sluice_options="$*"
    restart_sluice
    at_exit stop_sluice_quietly
}

restart_sluice() {
    # shellcheck disable=SC2086
    ${sluice_preload:+env LD_PRELOAD="$sluice_preload"} $sluiced --data "$WORK/data" --mount "$T" --listen "127.0.0.1:$sluice_port" $sluice_options >>"$SLUICE_LOG" 2>&1 &
    sluiced_pid=$!
    wait_for 30 sluice_up || { tail -20 "$SLUICE_LOG" >&2; die "sluiced did not start"; }
}
sluice_up() { [ -d "/proc/$sluiced_pid" ] && [ -e "$T/tasks" ] && curl -sf "$URL/v1/" -o /dev/null; }

is_ours() { tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qxF -- "$WORK/data"; } # a number is used again
kill_sluice() { is_ours "$sluiced_pid" && kill -9 "$sluiced_pid" 2>/dev/null; wait "$sluiced_pid" 2>/dev/null; }
stop_sluice() { is_ours "$sluiced_pid" && kill "$sluiced_pid" 2>/dev/null || return 0; wait "$sluiced_pid"; }
stop_sluice_quietly() {
    [ -n "$sluiced_pid" ] && is_ours "$sluiced_pid" && kill "$sluiced_pid" 2>/dev/null && wait "$sluiced_pid" 2>/dev/null
    left_behind "$T" "$SLUICE_LOG"
}

make_source() { # name server
    local port
    eval "port=\$${2}_port"
    cat >"$T/sources/create" <<END || return 1
source_name: $1
host: 127.0.0.1
port: $port
user: sluice
password: sluice
enable_gtid: ${enable_gtid:-true}
END
}

# The document of a task on standard output: name, source, target server, schema pattern.
# Further lines of the document come from standard input.
task_document() {
    local port
    eval "port=\$${3}_port"
    cat <<END
name: $1
task_mode: ${task_mode:-all}
target_config: { host: 127.0.0.1, port: $port, user: sluice, password: sluice }
table_migrate_rule:
  - source: { source_name: $2, schema: "$4", table: "*" }
source_config:
  source_conf: [ { source_name: $2 } ]
END
    cat
}
make_task() { task_document "$@" >"$WORK/$1.yaml" && cat "$WORK/$1.yaml" >"$T/tasks/create"; }

state() { cat "$T/tasks/$1/state"; }
state_is() { [ "$(state "$1")" = "$2" ]; }
wait_state() { wait_for "${3:-60}" state_is "$1" "$2" || { task_trouble "$1"; die "task $1 is $(state "$1"), not $2"; }; }
task_trouble() {
    { cat "$T/tasks/$1/status" "$T/tasks/$1/last_error"; tail -20 "$SLUICE_LOG"; } >&2
}

# caught_up TASK SOURCE-SERVER: what the source has committed by now is applied.
caught_up() {
    local pos
    eval "kind=\$${2}_kind"
    if [ "$kind" = mariadb ]; then
        pos=$(sql "$2" 'SELECT @@gtid_binlog_pos')
    else
        pos=$(sql "$2" 'SELECT @@global.gtid_executed' | tr -d '\\n')
    fi
    wait_for "${3:-120}" at_gtid_or_error "$1" "$pos" && at_gtid "$1" "$pos" || { task_trouble "$1"; die "$1 did not reach $pos"; }
}
at_gtid_or_error() { at_gtid "$@" || state_is "$1" error; }
at_gtid() { cat "$T/tasks/$1"/sources/*/sync/gtid | tr -d '\n ' | grep -qxF "$(echo "$2" | tr -d '\n ')"; }
