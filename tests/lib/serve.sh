# serve.sh - a binlog server of sluice, and real replicas of it.  Source me after sluice.sh.
#
#     make_server b1 s1 ["semi_sync: true"]   # listens; sets serve_port; account rep/rep-pw
#     attach rep b1 gtid|file|FILE:OFFSET [tls]   # CHANGE MASTER / CHANGE REPLICATION SOURCE and START
#     replica_has rep src                  # all that src has committed by now is applied at rep
#     as_client mariadb|mysql 'SHOW ...'   # over the network, as the account

serve_user=rep serve_password=rep-pw

make_server() { # name source [more lines]
    cat >"$T/servers/create" <<END || { cat "$T/servers/last_error" >&2; return 1; }
name: $1
source_name: $2
addr: 127.0.0.1:${serve_port:-0}
user: $serve_user
password: $serve_password
${3:-}
END
    start_server "$1"
}
start_server() {
    echo >"$T/servers/$1/start" || { cat "$T/servers/$1/last_error" "$T/servers/$1/error" >&2; return 1; }
    serve_port=$(cat "$T/servers/$1/port")
}

kind_of() { eval "echo \$${1}_kind"; }

attach() { # replica server gtid|file|FILE:OFFSET [tls]
    local place file=${3%:*} offset=${3#*:}
    serve_port=$(cat "$T/servers/$2/port")
    if [ "$(kind_of "$1")" = mariadb ]; then
        case $3 in
        gtid) place=", MASTER_USE_GTID=slave_pos" ;;
        file) place=", MASTER_USE_GTID=no" ;;
        *) place=", MASTER_LOG_FILE='$file', MASTER_LOG_POS=$offset, MASTER_USE_GTID=no" ;;
        esac
        [ "${4:-}" = tls ] && place="$place, MASTER_SSL=1, MASTER_SSL_VERIFY_SERVER_CERT=0"
        sql "$1" "STOP SLAVE; CHANGE MASTER TO MASTER_HOST='${serve_host:-127.0.0.1}', MASTER_PORT=$serve_port, MASTER_USER='$serve_user',
            MASTER_PASSWORD='$serve_password', MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=1 $place; START SLAVE"
    else
        case $3 in
        gtid) place=", SOURCE_AUTO_POSITION=1" ;;
        file) place=", SOURCE_AUTO_POSITION=0" ;;
        *) place=", SOURCE_LOG_FILE='$file', SOURCE_LOG_POS=$offset, SOURCE_AUTO_POSITION=0" ;;
        esac
        [ "${4:-}" = tls ] && place="$place, SOURCE_SSL=1" || place="$place, SOURCE_SSL=0"
        sql "$1" "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$serve_port, SOURCE_USER='$serve_user',
            SOURCE_PASSWORD='$serve_password', SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=100000, SOURCE_HEARTBEAT_PERIOD=1 $place; START REPLICA"
    fi
}

executed_of() { # what a source has committed, or a replica applied
    if [ "$(kind_of "$1")" = mariadb ]; then
        sql "$1" "SELECT @@gtid_${2:-binlog}_pos"
    else
        sql "$1" 'SELECT @@global.gtid_executed' | tr -d '\\n '
    fi
}
applied() { [ "$(executed_of "$1" slave)" = "$2" ]; }
replica_status() { # with the names of its fields
    local dir
    eval "dir=\$${1}_dir"
    if [ "$(kind_of "$1")" = mariadb ]; then
        mariadb --no-defaults -uroot -S "$dir/s.sock" -E -e "SHOW SLAVE STATUS"
    else
        chroot "$SID" mysql --no-defaults -uroot -S "${dir#"$SID"}/s.sock" -E -e "SHOW REPLICA STATUS"
    fi
}
replica_field() { replica_status "$1" | sed -n "s/^ *$2: //p"; }
replica_stopped() { replica_field "$1" Last_IO_Errno | grep -qxE '1236|13114'; } # by error 1236; MySQL's name for it is its own
replica_trouble() {
    { replica_status "$1" | grep -E 'Error|Running|Log_File|Log_Pos|Gtid|State'
      tail -30 "$SLUICE_LOG"; cat "$T"/servers/*/status; } >&2
}
replica_has() { # replica source [seconds]
    local all
    all=$(executed_of "$2")
    wait_for "${3:-90}" applied "$1" "$all" || { replica_trouble "$1"; die "$1 has $(executed_of "$1" slave), the source $all"; }
}

as_client() { # mariadb|mysql statement [option...]
    local kind=$1 statement=$2; shift 2
    if [ "$kind" = mariadb ]; then
        echo "$statement" | mariadb --no-defaults -h127.0.0.1 -P"$serve_port" -u"$serve_user" -p"$serve_password" -N -B "$@" 2>&1
    else
        echo "$statement" | chroot "$SID" mysql --no-defaults -h127.0.0.1 -P"$serve_port" -u"$serve_user" -p"$serve_password" -N -B "$@" 2>&1 |
            grep -v 'Using a password'
    fi
}
