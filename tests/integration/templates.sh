#!/bin/bash
# Templates: made by files and HTTP, refused, masked, kept over kill -9, imported from tasks, made into tasks
# with the password that was in them, removed.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh

start_sluice
t=$T/templates
cat >"$WORK/a.yaml" <<'END'
name: a
task_mode: full
target_config: { host: 192.0.2.1, port: 3307, user: u, password: hush-hush }
table_migrate_rule: [ { source: { source_name: nobody, schema: "d*", table: "" } } ]
source_config: { source_conf: [ { source_name: nobody } ] }
END
cat "$WORK/a.yaml" >"$t/create" || die "$(cat "$t/last_error")"
cat "$WORK/a.yaml" 2>/dev/null >"$t/create" && die "made twice"
grep -q "a exists already" "$t/last_error" || die "$(cat "$t/last_error")"
mkdir "$t/b" && sed 's/name: a/name: b/; s/full/fuller/' "$WORK/a.yaml" >"$WORK/b.yaml"
cp "$WORK/b.yaml" "$t/b/config" 2>/dev/null && die "task_mode fuller was taken"
grep -q "'fuller' is none of" "$t/b/last_error" || die "$(cat "$t/b/last_error")"
sed -i s/fuller/full/ "$WORK/b.yaml"; cp "$WORK/b.yaml" "$t/b/config" || die "$(cat "$t/b/last_error")"
grep -rq hush "$t" 2>/dev/null && die "a password shows"
grep -q "password: '\*\*\*\*\*\*'" "$t/a/config" || die "$(cat "$t/a/config")"
cp "$t/a/config" "$WORK/again.yaml" && cp "$WORK/again.yaml" "$t/a/config" || die "what it shows is not what it takes"
rmdir "$t/b" && [ ! -e "$t/b" ] || die "rmdir"
kill_sluice; grep -rqa hush-hush "$WORK/data" && die "a password is on disk in clear text"; restart_sluice
[ "$(ls -d "$t"/*/)" = "$t/a/" ] || die "after a restart: $(ls "$t")"

echo name=of_a 2>/dev/null >"$t/a/make" && die "a task of a source that is not there"
grep -q "there is no source nobody" "$t/a/last_error" || die "$(cat "$t/a/last_error")"
mkdir "$T/sources/nobody" && echo name=of_a >"$t/a/make" || die "$(cat "$t/a/last_error")"
[ "$(cat "$T/tasks/of_a/target/host") $(cat "$T/tasks/of_a/task_mode")" = "192.0.2.1 full" ] || die "$(cat "$T/tasks/of_a/config")"
grep -q "password: '\*\*\*\*\*\*'" "$T/tasks/of_a/config" || die "the password was lost on the way"

mkdir "$T/tasks/draft"; echo >"$t/import" || die "$(cat "$t/last_error")"
[ "$(jq -c . "$t/last_import")" = '{"success_task_list":["of_a","draft"],"failed_task_list":[]}' ] || die "$(cat "$t/last_import")"
echo 192.0.2.9 >"$T/tasks/of_a/target/host"; echo >"$t/import"
[ "$(jq -c '[.success_task_list, (.failed_task_list | map(.task_name + ": " + .error_msg))]' "$t/last_import")" = \
    '[[],["of_a: template of_a exists already","draft: template draft exists already"]]' ] || die "$(cat "$t/last_import")"
grep -q "192.0.2.1\b" "$t/of_a/config" || die "overwritten without a word"
echo overwrite=true >"$t/import"; grep -q "192.0.2.9\b" "$t/of_a/config" || die "$(cat "$t/last_import" "$t/of_a/config")"
[ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$URL/v1/templates/of_a")" = 204 ] && [ ! -e "$t/of_a" ] || die DELETE
curl -s -o /dev/null -X PUT -H 'Content-Type: application/yaml' --data-binary "@$WORK/b.yaml" "$URL/v1/templates/b"
curl -s "$URL/v1/templates/b/config" | grep -q '"task_mode": *"full"\|task_mode: full' || die "PUT: $(curl -s "$URL/v1/templates/b/config")"
echo OK
