# relay.sh - a relay's journal against its source.  Source me after sluice.sh.
#
#     relay_caught_up s1 src      # all that the source has committed by now is on our disk
#     same_binlogs s1 src         # every closed binlog file of src that is stored: byte for byte

port_of() { eval "echo \$${1}_port"; }
binlog_dir() { eval "echo \$${1}_dir"; }

source_end() { # server: "file offset"
    local show="SHOW MASTER STATUS"
    eval "[ \$${1}_kind = mysql ]" && show="SHOW BINARY LOG STATUS"
    sql "$1" "$show" | cut -f1,2 | tr '\t' ' '
}
relay_end() { echo "$(cat "$T/sources/$1/relay/binlog_file") $(cat "$T/sources/$1/relay/binlog_offset")"; }
relay_is_at() { [ "$(relay_end "$1")" = "$(source_end "$2")" ]; } # which may still add a checkpoint
relay_trouble() { { cat "$T/sources/$1/relay/status"; tail -20 "$SLUICE_LOG"; } >&2; }
relay_caught_up() { # source server [seconds]
    wait_for "${3:-60}" relay_is_at "$1" "$2" || { relay_trouble "$1"; die "the relay of $1 is at $(relay_end "$1"), the source at $(source_end "$2")"; }
}

# The files as the journal has them: the daemon's own reader of journals writes them below $1/.
stored_files() { # source folder
    rm -rf "$2"; mkdir -p "$2"
    "$SLUICE_BUILD/relay_run" "$WORK/data" "$1" "$2"
}

# The last file of the server is still open: its format description has a flag that says so.
same_binlogs() { # source server
    local f n=0 dir from
    dir=$(binlog_dir "$2")
    stop_sluice
    stored_files "$1" "$WORK/stored" || return 1
    restart_sluice
    for f in "$WORK"/stored/*; do
        [ -e "$dir/$(basename "$f")" ] || continue
        [ "$(basename "$f")" = "$(source_end "$2" | cut -d' ' -f1)" ] && continue
        # A server that crashed leaves the flag of an open file in its description.
        [ -z "$(cmp -l "$dir/$(basename "$f")" "$f" 2>&1 | grep -vE '^ *22 +1 +0$')" ] || {
            cmp "$dir/$(basename "$f")" "$f"; echo "$(basename "$f") differs"; return 1; }
        n=$((n + 1))
    done
    [ "$n" -gt 0 ] || { echo "no file to compare"; return 1; }
    note "$1: $n binlog files are equal byte for byte"
}
