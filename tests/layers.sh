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

# header, then the one folder that may include it
while read -r header dir; do
    for file in $(grep -rlE "^#include <$header>" daemon fs store http ctl --include='*.[ch]'); do
        case $file in "$dir"/*) ;; *) echo "$file must not include <$header>: only $dir/ does"; status=1 ;; esac
    done
done <<'END'
mysql\.h daemon/mysql
rocksdb/c\.h store
fuse.* fs
microhttpd\.h http
END
exit $status
