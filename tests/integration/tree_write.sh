#!/bin/bash
# Writing to files, with every tool that people use: values, actions, documents.
# labels: asan tsan
set -u
. tests/lib/servers.sh; . tests/lib/tree.sh
start_treed || die "no treed"
K=$T/kinds
commands() { cat "$K/commands"; }

# Values: one write, one command, with the errno inside write(2).
echo 42 >"$K/count" || die "count"
equal count "$(cat "$K/count")" 42
printf 43 >"$K/count" && equal "without newline" "$(cat "$K/count")" 43
echo 64M >"$K/bytes" && equal bytes "$(cat "$K/bytes")" 67108864
echo 5m >"$K/seconds" && equal seconds "$(cat "$K/seconds")" 300
echo off >"$K/flag" && equal flag "$(cat "$K/flag")" false
echo >"$K/text" && equal "empty text" "$(cat "$K/text")" ""
echo paused >"$K/choice" && equal choice "$(cat "$K/choice")" paused
echo '[1, {"a": null}]' >"$K/json" && equal json "$(jq -c . "$K/json")" '[1,{"a":null}]'
expect_errno "Invalid argument" write_to "$K/count" 101;     expect_sentence kinds "from 1 to 100"
expect_errno "Invalid argument" write_to "$K/count" many
expect_errno "Invalid argument" write_to "$K/count" ""
expect_errno "Invalid argument" write_to "$K/choice" pausd;  expect_sentence kinds "did you mean paused?"
expect_errno "Invalid argument" write_to "$K/time" yesterday
expect_errno "Invalid argument" write_to "$K/json" "{"
expect_errno "File too large" write_to "$K/text" "$(printf '%5000s')"
expect_errno "Permission denied" write_to "$K/state" new
expect_errno "Permission denied" cat "$K/password"
equal "nothing changed" "$(cat "$K/count") $(cat "$K/choice") $(cat "$K/seconds")" "43 paused 300"

# Actions.
n=$(commands)
: >"$K/pause";                    equal ": > pause does nothing" "$(commands)" "$n"
truncate -s 0 "$K/pause";         equal "truncate does nothing" "$(commands)" "$n"
echo >"$K/pause" || die "pause";  equal state "$(cat "$K/state")" paused
expect_errno "Device or resource busy" write_to "$K/pause" "";  expect_sentence kinds "it is paused already"
expect_errno "Invalid argument" write_to "$K/pause" "now=1";    expect_sentence kinds "takes no arguments"
expect_errno "Invalid argument" write_to "$K/echo" "";          expect_sentence kinds "text is missing"
expect_errno "Invalid argument" write_to "$K/echo" "txt=1";     expect_sentence kinds "did you mean text?"
expect_errno "Invalid argument" write_to "$K/echo" "text='x";   expect_sentence kinds "not closed"
expect_errno "Invalid argument" write_to "$K/echo" "text=x times=10"
echo "text='two words' times=2 key=hush" >"$K/echo" && equal words "$(cat "$K/text")" "two words"
echo '{"text": "as JSON"}' >"$K/echo" && equal JSON "$(cat "$K/text")" "as JSON"
echo hush >"$K/password" || die "password"
grep -q hush "$T/audit" && die "a secret is in the audit"
grep -q '"what":"set \*\*\*\*\*\*"' "$T/audit" || die "the password's change is not in the audit"

# What can be written changes by writing alone: an editor asks, before it saves, whether its file changed.
mtime() { stat -c %.Y "$1"; }
was=$(mtime "$K/config"); state_was=$(mtime "$K/state")
expect_errno "Invalid argument" write_to "$K/count" many # last_error has changed
equal "a refusal" "$(mtime "$K/config")" "$was"; [ "$(mtime "$K/state")" != "$state_was" ] || die "state is as old as before"
echo 43 >"$K/count"; [ "$(mtime "$K/config")" != "$was" ] || die "a setting changed, and config is as old as before"

