#!/bin/bash
# Ten journals in one daemon, more than the store has families of their own: each has the binlog byte for byte, also after
# kill -9 and after others were deleted; no two of them give the same commit_ts.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/relay.sh

start_mariadb src
start_sluice
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, b BLOB)"
put() { sql src "USE d; INSERT INTO t (b) SELECT RANDOM_BYTES(2000) FROM seq_1_to_$1"; }
names=$(seq -f 's%g' 10)
for s in $names; do make_source "$s" src && echo >"$T/sources/$s/relay/start" || die "$(cat "$T/sources/$s/relay/last_error")"; done
put 500; put 500; sql src "FLUSH BINARY LOGS"; put 300
for s in $names; do relay_caught_up "$s" src; done

note "commit_ts"
cat "$T"/sources/*/relay/commit_ts | sort | uniq -d | grep -q . && die "two journals have the same commit_ts: $(cat "$T"/sources/*/relay/commit_ts)"

note "kill -9 under load, two deleted, one made anew"
(for _ in 1 2 3 4 5 6; do put 400; done) & writer=$!
sleep 0.4; kill_sluice; restart_sluice
for s in s3 s7; do
    echo >"$T/sources/$s/relay/stop" && rmdir "$T/sources/$s" || die "$s: $(cat "$T/sources/last_error" "$T/sources/$s/relay/last_error")"
done
kill_sluice; restart_sluice
make_source s7 src && echo >"$T/sources/s7/relay/start" || die "s7 again"
wait $writer || die "the writer failed"
sql src "FLUSH BINARY LOGS"
names=$(echo "$names" | grep -vx s3)
for s in $names; do relay_caught_up "$s" src; done
stop_sluice
n=0
for s in $names; do
    stored_files "$s" "$WORK/stored" >/dev/null || die "$s cannot be read"
    for f in "$WORK"/stored/*; do
        [ "$(basename "$f")" = "$(source_end src | cut -d' ' -f1)" ] && continue
        [ -z "$(cmp -l "$src_dir/$(basename "$f")" "$f" 2>&1 | grep -vE '^ *22 +1 +0$')" ] || die "$s: $(basename "$f") differs"
        n=$((n + 1))
    done
done
[ "$n" -ge 18 ] || die "only $n files were compared"
note "$n files of nine journals are equal byte for byte"
restart_sluice
