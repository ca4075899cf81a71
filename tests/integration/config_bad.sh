#!/bin/bash
# Bad settings, wherever they are given: the file and line, a guess at what was meant, exit code 2.
set -u
sluiced=${SLUICE_BUILD:-build/release}/sluiced
WORK=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
die() { echo "FAIL: $*" >&2; exit 1; }
tried=0

refused() { # expected line, flag...
    local expected=$1 status; shift
    "$sluiced" --data "$WORK/data" "$@" >"$WORK/out" 2>&1
    status=$?
    [ $status -eq 2 ] || die "exit code $status, not 2, for $expected: $(cat "$WORK/out")"
    grep -qxF -- "$expected" "$WORK/out" || die "expected: $expected; got: $(cat "$WORK/out")"
    [ ! -e "$WORK/data" ] || die "started in spite of $expected"
    tried=$((tried + 1))
}
file() { printf "$1" >"$WORK/c.yaml"; }

file 'data: /x\nlisen: [a]\nlog_level: loud\n'
refused "$WORK/c.yaml:2: no setting 'lisen': did you mean listen?" --config "$WORK/c.yaml"
refused "$WORK/c.yaml:3: 'loud' is none of debug, info, warn, error" --config "$WORK/c.yaml"
refused "$WORK/c.yaml:3: 'loud' is none of debug, info, warn, error" --check-config --config "$WORK/c.yaml"
file 'mode: 999\nmount: [a, b]\nhttp_threads: 0\n'
refused "$WORK/c.yaml:1: '999' is no octal file mode" --config "$WORK/c.yaml"
refused "$WORK/c.yaml:2: mount takes one value" --config "$WORK/c.yaml"
refused "$WORK/c.yaml:3: 0 is not between 1 and 64" --config "$WORK/c.yaml"
file 'data: "/x\n'
"$sluiced" --config "$WORK/c.yaml" 2>&1 | grep -q "c.yaml:[0-9]*: this is no YAML" || die "broken YAML"
refused "/nonexistent: cannot be read: No such file or directory" --config /nonexistent
refused "--mont: no such flag: did you mean --mount?" --mont /x
refused "--http-max-body: '12 apples' is no number of bytes (4096, 64K, 64M, 1G)" --http-max-body '12 apples'
refused "group: there is no group 'no-such-group'" --group no-such-group
refused "facades: 'kingbuss=127.0.0.1:9595': 'kingbuss' is no system: there are dm, kingbus, pump, drainer, and v1, the tree" --check-config --facades kingbuss=127.0.0.1:9595
refused "facades: cannot listen on '9595': it is HOST:PORT, [IPV6]:PORT or unix:PATH" --check-config --facades kingbus=9595
refused "facades: 'pump=127.0.0.1:8250': pump: say which one: pump/NAME=ADDRESS" --facades pump=127.0.0.1:8250
refused "listen: cannot listen on '8261:x': it is HOST:PORT, [IPV6]:PORT or unix:PATH" --check-config --listen 8261:x
SLUICE_LOG_FORMAT=xml refused "SLUICE_LOG_FORMAT: 'xml' is none of logfmt, json"
export SLUICE_LOG_FORMAT=json

file 'log_level: debug\nlisten: [127.0.0.1:1, 127.0.0.1:2]\n'
"$sluiced" --check-config --config "$WORK/c.yaml" --log-level error >"$WORK/out" || die "good settings refused"
grep -qx 'log_level: "error"' "$WORK/out" || die "a flag does not win over the file"
grep -qx 'log_format: "json"' "$WORK/out" || die "the environment is not read"
grep -qxF 'listen: ["127.0.0.1:1","127.0.0.1:2"]' "$WORK/out" || die "the list of the file is not read"
"$sluiced" --check-config --config <(cat "$WORK/out") >/dev/null || die "the printed settings are no configuration"
[ ! -e "$WORK/data" ] || die "--check-config started something"

# Right settings, wrong system: exit code 1 and a sentence in the log.
unset SLUICE_LOG_FORMAT
failed() { # expected text, flag...
    local expected=$1 status; shift
    "$sluiced" "$@" >"$WORK/out" 2>&1
    status=$?
    [ $status -eq 1 ] || die "exit code $status, not 1, for $expected: $(cat "$WORK/out")"
    grep -qF -- "$expected" "$WORK/out" || die "expected: $expected; got: $(cat "$WORK/out")"
    tried=$((tried + 1))
}
failed "cannot make data folder /nonexistent/below" --data /nonexistent/below
failed "key file $WORK/other/key is damaged" --data "$(mkdir "$WORK/other" && : >"$WORK/other/key" && echo "$WORK/other")"
failed "can be reached from other machines" --data "$WORK/third" --listen 0.0.0.0:0
echo "# $tried bad settings refused"
