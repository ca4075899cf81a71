#!/bin/bash
# sluicectl: every verb over HTTP, a unix socket and the mounted tree; its exit codes; completion.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/tree.sh; . tests/lib/http.sh
MOUNT=$T start_http_treed 2500 "unix:$WORK/socket"
ctl=$SLUICE_BUILD/sluicectl
says() { # wanted command... : standard output, exactly
    local want=$1 out; shift
    out=$("$@") || die "'$*' failed: $out"
    [ "$out" = "$want" ] || die "'$*' says '$out' instead of '$want'"
}
ends() { # code part-of-stderr command...
    local want=$1 part=$2 out; shift 2
    out=$("$@" 2>&1 >/dev/null </dev/null); code=$?
    [ $code -eq "$want" ] || die "'$*' ended with $code instead of $want: $out"
    case $out in *"$part"*) ;; *) die "'$*' says '$out', without '$part'" ;; esac
}

for where in "--url $URL" "--url unix:$WORK/socket" "--mount $T"; do
    c="$ctl $where"
    # shellcheck disable=SC2086
    {
    says 7 $c get kinds/count
    [ "$($c get kinds | grep -P '^count\t')" = $'count\t7' ] || die "get of a directory"
    $c get kinds -o json | jq -e '.count == 7 and .flag == true' >/dev/null || die "get -o json"
    says $'items/item000000/rows\t0\nitems/item000001/rows\t0\nitems/item000002/rows\t0' $c get 'items/*/rows'
    $c set kinds/count 8 || die set; says 8 $c get kinds/count; echo 9 | $c set kinds/count || die "set from a pipe"
    says 9 $c get kinds/count; echo 7 >"$WORK/seven"; $c set -f "$WORK/seven" kinds/count; says 7 $c get kinds/count
    echo secret | $c set kinds/password || die "a secret"
    $c set kinds/text full; ends 1 'no value came' $c set kinds/text; says full $c get kinds/text; $c set kinds/text '' && says '' $c get kinds/text || die "an empty text"
    $c run kinds pause || die run; ends 1 'paused already' $c run kinds pause; $c run kinds resume || die resume
    $c run kinds echo "text=it's a; \$(text)" times=3 || die "run with words"; says "it's a; \$(text)" $c get kinds/text
    ends 1 'txet' $c run kinds echo text=a txet=b; ends 1 'from 1 to 100' $c set kinds/count 101
    $c create items/one || die create
    printf 'name: two\nrows: 4\n' | $c create -f - items || die "create -f - items"; says 4 $c get items/two/rows
    $c ls items | grep -qx one/ || die "ls"; $c ls items -o json | jq -e 'index("two")' >/dev/null || die "ls -o json"
    $c rm items/one items/two || die rm; ends 1 'one' $c rm items/one; ends 1 none_such $c get none_such
    says 2500 bash -c "$c ls many | grep -c /\$"
    $c schema -o json | jq -e '.types.kinds.actions | length == 5' >/dev/null || die schema
    $c top | grep -q kinds && die "top shows what is no collection"
    }
done

# A document without a path goes where its keys fit; what fits nowhere is a question.
printf 'name: three\nrows: 3\n' >"$WORK/three.yaml"
ends 2 'create -f' "$ctl" create -f "$WORK/three.yaml" # items and many fit as well

# Watching: a line for each change.
for where in "--url $URL" "--mount $T"; do
    : >"$WORK/watched"
    # shellcheck disable=SC2086
    timeout 20 $ctl $where watch kinds -n 2 >"$WORK/watched" & watcher=$!
    wait_for 5 grep -q count=7 "$WORK/watched" || die "watch does not begin with what is"
    "$ctl" set kinds/count 11 || die set
    wait "$watcher" || die "watch $where"
    grep -qE '^[0-9:]{8} kinds .*count=11' "$WORK/watched" || die "watch: $(cat "$WORK/watched")"
    "$ctl" set kinds/count 7
done
: >"$WORK/watched"
timeout 20 "$ctl" -o json watch items -n 2 >"$WORK/watched" & watcher=$!
wait_for 5 test -s "$WORK/watched"; "$ctl" create items/seen; wait "$watcher" || die "watch -o json"
tail -1 "$WORK/watched" | jq -e '.event == "create" and .path == "items/seen"' >/dev/null || die "$(cat "$WORK/watched")"

# Exit codes: 2 for what was typed wrong, 3 for a daemon that is not there.
ends 2 help "$ctl" no_such_verb; ends 2 get "$ctl" get; ends 2 run "$ctl" run kinds; ends 2 xml "$ctl" -o xml ls
ends 2 '' "$ctl" --no-such-option; ends 2 'no URL' "$ctl" --url ftp://x ls; ends 2 '' "$ctl"
ends 3 'cannot reach' "$ctl" --url http://127.0.0.1:1 ls; ends 3 'cannot reach' "$ctl" --url unix:/none ls
ends 3 'no sluice tree' "$ctl" --mount /tmp ls; ends 3 'cannot reach' "$ctl" --url http://127.0.0.1:1 top
"$ctl" --help | grep -q 'Exit status' || die help; "$ctl" help >/dev/null || die help; "$ctl" --version >/dev/null || die version

# On a terminal: tables; top draws in place and q ends it.
typescript() { script -qec "stty cols 100 rows 30; $1" /dev/null; }
typescript "$ctl ls kinds" | grep -q 'Actions.*sluicectl run' || die "ls on a terminal"
typescript "$ctl ls kinds" | awk '{ if (length($0) > 180) exit 1 }' || die "a line is wider than the terminal"
(sleep 1; printf q) | typescript "$ctl top -d 0.2" >"$WORK/top"; grep -q 'q quits' "$WORK/top" || die "top"
grep -q $'\033\\[?1049l' "$WORK/top" || die "top left the screen as it was not"

# Completion learns from the daemon.
complete_words() { "$ctl" complete "$@" | sort | tr '\n' ' '; }
says 'schema set ' complete_words s
says 'kinds/ ' complete_words get ki; says 'kinds/count ' complete_words get kinds/cou
says 'kinds/password ' complete_words set kinds/pa; says '' complete_words get kinds/pa
says 'pause ' complete_words run kinds pa; says 'text= times= ' complete_words run kinds echo t
says 'new paused running ' complete_words set kinds/choice ''; says 'items/item000001/ ' complete_words rm items/item000001
bash -c '. packaging/completion/sluicectl; COMP_WORDS=("$1" run kinds re); COMP_CWORD=3; _sluicectl; [ "${COMPREPLY[*]}" = resume ]' - "$ctl" || die "bash completion"
SLUICE_URL=http://127.0.0.1:1 "$ctl" complete get x || die "completion without a daemon"
echo PASS
