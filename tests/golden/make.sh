#!/bin/sh
# Makes types/*.binlog anew from types/*.sql with the servers of this machine.
# usage: tests/golden/make.sh mariadb|mysql   (mysql: SID names a root folder with mysqld in it)
set -e
here=$(cd "$(dirname "$0")" && pwd)
which=$1
port=${PORT:-21001}
case $which in
mariadb)
    dir=$(mktemp -d /tmp/sluice-golden.XXXXXX)
    in= ; seen=$dir
    mariadb-install-db --no-defaults --user=root --datadir="$dir" --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null 2>&1
    server="mariadbd --no-defaults --innodb-buffer-pool-size=64M --innodb-log-file-size=16M" ; client=mariadb ;;
mysql)
    : "${SID:?the root folder of a system with MySQL}"
    dir=$(mktemp -d "$SID/tmp/sluice-golden.XXXXXX")
    in="chroot $SID" ; seen=${dir#"$SID"}
    $in mysqld --no-defaults --initialize-insecure --user=root --datadir="$seen/d" >/dev/null 2>&1
    server="mysqld --no-defaults --gtid-mode=ON --enforce-gtid-consistency=ON --mysqlx=OFF --innodb-buffer-pool-size=64M
        --innodb-redo-log-capacity=16M --performance-schema=OFF --secure-file-priv=" ; client=mysql ;;
*) echo "usage: $0 mariadb|mysql" >&2 ; exit 2 ;;
esac
data=$seen ; [ "$which" = mysql ] && data=$seen/d
$in $server --user=root --datadir="$data" --socket="$data/s" --pid-file="$data/pid" --bind-address=127.0.0.1 \
    --port="$port" --server-id=1 --log-bin=bin --binlog-format=ROW --character-set-server=utf8mb4 --skip-name-resolve \
    >"$dir/log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null; [ -s "$here/types/$which.binlog" ] || tail -5 "$dir/log"; rm -rf "$dir"' EXIT
for i in $(seq 100); do $in $client --no-defaults -uroot -S "$data/s" -e 'select 1' >/dev/null 2>&1 && break ; sleep 0.2 ; done
$in $client --no-defaults -uroot -S "$data/s" -e 'flush binary logs'
last=$(ls "${dir}${data#"$seen"}"/bin.0* | tail -1)
$in $client --no-defaults --default-character-set=utf8mb4 -uroot -S "$data/s" <"$here/types/$which.sql"
$in $client --no-defaults -uroot -S "$data/s" -e 'flush binary logs'
cp "$last" "$here/types/$which.binlog"
chmod 644 "$here/types/$which.binlog"
ls -l "$here/types/$which.binlog"
