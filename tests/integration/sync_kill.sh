#!/bin/bash
# kill -9 of the sync unit alone, at random moments while a writer commits: every pair of flavours ends equal.
#
# KILLS (12; 16 in parallel mode) per pair; SEED repeats a run; PAIRS="mariadb:mariadb:parallel mysql:mysql ...".
# labels: long
set -u
SLUICE_BUILD=${SLUICE_BUILD:-build/release}
. tests/lib/servers.sh; . tests/lib/compare.sh
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
note "seed $SEED"

gtids() { sql "$1" "SELECT $([ "$2" = mysql ] && echo @@gtid_executed || echo @@gtid_binlog_pos)" | tr -d '\n'; }
driver() { # option...: one run of it in the background
    "$SLUICE_BUILD/sync_run" "$src_port" "$dst_port" do=wr store="$WORK/store" mode="$mode" threads=4 batch="$batch" "$@" >"$WORK/out" 2>>"$WORK/log" &
    driver=$!
}
pause() { sleep "$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", 0.02 + r / 32768 * 0.6 }')"; } # the random moment

try_pair() { # source flavour, target flavour, mode
    local k start mode=$3 kills=${KILLS:-12} batch=0
    [ "$mode" = parallel ] && kills=${KILLS:-16} batch=20 # small ones: many are under way at each kill
    "start_$1" src; "start_$2" dst
    sql src "CREATE DATABASE wr"; sql dst "CREATE DATABASE wr"
    start=$(gtids src "$1")
    "$SLUICE_BUILD/writer" "$src_port" wr $((SEED + 1)) 0 300 $([ "$1" = "$2" ] && echo ddl) >"$WORK/writer.out" 2>&1 &
    writer=$!
    at_exit 'kill $writer $driver 2>/dev/null'
    for k in $(seq "$kills"); do
        driver start="$start"
        pause
        kill -0 "$driver" 2>/dev/null || { cat "$WORK/out"; tail -5 "$WORK/log"; die "$1 to $2: it stopped by itself"; }
        kill -9 "$driver"; wait "$driver" 2>/dev/null
    done
    kill "$writer"; wait "$writer" 2>/dev/null
    driver start="$start" until="$(gtids src "$1")"
    wait_for 120 eval "! kill -0 $driver" || { tail -5 "$WORK/log"; die "$1 to $2: it does not catch up"; }
    wait "$driver" || { cat "$WORK/out"; tail -5 "$WORK/log"; die "$1 to $2"; }
    same_rows src dst wr || { tail -5 "$WORK/log"; die "$1 to $2: $mode: the ends differ after $kills kills, seed $SEED"; }
    note "$1 to $2, $mode: $kills kills, $(cat "$WORK/writer.out") transactions; $(cut -d' ' -f4-9 "$WORK/out")"
    kill_server src; kill_server dst; rm -rf "$src_dir" "$dst_dir" "$WORK/store" "$WORK/log"; SERVERS=""
}

for pair in ${PAIRS:-mariadb:mariadb mysql:mysql mariadb:mysql mysql:mariadb mariadb:mariadb:parallel mysql:mysql:parallel}; do
    IFS=: read -r from to mode <<<"$pair"
    try_pair "$from" "$to" "${mode:-merged}"
done
