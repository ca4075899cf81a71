#!/bin/bash
# Bad configuration, positions, JSON, YAML, and huge writes to every file: a clear error, nothing changed.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh

start_mariadb src
start_sluice
make_source s1 src || die "source: $(cat "$T/sources/last_error")"
make_task t s1 src nothing </dev/null || die "task: $(cat "$T/tasks/last_error")"

snapshot() { for f in "$T"/sources/s1/config "$T"/tasks/t/config "$T"/tasks/t/state; do cat "$f"; done; ls "$T/tasks" "$T/sources"; }
before=$(snapshot)

refused() { # what it is, file, content on standard input: must fail, with a sentence, and change nothing
    local what=$1 file=$2 dir
    cat >"$WORK/in"
    dir=$(dirname "$file")
    cat "$WORK/in" >"$file" 2>/dev/null && die "accepted: $what"
    [ -n "$(cat "$dir/last_error")" ] || die "$what: no sentence in $dir/last_error"
    [ "$(snapshot)" = "$before" ] || { diff <(echo "$before") <(snapshot); die "$what changed something"; }
    tried=$((tried + 1))
}
tried=0
refused "broken JSON" "$T/tasks/create" <<<'{"name": "x", '
refused "broken YAML" "$T/tasks/create" <<<$'name: x\n  task_mode: [all'
refused "a YAML bomb" "$T/tasks/create" <<<$'a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]'
refused "an unknown key" "$T/tasks/t/config" <<<'task_mod: all'
grep -q 'task_mode' "$T/tasks/t/last_error" || die "no did-you-mean for task_mod: $(cat "$T/tasks/t/last_error")"
refused "another name" "$T/tasks/t/config" <<<'name: other'
refused "an unknown mode" "$T/tasks/t/config" < <(sed 's/task_mode:.*/task_mode: some/' "$WORK/t.yaml")
refused "an unknown source" "$T/tasks/create" < <(sed 's/name: t$/name: t2/; s/source_name: s1/source_name: nosuch/' "$WORK/t.yaml")
refused "a bad GTID" "$T/tasks/create" < <(sed 's/name: t$/name: t2/; s/task_mode:.*/task_mode: incremental/; s/{ source_name: s1 } \]/{ source_name: s1, binlog_gtid: "not a gtid" } ]/' "$WORK/t.yaml")
refused "a negative position" "$T/tasks/create" < <(sed 's/name: t$/name: t2/; s/task_mode:.*/task_mode: incremental/; s/{ source_name: s1 } \]/{ source_name: s1, binlog_name: bin.000001, binlog_pos: -4 } ]/' "$WORK/t.yaml")
refused "a port out of range" "$T/sources/s1/port" <<<70000
refused "a port that is no number" "$T/sources/s1/port" <<<mysql
refused "a bad regular expression" "$T/tasks/create" < <(sed 's/name: t$/name: t2/; s/schema: "nothing"/schema: "~(((("/' "$WORK/t.yaml")
printf '\377\376\000' >"$WORK/binary"
refused "bytes that are no text" "$T/tasks/create" <"$WORK/binary"

# A document is whole when it is closed, and there bash's own echo does not look: an event tells, cp and cat fail.
said() { grep -q '"path":"tasks/t","event":"refused","file":"config","error":"task_mode: .*'"$1" "$T/${2:-}events" && grep -q "$1" "$T/tasks/t/last_error"; }
echo 'task_mode: by_echo' >"$T/tasks/t/config"; said by_echo && said by_echo tasks/t/ || die "no event: $(tail -1 "$T/events")"
echo 'task_mode: by_cp' >"$WORK/bad.yaml"
cp "$WORK/bad.yaml" "$T/tasks/t/config" 2>"$WORK/err" && die "cp of a bad document"
grep -q "Invalid argument" "$WORK/err" && said by_cp || die "cp says $(cat "$WORK/err")"
cat "$WORK/bad.yaml" 2>"$WORK/err" >"$T/tasks/t/config" && die "cat of a bad document"
grep -q "Invalid argument" "$WORK/err" || die "cat says $(cat "$WORK/err")"
[ "$(snapshot)" = "$before" ] || die "refused, and something changed"

# Positions that the server does not have: refused when the task starts, by name.
for start in "binlog_name: bin.999999, binlog_pos: 4" "binlog_gtid: 0-1-99999999"; do
    sed "s/name: t\$/name: p/; s/task_mode:.*/task_mode: incremental/; s/{ source_name: s1 } \\]/{ source_name: s1, $start } ]/" "$WORK/t.yaml" >"$T/tasks/create" ||
        die "task p: $(cat "$T/tasks/last_error")"
    if echo >"$T/tasks/p/start" 2>/dev/null; then
        wait_for 60 state_is p error || { task_trouble p; die "a start from $start goes on"; }
        [ -n "$(cat "$T/tasks/p/error")" ] || die "no sentence for $start"
        note "$start: $(cat "$T/tasks/p/error")"
    else
        note "$start: $(cat "$T/tasks/p/last_error")"
    fi
    echo >"$T/tasks/p/stop" 2>/dev/null; wait_for 20 rmdir "$T/tasks/p" || die "rmdir p"
    tried=$((tried + 1))
done

# Huge writes to every writable file: an error or no effect, never a hang or a crash.
head -c 1000000 /dev/zero | tr '\0' 'x' >"$WORK/huge"
while read -r file; do
    case $file in */shutdown) continue ;; esac
    timeout 20 dd if="$WORK/huge" of="$file" bs=1000000 conv=notrunc 2>/dev/null && die "a megabyte of x was accepted by $file"
    tried=$((tried + 1))
done < <(find "$T" -type f -perm /200)
[ "$(snapshot)" = "$before" ] || { diff <(echo "$before") <(snapshot); die "huge writes changed something"; }
sluice_up || die "sluiced is gone"
note "$tried bad writes refused"
