# servers.sh - throw-away MariaDB and MySQL servers on loopback.  Source me.
#
#     start_mariadb src --binlog-row-metadata=FULL   # sets src_port src_pid src_dir
#     start_mysql dst                                # MySQL 9.7 in its debootstrap folder
#     start_mariadb11 dst                            # MariaDB 11.8, from the same archive
#     sql src 'SELECT 1' ; sql_file src file.sql ; stop_server src ; kill_server src ; restart_server src
#
# Everything lives below $WORK and is stopped and removed when the shell ends.
# Servers are named by the caller; the account sluice/sluice has all rights.  Set before they start,
# src_port is the port one takes, and src_prefix='ip netns exec X' runs it in another network namespace.

CACHE=${SLUICE_CACHE:-/var/cache/sluice-tests}
SID=$CACHE/mysql-sid
WORK=${WORK:-$(mktemp -d /tmp/sluice-test.XXXXXX)}
SERVERS=""
die() { echo "FAIL: $*" >&2; exit 1; }
note() { echo "# $*"; }

free_port() { # a port nobody listens on
    local p
    while :; do
        p=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        ss -ltnH "sport = :$p" | grep -q . || { echo $p; return; }
    done
}

server_cleanup() {
    local s
    for s in $SERVERS; do kill_server "$s" 2>/dev/null; eval "rm -rf \"\$${s}_dir\""; done
    rm -rf "$WORK"
}
# One EXIT trap for all: at_exit 'command' runs before the servers go.
EXIT_COMMANDS=""
at_exit() { EXIT_COMMANDS="$1; $EXIT_COMMANDS"; }
trap 'status=$?; trap - EXIT; eval "$EXIT_COMMANDS"; server_cleanup; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

left_behind() { # mount log: of a daemon of ours that has ended
    grep -q " $1 " /proc/self/mountinfo && umount -l "$1" # a dead mount cannot be asked
    ! grep -E -A80 'Sanitizer|runtime error:' "$2" | head -400 # what it prints fails the test
}

