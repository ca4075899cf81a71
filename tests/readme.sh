#!/bin/bash
# Runs the README's own command blocks, in order, in this folder (a fresh clone: see clone.sh), against
# real servers: only ports, the mount and the data folder are put in place of the README's.
set -u
. tests/lib/servers.sh; . tests/lib/compare.sh

start_mariadb src
start_mariadb dst
sql src "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(10,2));
    INSERT INTO orders SELECT seq, seq / 7 FROM seq_1_to_5000" || die "no data"
http=$(free_port)
mkdir -p "$WORK/sluice"
# What never ends by itself is given two seconds.
cat >"$WORK/blocks" <<'END'
set -e
for endless in watch tail inotifywait; do
    eval "$endless() { timeout 2 $endless \"\$@\" >/dev/null 2>&1 || [ \$? = 124 ]; }"
done
curl() { case " $* " in *" -N "*) timeout 2 curl "$@" || [ $? = 28 ] || [ $? = 124 ] || true ;; *) command curl -f "$@"; echo ;; esac; }
trap 'kill $! 2>/dev/null; wait; mountpoint -q /sluice && umount -l /sluice; :' EXIT
set -x
END
sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' >>"$WORK/blocks"
# $WORK itself has a /sluice in it
sed -i "s,/var/lib/sluice,@DATA@,g; s,/sluice\b,@MOUNT@,g; s,\b3306\b,$src_port,g; s,\b3307\b,$dst_port,g; s,\b8261\b,$http,g
    s,@DATA@,$WORK/data,g; s,@MOUNT@,$WORK/sluice,g" "$WORK/blocks"
export SLUICE_URL=http://127.0.0.1:$http
timeout 600 bash "$WORK/blocks" || die "a block of the README fails"
same_rows src dst shop
