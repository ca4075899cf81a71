# http.sh - asking a treed or a sluiced over HTTP.  Source me after servers.sh.
#
#     start_http_treed [children [more listeners...]]   # no mount unless MOUNT is set; sets URL
#     expect 409 PUT tasks/x/host db1 [curl options...] # status; the body is in $body, headers in $head
#     has 'sentence'                                    # the last body has it
#
# Source tree.sh too for a mount.

SLUICE_BUILD=${SLUICE_BUILD:-build/release}
body="" head="" status=""

start_http_treed() {
    local n=${1:-100}
    mkdir -p "$WORK"
    treed_port=$(free_port)
    URL=http://127.0.0.1:$treed_port
    export SLUICE_URL=$URL
    [ $# -gt 0 ] && shift
    : >"$WORK/treed.out"
    "$SLUICE_BUILD/treed" "${MOUNT:--}" "$n" "127.0.0.1:$treed_port" "$@" >"$WORK/treed.out" 2>>"$WORK/treed.log" &
    treed_pid=$!
    at_exit stop_http_treed
    wait_for 30 grep -q mounted "$WORK/treed.out" || { cat "$WORK/treed.log" >&2; die "no treed"; }
}
stop_http_treed() {
    kill "$treed_pid" 2>/dev/null && wait "$treed_pid" 2>/dev/null
    [ -z "${MOUNT:-}" ] || ! grep -q " $MOUNT " /proc/self/mountinfo || umount -l "$MOUNT"
    ! grep -nE 'Sanitizer|runtime error:' "$WORK/treed.log"
}
ask() { # METHOD path body [curl options...]: sets status, body, head
    local method=$1 path=$2 data=$3; shift 3
    set -- -s -X "$method" -o "$WORK/body" -D "$WORK/head" -w '%{http_code}' "$@"
    [ -z "$data" ] || set -- "$@" --data-binary "$data"
    : >"$WORK/body"
    status=$(curl "$@" "${BASE:-$URL}$path")
    body=$(tr -d '\0' <"$WORK/body"); head=$(tr -d '\r' <"$WORK/head")
}
expect() { # status METHOD path body [curl options...]
    local want=$1; shift
    ask "$@"
    [ "$status" = "$want" ] || die "$1 $2: $status instead of $want: $body"
}
has() { case $body in *"$1"*) ;; *) die "'$1' is not in: $body" ;; esac; }
is() { [ "$body" = "$1" ] || die "'$body' instead of '$1'"; }
