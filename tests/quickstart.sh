#!/bin/bash
# packaging/quickstart, built already, in its other ways: wrong arguments, users without rights, given ports
# and mount, --keep and its end, and Ctrl-C in each phase, after which nothing of it is left.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d /tmp/sluice-test.XXXXXX)
trap 'rm -rf "$dir"' EXIT
export TMPDIR=$dir # where it makes its folder
die() { echo "FAIL: $*" >&2; exit 1; }
quickstart=$PWD/packaging/quickstart
free_port() { local p; while p=$((20000 + RANDOM % 10000)); ss -ltnH "sport = :$p" | grep -q .; do :; done; echo $p; }

refused() { # sentence, command...
    local want=$1; shift
    "$@" >"$dir/said" 2>&1 </dev/null && die "accepted: $*"
    grep -qF -- "$want" "$dir/said" || die "'$*' says: $(tail -2 "$dir/said")"
}
refused "--rows wants a number, not 'many'" "$quickstart" --rows many
refused "--listen 99999 is not between" "$quickstart" --listen 99999
refused "what is '--twice'?" "$quickstart" --twice
refused "--mount wants a folder" "$quickstart" --mount
refused "a name that the shell takes as it is" "$quickstart" --mount "$dir/a b"
"$quickstart" --help | grep -q -- '--once' || die "--help"
port=$(free_port)
perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen(S, 1); sleep 100' "$port" & holder=$!
refused "port $port is in use" "$quickstart" --once --listen "$port"
kill $holder

# Another user: by sudo with the same arguments, or a sentence.
chmod 755 "$dir"; mkdir "$dir/with" "$dir/without"
for tool in bash id realpath dirname env; do ln -s "$(command -v $tool)" "$dir/without/"; ln -s "$(command -v $tool)" "$dir/with/"; done
printf '#!/bin/bash\necho "sudo: $*"\n' >"$dir/with/sudo"; chmod 755 "$dir/with/sudo"
cp "$quickstart" "$dir/" # where another user may read it
as() { setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$1" "$dir/quickstart" "${@:2}"; }
refused "run it as root" as "$dir/without" --once
[ "$(as "$dir/with" --once --rows 500)" = "sudo: $dir/quickstart --once --rows 500" ] || die "sudo: $(as "$dir/with" --once --rows 500)"

gone() { # folder of the run, or nothing
    [ -z "$(ls -d "$dir"/sluice-test.* 2>/dev/null)" ] || die "$1: left $(ls -d "$dir"/sluice-test.*)"
    ! grep -F "$dir" /proc/self/mountinfo || die "$1: still mounted"
    ! pgrep -fa -- "$dir/sluice-test" || die "$1: processes are left"
}

# --keep, with everything given.
ports=($(free_port) $(free_port) $(free_port))
"$quickstart" --keep --rows 1000 --mount "$dir/tree" --listen "${ports[0]}" --source-port "${ports[1]}" --target-port "${ports[2]}" \
    2>&1 </dev/null | cat >"$dir/said" & pipe=$! # a pipe ends, too, though much is left running
for _ in $(seq 1200); do [ -d "/proc/$pipe" ] || break; sleep 0.1; done
[ ! -d "/proc/$pipe" ] || die "--keep: what runs on holds its output open: $(tail -5 "$dir/said")"
grep -q '^Left running' "$dir/said" || die "--keep: $(tail -5 "$dir/said")"
[ "$(cat "$dir/tree/tasks/orders/state")" = running ] && curl -sf "localhost:${ports[0]}/v1/tasks/orders/lag_seconds" >/dev/null || die "--keep: nothing runs"
[ "$(cat "$dir/tree/sources/s1/port") $(cat "$dir/tree/tasks/orders/target/port")" = "${ports[1]} ${ports[2]}" ] || die "--keep: other ports"
"$(sed -n 's/^To end all of it:  //p' "$dir/said")" || die "the end of --keep"
gone --keep; [ ! -e "$dir/tree" ] || die "--keep: its mount point is left"

# Ctrl-C goes to the whole group of a terminal's job.
for phase in '2. Two' '^source: ' '5. The copy' '7. Both ends' 'Ctrl-C ends'; do
    : >"$dir/said"
    perl -MPOSIX -e 'POSIX::setsid(); $SIG{INT} = "DEFAULT"; exec @ARGV' "$quickstart" --rows 1000 >"$dir/said" 2>&1 </dev/null & pid=$!
    for _ in $(seq 1200); do grep -q -- "$phase" "$dir/said" && break; [ -d "/proc/$pid" ] || break; sleep 0.05; done
    grep -q -- "$phase" "$dir/said" || die "no phase '$phase': $(tail -3 "$dir/said")"
    for _ in 1 2 3; do # as a person does who sees that nothing happens
        kill -INT -- "-$pid" 2>/dev/null
        for _ in $(seq 200); do [ "$(ps -o stat= -p "$pid" | cut -c1)" != Z ] && [ -d "/proc/$pid" ] || break 2; sleep 0.05; done
    done
    wait "$pid"; code=$?
    [ $code -eq 130 ] || die "Ctrl-C in '$phase': exit code $code"
    gone "Ctrl-C in '$phase'"
done
echo "# nothing is left"
