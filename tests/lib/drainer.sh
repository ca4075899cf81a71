# drainer.sh - pumps and drainers.  Source me after sluice.sh.
#
#     make_pump p1 s1 ; make_drainer d1 <<END   (YAML without the name)
#     drained d1                                # all that the pumps' sources have committed is applied

make_pump() { # name source
    mkdir "$T/pumps/$1" && echo "$2" >"$T/pumps/$1/source_name" && echo >"$T/pumps/$1/start" ||
        die "pump $1: $(cat "$T/pumps/last_error" "$T/pumps/$1/last_error" 2>/dev/null)"
}

make_drainer() { # name, the document on standard input
    { echo "name: $1"; cat; } >"$WORK/$1.yaml"
    cat "$WORK/$1.yaml" >"$T/drainers/create" || die "drainer $1: $(cat "$T/drainers/last_error")"
}

drainer_trouble() {
    { cat "$T/drainers/$1/status"; cat "$T"/pumps/*/status; tail -20 "$SLUICE_LOG"; } >&2
}

start_drainer() { echo >"$T/drainers/$1/start" || { cat "$T/drainers/$1/last_error" >&2; die "$1 does not start"; }; }

# Its pumps have stored what their sources have, and the drainer is past all that.
drained() { # drainer [seconds] -- SOURCE=SERVER...
    local d=$1 s=${2:-60} ts pair
    shift 2
    for pair; do relay_caught_up "${pair%=*}" "${pair#*=}"; done
    ts=$(cat "$T"/sources/*/relay/commit_ts | sort -n | tail -1)
    wait_for "$s" is_past "$d" "$ts" || { drainer_trouble "$d"; die "$d is at $(cat "$T/drainers/$d/last_ts"), not past $ts"; }
    [ "$(cat "$T/drainers/$d/state")" != error ] || { drainer_trouble "$d"; die "$d: $(cat "$T/drainers/$d/error")"; }
}
is_past() { [ "$(cat "$T/drainers/$1/last_ts")" -ge "$2" ] || [ "$(cat "$T/drainers/$1/state")" = error ]; }
drainer_is() { [ "$(cat "$T/drainers/$1/$2")" = "$3" ]; }
pump_is() { [ "$(cat "$T/pumps/$1/$2")" = "$3" ]; }
