# tree.sh - a treed (tests/tree/treed.c) of one's own, mounted at $T.  Source me after servers.sh.
#
#     start_treed [children]    # sets T and treed_pid
#     expect_errno EBUSY command...     # the command's last word on standard error names the errno
#     expect_sentence kinds 'paused already'

SLUICE_BUILD=${SLUICE_BUILD:-build/release}
treed=$SLUICE_BUILD/treed
T=$WORK/tree
treed_pid=""

[ -c /dev/fuse ] || die "there is no /dev/fuse here"
[ "$(id -u)" -eq 0 ] || die "these tests mount as root"

start_treed() {
    mkdir -p "$WORK"
    : >"$WORK/treed.out" # what the one before said is not taken for this one's word
    $treed "$T" "${1:-100}" >"$WORK/treed.out" 2>>"$WORK/treed.log" &
    treed_pid=$!
    for _ in $(seq 600); do
        grep -q mounted "$WORK/treed.out" && { at_exit stop_treed_quietly; return 0; }
        kill -0 "$treed_pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$WORK/treed.log" >&2
    return 1
}
stop_treed() { kill "$treed_pid" 2>/dev/null && wait "$treed_pid"; }
stop_treed_quietly() {
    stop_treed 2>/dev/null
    left_behind "$T" "$WORK/treed.log"
}

expect_errno() { # text of the errno, command...
    local want=$1 out; shift
    out=$("$@" 2>&1) && die "accepted: ${*:0:200}"
    case $out in *"$want"*) ;; *) die "'$*' said '$out', not '$want'" ;; esac
}
write_to() { printf '%s\n' "$2" 2>&1 >"$1"; } # FILE value
# A document is applied when it is closed.  Bash does not look at what close says; cat does.
write_document() { printf '%s\n' "$2" | cat 2>&1 >"$1"; }
expect_sentence() { # directory, part of the sentence
    grep -qF -- "$2" "$T/$1/last_error" || die "last_error of $1 is '$(cat "$T/$1/last_error")', without '$2'"
}
equal() { # what it is, got, wanted
    [ "$2" = "$3" ] || die "$1: got '$2', wanted '$3'"
}
