#!/bin/sh
# Fails on an #include that goes against layers.txt, or on a library header outside its folder.
status=0
cd "$(dirname "$0")/.." || exit 1
while read -r layer allowed; do
    case $layer in ''|'#'*) continue ;; esac
    dir=$layer; [ -d "daemon/$layer" ] && dir=daemon/$layer
    [ -d "$dir" ] || continue
    for inc in $(grep -rhoE '^#include "[a-z_]+/' "$dir" --include='*.[ch]' | sed 's/.*"//;s,/,,' | sort -u); do
        case " $layer $allowed " in *" $inc "*) ;; *) echo "$dir must not include $inc/"; status=1 ;; esac
    done
done < tests/layers.txt

# Rooms of unit/ that include each other.  One that has another's node below its own may know the
# other's outside.
rooms=$(grep -roE '^#include "unit/[a-z_]+/[a-z_]+\.h' daemon/unit/*/ --include='*.[ch]' |
    sed -E 's,^daemon/unit/([a-z_]+)/[^:]*:#include "unit/([a-z_]+)/(.*),\1 \2 \3,' | sort -u |
    grep -vE '^(source relay relay_unit|sync refill refill|task verify verify)\.h$' |
    awk '$1 != $2 { print $1, $2 }' | sort -u)
circle=$(echo "$rooms" | tsort 2>&1 >/dev/null) || { echo "rooms of daemon/unit in a circle: $circle"; status=1; }

# header, then the one folder that may include it
while read -r header dir; do
    for file in $(grep -rlE "^#include <$header>" daemon fs store http ctl --include='*.[ch]'); do
        case $file in "$dir"/*) ;; *) echo "$file must not include <$header>: only $dir/ does"; status=1 ;; esac
    done
done <<'END'
mysql\.h daemon/mysql
rocksdb/c\.h store
librdkafka/.*\.h daemon/sink
fuse.* fs
microhttpd\.h http
END
exit $status
