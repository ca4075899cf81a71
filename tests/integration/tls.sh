#!/bin/bash
# labels: asan
# A task between two MySQL servers that take only who comes with TLS and our certificate: every connection (looking,
# copying, the stream, applying) is verified, by the files of security/; and caching_sha2_password without TLS.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh
tls=$SID/tls-$$; mkdir -p "$tls"; at_exit "rm -rf $tls"; in=${tls#"$SID"}

make_ca() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.pem" 2>/dev/null; }
make_cert() { # name, subject alternative name
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.csr" 2>/dev/null &&
        openssl x509 -req -days 2 -in "$tls/$1.csr" -CA "$tls/good.pem" -CAkey "$tls/good.key" -CAcreateserial \
            -extfile <(echo "subjectAltName=$2") -out "$tls/$1.pem" 2>/dev/null
}
make_ca good && make_ca bad && make_cert here IP:127.0.0.1 && make_cert elsewhere DNS:db.example && make_cert us DNS:us || die openssl
chmod a+r "$tls"/*
start_mysql src --ssl-ca="$in/good.pem" --ssl-cert="$in/here.pem" --ssl-key="$in/here.key"
start_mysql dst --ssl-ca="$in/good.pem" --ssl-cert="$in/elsewhere.pem" --ssl-key="$in/elsewhere.key"
note "$(server_version src)"
sql src "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20)); INSERT INTO d.t (v) VALUES ('a'), ('b')"
start_sluice
task=$T/tasks/t

note "caching_sha2_password without TLS, each server having forgotten whom it knew"
sql src "FLUSH PRIVILEGES"; sql dst "FLUSH PRIVILEGES"
make_source s src && make_task t s dst d </dev/null && echo >"$task/start" || die "$(cat "$T/tasks/last_error" "$task/last_error")"
caught_up t src; same_rows src dst d || die "without TLS"
echo >"$task/pause"; wait_state t paused

note "only with TLS and a certificate of ours: refused at both ends until each is given"
for s in src dst; do sql $s "SET sql_log_bin = 0; ALTER USER sluice@'%' REQUIRE X509"; done
checked() { echo >"$T/sources/s/check"; grep -q "$1" "$T/sources/s/check_report"; }
checked "FAIL.*Access denied" || die "$(cat "$T/sources/s/check_report")"
sec=$T/sources/s/security
echo "file:$tls/us.pem" >"$sec/ssl_cert_content" && cat "$tls/us.key" >"$sec/ssl_key_content" || die "$(cat "$sec/last_error")"
echo "file:$tls/bad.pem" >"$sec/ssl_ca_content"
checked "FAIL.*certificate" || die "a CA that did not sign: $(cat "$T/sources/s/check_report")"
{ cat "$tls/good.pem"; printf '\0'; } >"$tls/zero.pem" # as MySQL 9 ends its own
cat "$tls/zero.pem" >"$sec/ssl_ca_content" || die "a PEM by cat: $(cat "$sec/last_error")"
checked FAIL && die "$(cat "$T/sources/s/check_report")"
echo '["nobody"]' >"$sec/cert_allowed_cn"
checked "FAIL.*here\|FAIL.*certificate" || die "a name that is not allowed: $(cat "$T/sources/s/check_report")"
echo '[]' >"$sec/cert_allowed_cn"
cat "$sec/ssl_key_content" 2>/dev/null && die "the key can be read"
grep -q "BEGIN.*PRIVATE" "$T/sources/s/config" "$T/audit" "$T/events" "$SLUICE_LOG" && die "the key is shown"

sec=$task/target/security
target_refuses() { echo >"$task/resume" 2>/dev/null && wait_state t error; grep -qi "$1" "$task/last_error" "$task/error" || die "$1: $(cat "$task/last_error" "$task/error")"; echo >"$task/pause" 2>/dev/null; }
echo "file:$tls/good.pem" >"$sec/ssl_ca_content" && echo "file:$tls/us.pem" >"$sec/ssl_cert_content" &&
    echo "file:$tls/us.key" >"$sec/ssl_key_content" || die "$(cat "$sec/last_error")"
target_refuses "certificate" # made out for db.example
echo '["elsewhere"]' >"$sec/cert_allowed_cn" || die "$(cat "$sec/last_error")"

sql src "FLUSH PRIVILEGES; INSERT INTO d.t (v) SELECT v FROM d.t"; sql dst "FLUSH PRIVILEGES"
echo >"$task/resume" || die "$(cat "$task/last_error")"
caught_up t src; same_rows src dst d || die "with TLS"

note "a copy anew, over TLS alone; and after a restart of the daemon the key is still known"
echo >"$task/stop"; sql dst "DROP DATABASE d"; echo remove_meta=true >"$task/start" || die "$(cat "$task/last_error")"
caught_up t src; same_rows src dst d || die "copied with TLS"
stop_sluice; restart_sluice
sql src "INSERT INTO d.t (v) VALUES ('after')"
caught_up t src; same_rows src dst d || die "after the restart"
echo OK
