#!/bin/bash
# Makes types/*.binlog anew from types/*.sql with real servers.  usage: tests/golden/make.sh [mariadb|mysql]...
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/servers.sh
[ $# -gt 0 ] || set -- mariadb mysql
for k; do
    "start_$k" "$k" --sync-binlog=0 --character-set-server=utf8mb4 --binlog-checksum=CRC32 --server-id=1
    sql "$k" "FLUSH BINARY LOGS"
    eval "file=\$(ls \"\$${k}_dir\"/bin.0* | tail -1)"
    sql_file "$k" "tests/golden/types/$k.sql" || die "$k.sql failed"
    sql "$k" "FLUSH BINARY LOGS"
    install -m 644 "$file" "tests/golden/types/$k.binlog"
    note "tests/golden/types/$k.binlog: $(stat -c %s "tests/golden/types/$k.binlog") bytes, $(server_version "$k")"
done