mariadb_template() { # an initialised data folder, made once per server version
    local v t
    v=$(mariadbd --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
    t=$CACHE/mariadb-$v
    [ -d "$t" ] || (
        mkdir -p "$CACHE"; exec 9>"$CACHE/lock"; flock 9; [ -d "$t" ] && exit
        mariadb-install-db --no-defaults --user=root --datadir="$t.new" --skip-test-db \
            --auth-root-authentication-method=normal --innodb-log-file-size=32M >"$CACHE/mariadb-init.log" 2>&1 ||
            { tail -5 "$CACHE/mariadb-init.log" >&2; exit 1; }
        mv "$t.new" "$t") || die "mariadb-install-db failed"
    echo "$t"
}

mysql_ready() { # the debootstrap folder with a MySQL server in it
    [ -x "$SID/usr/sbin/mysqld" ] || (
        mkdir -p "$CACHE"; exec 9>"$CACHE/lock"; flock 9; [ -x "$SID/usr/sbin/mysqld" ] && exit
        rm -rf "$SID.new"
        debootstrap --variant=minbase --include=mysql-server-core,mysql-client-core sid "$SID.new" >"$CACHE/debootstrap.log" 2>&1 ||
            { tail -5 "$CACHE/debootstrap.log" >&2; exit 1; }
        mv "$SID.new" "$SID") || die "debootstrap of MySQL failed"
    [ -d "$SID/template" ] || (
        exec 9>"$CACHE/lock"; flock 9; [ -d "$SID/template" ] && exit
        chroot "$SID" mysqld --no-defaults --initialize-insecure --user=root --datadir=/template.new \
            --innodb-redo-log-capacity=64M >"$CACHE/mysql-init.log" 2>&1 || { tail -5 "$CACHE/mysql-init.log" >&2; exit 1; }
        mv "$SID/template.new" "$SID/template") || die "mysqld --initialize failed"
}

# MariaDB 11.8 of the same archive.  Its packages exclude MySQL's, so it is unpacked beside it, and run from
# outside with that archive's loader and libraries: but for its program it is a server as start_mariadb's.
NEXT=$SID/mariadb
mariadb11_program() {
    local libraries loader
    libraries=$(echo "$SID"/usr/lib/*-linux-gnu) loader=$(echo "$SID"/usr/lib*/ld-linux*.so.*)
    echo "${loader%% *} --library-path $libraries:$NEXT${libraries#"$SID"} $NEXT/usr/sbin/mariadbd"
}
mariadb11_ready() {
    mysql_ready
    [ -d "$NEXT" ] || (
        exec 9>"$CACHE/lock"; flock 9; [ -d "$NEXT" ] && exit
        cp -L /etc/resolv.conf "$SID/etc/"
        chroot "$SID" sh -ec 'rm -rf /mariadb.new; mkdir -p /mariadb.new/deb; cd /mariadb.new/deb; apt-get -q -o Acquire::Check-Valid-Until=false update
            apt-get -q download mariadb-server-core mariadb-client-core libmariadb3 liburing2 libaio1t64 libnuma1 libsystemd0 libcap2
            for deb in *.deb; do dpkg -x "$deb" ..; done
            PATH=/mariadb.new/usr/sbin:/mariadb.new/usr/bin:$PATH LD_LIBRARY_PATH=$(echo /mariadb.new/usr/lib/*-linux-gnu) \
                mariadb-install-db --no-defaults --basedir=/mariadb.new/usr --user=root --datadir=/mariadb.new/template \
                --force --skip-test-db --auth-root-authentication-method=normal --innodb-log-file-size=32M
            mv /mariadb.new /mariadb' >"$CACHE/mariadb11.log" 2>&1 ||
            { tail -5 "$CACHE/mariadb11.log" >&2; exit 1; }) || die "no MariaDB 11.8"
}

COMMON_OPTIONS="--bind-address=127.0.0.1 --skip-name-resolve --log-bin=bin --binlog-format=ROW
    --innodb-buffer-pool-size=96M --max-allowed-packet=256M --performance-schema=OFF
    --sync-binlog=0 --innodb-flush-log-at-trx-commit=2 --local-infile=1"
next_server_id=$((RANDOM + 100))

start_mariadb() { # name [option...]
    local name=$1 dir template; shift
    dir=$WORK/$name
    eval "template=\${${name}_template:-}"
    cp -a --sparse=always "${template:-$(mariadb_template)}" "$dir" || die "no data folder for $name"
    next_server_id=$((next_server_id + 1))
    eval "${name}_dir=$dir ${name}_kind=mariadb ${name}_options=\"\$*\" ${name}_port=\${${name}_port:-$(free_port)} ${name}_id=$next_server_id"
    SERVERS="$SERVERS $name"
    restart_server "$name"
    make_account "$name"
}

start_mariadb11() { # name [option...]
    local name=$1; shift
    mariadb11_ready
    eval "${name}_template=$NEXT/template ${name}_program=\"$(mariadb11_program)\""
    start_mariadb "$name" --basedir="$NEXT/usr" "$@"
}

start_mysql() { # name [option...]
    local name=$1 dir; shift
    mysql_ready
    dir=$SID/run-$$-$name
    cp -a --sparse=always "$SID/template" "$dir" || die "no data folder for $name"
    rm -f "$dir/auto.cnf" # or every copy has the template's server_uuid
    next_server_id=$((next_server_id + 1))
    eval "${name}_dir=$dir ${name}_kind=mysql ${name}_options=\"\$*\" ${name}_port=\${${name}_port:-$(free_port)} ${name}_id=$next_server_id"
    SERVERS="$SERVERS $name"
    restart_server "$name"
    make_account "$name"
}

make_account() {
    local caching=""
    eval "[ \$${1}_kind = mysql ]" && caching="WITH caching_sha2_password"
    sql "$1" "SET sql_log_bin=0; CREATE USER sluice@'%' IDENTIFIED $caching BY 'sluice';
        GRANT ALL ON *.* TO sluice@'%' WITH GRANT OPTION" || die "no account on $1"
}

restart_server() { # name: start it on its folder, port and options
    local name=$1 dir kind options port id i in_dir prefix program
    eval "dir=\$${name}_dir kind=\$${name}_kind options=\$${name}_options port=\$${name}_port id=\$${name}_id prefix=\${${name}_prefix:-} program=\${${name}_program:-mariadbd}"
    if [ "$kind" = mariadb ]; then
        mkdir -p "$dir.tmp" # its own: one that starts removes all temporary tables that it finds
        # shellcheck disable=SC2086
        setsid $prefix $program --no-defaults --user=root $COMMON_OPTIONS --datadir="$dir" --tmpdir="$dir.tmp" --socket="$dir/s.sock" \
            --pid-file="$dir/pid" --port="$port" --server-id="$id" --innodb-log-file-size=32M \
            --plugin-maturity=experimental $options >>"$dir/log" 2>&1 </dev/null &
    else
        in_dir=${dir#"$SID"}
        # shellcheck disable=SC2086
        setsid $prefix chroot "$SID" mysqld --no-defaults --user=root $COMMON_OPTIONS --datadir="$in_dir" --socket="$in_dir/s.sock" \
            --pid-file="$in_dir/pid" --port="$port" --server-id="$id" --mysqlx=OFF --gtid-mode=ON \
            --enforce-gtid-consistency=ON --secure-file-priv= --innodb-redo-log-capacity=64M $options >>"$dir/log" 2>&1 </dev/null &
    fi
    disown # or bash reports each that is killed
    eval "${name}_pid=$!" # an end before it answers has to find it, too
    for i in $(seq 600); do
        sql "$name" 'SELECT 1' >/dev/null 2>&1 && break
        [ -d "/proc/$!" ] || i=600
        [ "$i" -lt 600 ] || break
        sleep 0.1
    done
    [ "$i" -lt 600 ] || { tail -5 "$dir/log" >&2; die "server $name did not start"; }
    eval "${name}_pid=$(cat "$dir/pid")"
}

client_of() { # name option...: the server's own client; without -e it reads statements
    local name=$1 dir kind; shift
    eval "dir=\$${name}_dir kind=\$${name}_kind"
    if [ "$kind" = mariadb ]; then
        mariadb --no-defaults -uroot -S "$dir/s.sock" --default-character-set=utf8mb4 "$@"
    else
        chroot "$SID" mysql --no-defaults -uroot -S "${dir#"$SID"}/s.sock" --default-character-set=utf8mb4 "$@"
    fi
}
sql() { # name statement...
    local name=$1; shift
    client_of "$name" -N -B --binary-mode -e "$*"
}
sql_file() { # name file [database [option]]
    client_of "$1" ${4:+"$4"} ${3:+"$3"} <"$2"
}

wait_pid_gone() { local i; for i in $(seq 600); do [ -d "/proc/$1" ] || return 0; sleep 0.1; done; return 1; }
# The number of a server that has ended may be another process's soon: nothing is sent to it.
end_server() { # name signal
    local pid port
    eval "pid=\${${1}_pid:-} port=\${${1}_port:-}"
    [ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qx -- "--port=$port" || return 1
    kill "$2" "$pid" 2>/dev/null && wait_pid_gone "$pid"
}
stop_server() { end_server "$1" -TERM; }
kill_server() { end_server "$1" -KILL; }
server_version() { sql "$1" 'SELECT VERSION()'; }

# watch_files OUT inotifywait-argument...: what happens goes to OUT; all is watched when it returns.
watch_files() {
    local out=$1; shift
    : >"$out.said"
    inotifywait -m "$@" >"$out" 2>"$out.said" & watcher=$!
    at_exit "kill $watcher 2>/dev/null"
    wait_for 60 grep -q 'Watches established' "$out.said" || die "inotifywait: $(cat "$out.said")"
}

ms() { echo $((($(date +%s%N) - $1) / 1000000)); } # since then, as date +%s%N said
# took_alone=$(ms_of command...) ; something slow & ; not_held_up "$took_alone" command...
ms_of() { local from; from=$(date +%s%N); "$@" >/dev/null; ms "$from"; }
not_held_up() { # what it took alone, command: whatever else the machine does, it did not wait for what is slow
    local alone=$1 took; shift
    took=$(ms_of "$@")
    [ "$took" -lt $((1000 + 5 * alone)) ] || die "held up: $* took $took ms, alone $alone"
    note "$*: $took ms beside what is slow, $alone alone"
}

# wait_for SECONDS command...: until it succeeds.  Never a bare sleep in a test.  Below 30 they are those of a quiet
# machine, and three times as many are waited.
wait_for() {
    local limit=$1 end; shift
    [ "$limit" -ge 30 ] || limit=$((3 * limit))
    end=$(($(date +%s) + limit))
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.1
    done
}
