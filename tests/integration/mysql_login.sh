#!/bin/bash
# labels: asan
# Logging in to both servers: caching_sha2_password with and without TLS, wrong passwords, TLS that must be and
# is not there, certificates of the right and the wrong CA, for the right and the wrong name.
set -u
. tests/lib/servers.sh
run=$SLUICE_BUILD/mysql_run
tls=$SID/tls-$$; mkdir -p "$tls"; at_exit "rm -rf $tls"

make_ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.pem" 2>/dev/null; }
make_cert() { # name, subject alternative name, CA
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.csr" 2>/dev/null &&
        openssl x509 -req -days 2 -in "$tls/$1.csr" -CA "$tls/$3.pem" -CAkey "$tls/$3.key" -CAcreateserial \
            -extfile <(echo "subjectAltName=$2") -out "$tls/$1.pem" 2>/dev/null
}
make_ca good && make_ca bad && make_cert here IP:127.0.0.1 good && make_cert elsewhere DNS:db.example good || die "openssl"
chmod a+r "$tls"/*

start_mariadb plain # without any TLS: MariaDB 10.11 makes no certificates by itself
start_mariadb here --ssl-ca="$tls/good.pem" --ssl-cert="$tls/here.pem" --ssl-key="$tls/here.key"
in=${tls#"$SID"}
start_mysql my --ssl-ca="$in/good.pem" --ssl-cert="$in/here.pem" --ssl-key="$in/here.key"
start_mysql other --ssl-ca="$in/good.pem" --ssl-cert="$in/elsewhere.pem" --ssl-key="$in/elsewhere.key"
for s in plain here my other; do note "$s: $(server_version $s)"; done

n=0
check() { # what, expected start of the output, command...
    local what=$1 expected=$2 got; shift 2
    got=$("$@" 2>&1)
    n=$((n + 1))
    [[ $got == "$expected"* ]] || die "$what: '$got' instead of '$expected'"
}
login() { local s=$1 password=$2; eval "$run 127.0.0.1 \$${s}_port sluice $password login"; }

check "MySQL, caching_sha2_password, clear" "ok mysql" login my sluice
check "the same from the server's cache" "ok mysql" login my sluice
check "MySQL with TLS" "ok mysql" env TLS=1 bash -c "$run 127.0.0.1 $my_port sluice sluice login"
sql my "FLUSH PRIVILEGES" # forgets what the cache knows: full authentication, inside TLS
check "MySQL, TLS, full authentication" "ok mysql" env TLS=1 bash -c "$run 127.0.0.1 $my_port sluice sluice login"
check "MariaDB, clear" "ok mariadb" login plain sluice
check "MySQL, wrong password" "error EACCES" login my wrong
check "MariaDB, wrong password" "error EACCES" login plain wrong
check "nobody listens" "error ECONNRESET" $run 127.0.0.1 1 sluice sluice login
check "TLS wanted, none there" "error EACCES" env TLS=1 bash -c "$run 127.0.0.1 $plain_port sluice sluice login"
for s in here my; do
    eval "port=\$${s}_port"
    check "$s: good CA, name of this host" "ok" env TLS=1 CA="$tls/good.pem" $run 127.0.0.1 "$port" sluice sluice login
    check "$s: CA that did not sign" "error EACCES" env TLS=1 CA="$tls/bad.pem" $run 127.0.0.1 "$port" sluice sluice login
    check "$s: allowed common name" "ok" env TLS=1 CA="$tls/good.pem" CN=nobody,here $run 127.0.0.1 "$port" sluice sluice login
    check "$s: other common name" "error EACCES" env TLS=1 CA="$tls/good.pem" CN=nobody $run 127.0.0.1 "$port" sluice sluice login
done
check "certificate for another host" "error EACCES" env TLS=1 CA="$tls/good.pem" $run 127.0.0.1 "$other_port" sluice sluice login
check "... that is allowed by name" "ok mysql" env TLS=1 CA="$tls/good.pem" CN=elsewhere $run 127.0.0.1 "$other_port" sluice sluice login
sql my "ALTER USER sluice@'%' REQUIRE SSL"
check "the server insists on TLS" "error EACCES" login my sluice
echo "OK: $n logins"