# What an action waits for stalls nobody else.
ls_and_cat() { ls "$K"; cat "$K/state"; ls -l "$T"; }
alone=$(ms_of ls_and_cat)
echo >"$K/slow" & slow=$!
sleep 0.2
not_held_up "$alone" ls_and_cat
wait $slow || die "slow failed"

# A document of 300 KB, through every tool: applied once, whole, when the file is closed.
doc=$WORK/doc.json
jq -nc '{name: "big", list: [range(16000) | "item \(.) of many"]}' >"$doc"
[ "$(stat -c %s "$doc")" -gt 300000 ] || die "the document is too small"
was_applied() { # by what
    local now; now=$(commands)
    equal "$1 applied it once" "$now" $((n + 1)); n=$now
    cmp -s "$WORK/first" "$K/config" || die "$1 wrote something else"
    echo 'name: other' >"$K/config"; n=$((n + 1))
}
n=$(commands)
cp "$doc" "$K/config" || die cp
cp "$K/config" "$WORK/first"; grep -q 'item 15999 of many' "$WORK/first" || die "the document is cut"
was_applied cp
cat "$doc" >"$K/config" && was_applied cat
jq . "$doc" >"$K/config" && was_applied jq
tee "$K/config" <"$doc" >/dev/null && was_applied tee
dd if="$doc" of="$K/config" bs=512 status=none && was_applied dd
dd if="$doc" of="$K/config" bs=64k conv=fsync status=none && was_applied "dd conv=fsync"
text=$(cat "$doc")
printf '%s\n' "$text" >"$K/config" && was_applied printf
cat "$WORK/first" >"$K/config" && was_applied "its own YAML"
{ cat "$WORK/first"; echo '# a comment'; } | tee "$K/config" >/dev/null && was_applied "YAML with a comment"
expect_errno "Invalid argument" cp <(head -c 1000 "$doc") "$K/config"
expect_errno "Invalid argument" write_document "$K/config" "bad: 1"
equal "nothing changed" "$(cat "$K/config")" "name: other"
expect_errno "File too large" dd if=/dev/zero of="$K/config" bs=1M count=65 status=none
equal "nothing changed" "$(cat "$K/config")" "name: other"
equal "commands" "$(commands)" "$n"

# Directories, and what cannot be made.
mkdir "$T/items/x" && [ -f "$T/items/x/rows" ] || die mkdir
expect_errno "File exists" mkdir "$T/items/x"
expect_errno "Invalid argument" mkdir "$T/items/create_not%"
expect_errno "Invalid argument" mkdir "$T/items/.hidden";  expect_sentence items "%2E"
mkdir "$T/items/%2Ehidden" && rmdir "$T/items/%2Ehidden" || die "%2Ehidden"
mkdir "$T/items/busy"; expect_errno "Device or resource busy" rmdir "$T/items/busy"; expect_sentence items/busy "pause it first"
expect_errno "Not a directory" rmdir "$T/items/x/rows"
echo '{"name": "y", "rows": 7}' >"$T/items/create" && equal "create" "$(cat "$T/items/y/rows")" 7
expect_errno "Invalid argument" write_document "$T/items/create" '{"name": "z"}'; expect_sentence items "rows: a number"
[ -e "$T/items/z" ] && die "z is there"
rmdir "$T/items/x" "$T/items/y" || die rmdir
[ -e "$T/items/x" ] && die "x is still there"
expect_errno "Operation not permitted" mkdir "$T/kinds/x"
expect_errno "Operation not permitted" write_to "$K/stat" 1;   expect_sentence kinds "did you mean state?"
expect_errno "Operation not permitted" rm "$K/state"
expect_errno "Operation not permitted" mv "$K/count" "$K/kount"
expect_errno "Operation not permitted" ln -s x "$K/y"
touch "$K/state" && chmod 600 "$K/state" && chown 1 "$K/state" || die "touch, chmod and chown are accepted"
equal "without effect" "$(stat -c '%a %u' "$K/state")" "444 0"
cp -p "$K/count" "$WORK/count" && cp -p "$WORK/count" "$K/count" || die "cp -p"
equal "the link" "$(cat "$T/link/state")" paused
note "$(commands) writes arrived; every refusal had its errno and its sentence"
