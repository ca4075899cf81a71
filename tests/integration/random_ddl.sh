#!/bin/bash
# A thousand random transactions with DDL in between, on each flavour and in each way to apply; compared.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
SEED=${SEED:-$RANDOM}
note "seed $SEED"

follow() { # source target apply_mode
    local task="ddl-$1-$2-$3" db="wr_${3//-/_}"
    "$SLUICE_BUILD/writer" "$(eval echo \$"$1"_port)" "$db" "$SEED" 100 0 ddl || die "writer"
    make_task "$task" "$1" "$2" "$db" <<<"apply_mode: $3" || die "task: $(cat "$T/tasks/last_error")"
    echo >"$T/tasks/$task/start" || { task_trouble "$task"; die "no start"; }
    "$SLUICE_BUILD/writer" "$(eval echo \$"$1"_port)" "$db" $((SEED + 1)) 1000 0 ddl || die "writer"
    caught_up "$task" "$1" 300
    same_rows "$1" "$2" "$db" || { task_trouble "$task"; die "$task: the ends differ, seed $SEED"; }
    echo >"$T/tasks/$task/stop"
}

start_mariadb ma; start_mariadb mb
start_mysql ya; start_mysql yb
start_sluice
make_source ma ma && make_source ya ya || die "source: $(cat "$T/sources/last_error")"
for mode in merged one-to-one parallel; do
    follow ma mb $mode
    follow ya yb $mode
done
