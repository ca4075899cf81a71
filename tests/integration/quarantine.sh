#!/bin/bash
# on_error: quarantine sets one table aside when it fails; the others go on, and a release catches it up.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh

start_mariadb src
start_mariadb dst
sql src "CREATE DATABASE q; USE q; CREATE TABLE good (id INT PRIMARY KEY, v INT); CREATE TABLE bad (id INT PRIMARY KEY, v INT);
    INSERT INTO good VALUES (1, 1); INSERT INTO bad VALUES (1, 1), (2, 2)"
start_sluice
make_source s1 src && make_task q s1 dst q <<<'on_error: quarantine' && echo >"$T/tasks/q/start" || die "$(cat "$T/tasks/q/last_error")"
caught_up q src

sql dst "DELETE FROM q.bad WHERE id = 2" # somebody meddles with the target
sql src "UPDATE q.bad SET v = 20 WHERE id = 2; INSERT INTO q.good VALUES (2, 2); INSERT INTO q.bad VALUES (3, 3); INSERT INTO q.good VALUES (3, 3)"
good() { [ "$(sql dst 'SELECT COUNT(*) FROM q.good')" = 3 ]; }
wait_for 60 good || { task_trouble q; die "the good table stands still"; }
[ "$(sql dst 'SELECT COUNT(*) FROM q.bad')" = 1 ] || die "the bad table went on without its row"
grep -rq 'q.bad' "$T/tasks/q/status" "$T/tasks/q/sources/s1/sync/status" || { task_trouble q; die "nobody says that q.bad is set aside"; }

sql dst "INSERT INTO q.bad VALUES (2, 2)" # mended
echo 'table=q.bad' >"$T/tasks/q/sources/s1/sync/release" || die "release: $(cat "$T/tasks/q/sources/s1/sync/last_error")"
sql src "INSERT INTO q.bad VALUES (4, 4)"
caught_up q src
equal() { same_rows src dst q >/dev/null; }
wait_for 60 equal || { same_rows src dst q; task_trouble q; die "the ends differ after the release"; }
