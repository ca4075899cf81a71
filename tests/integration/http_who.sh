#!/bin/bash
# Who may come in: the same user as on files, never root by mistake, no browser, tokens from elsewhere.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/http.sh
[ "$(id -u)" -eq 0 ] || die "needs root, to be another user too"
K=/v1/kinds
t=$(openssl rand -hex 32); r=$(openssl rand -hex 32)
hash_of() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
printf '# tokens\nops write %s\ngrafana read %s\n' "$(hash_of "$t")" "$(hash_of "$r")" >"$WORK/tokens"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null || die openssl
chmod 755 "$WORK"
export TREED_CERT=$WORK/cert.pem TREED_KEY=$WORK/key.pem TREED_TOKENS=$WORK/tokens
tls_port=$(free_port); six_port=$(free_port)
start_http_treed 5 "tls:127.0.0.1:$tls_port" "unix:$WORK/socket" "[::1]:$six_port"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
commands() { curl -s "$URL$K/commands"; }

# The owner writes, everybody reads: over IPv4, IPv6 and the socket.
expect 204 POST $K/pause ''
for where in "$URL" "http://[::1]:$six_port" "--unix-socket $WORK/socket http://localhost"; do
    # shellcheck disable=SC2086
    out=$(as_nobody curl -s -w '%{http_code}' $where$K/state) && [ "$out" = '"paused"
200' ] || die "nobody reads $where: $out"
    before=$(commands)
    for what in "-X POST $where$K/resume" "-X PUT -d 5 $where$K/count" "-X PUT $where/v1/items/x" "-X DELETE $where/v1/items/item000001"; do
        # shellcheck disable=SC2086
        out=$(as_nobody curl -s -o "$WORK/out" -w '%{http_code}' $what)
        [ "$out" = 403 ] || die "nobody: $what: $out"
    done
    [ "$(commands)" = "$before" ] || die "nobody wrote over $where"
done
expect 404 GET /v1/items/x ''; expect 200 GET /v1/items/item000001 ''
# shellcheck disable=SC2086
curl -sf -X POST --unix-socket "$WORK/socket" http://localhost$K/resume || die "the owner over the socket"

# Whoever posts and closes at once is not taken for root.
before=$(commands)
as_nobody perl -e '
    use Socket;
    my ($port, $path, $n) = @ARGV;
    for (1 .. $n) {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_in($port, INADDR_LOOPBACK)) or die "connect: $!";
        setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $_ % 3 == 0; # a reset
        syswrite($s, "POST $path HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        shutdown($s, 1) if $_ % 3 == 1;
        close $s;
    }' "$treed_port" $K/resume 1000 || die "the client"
expect 200 GET $K/state ''
[ "$(commands)" = "$before" ] || die "$(($(commands) - before)) of 1,000 requests of nobody acted"

# A browser acts with its user's uid: foreign names and pages do not.
for h in 'Host: evil.example' "Host: evil.example:$treed_port" 'Host: 10.0.0.1' 'Origin: http://evil.example' 'Origin: null' \
    'Origin: http://localhost:3000'; do
    expect 403 POST $K/resume '' -H "$h"; expect 403 GET $K/state '' -H "$h"
done
expect 204 POST $K/resume '' -H "Origin: http://127.0.0.1:$treed_port"
expect 200 GET $K/state '' -H 'Host: localhost'

# Tokens, over TLS; at rest they are hashes.
BASE=https://localhost:$tls_port; tls=(--cacert "$WORK/cert.pem" --resolve "localhost:$tls_port:127.0.0.1")
expect 200 GET $K/state '' "${tls[@]}"
expect 401 GET $K/state '' "${tls[@]}" -H 'Authorization: Bearer wrong'; has EKEYREJECTED
grep -q '^WWW-Authenticate: Bearer' <<<"$head" || die "$head"
expect 401 GET $K/state '' "${tls[@]}" -H "Authorization: Bearer $(hash_of "$t")"
expect 200 GET $K/state '' "${tls[@]}" -H "Authorization: Bearer $r"
expect 403 PUT $K/count 9 "${tls[@]}" -H "Authorization: Bearer $r"; has 'only read'
expect 204 PUT $K/count 9 "${tls[@]}" -H "Authorization: Bearer $t"
curl -s --tls-max 1.1 "${tls[@]}" "$BASE$K/state" && die "TLS 1.1 is accepted"
sed -i '/^ops/d' "$WORK/tokens"
expect 401 PUT $K/count 9 "${tls[@]}" -H "Authorization: Bearer $t"
unset BASE

# An address of this machine that others can reach: only with TLS and a token.
address=$(hostname -I | awk '{print $1}')
if [ -n "$address" ]; then
    port=$(free_port)
    out=$(env -u TREED_TOKENS "$SLUICE_BUILD/treed" - 1 "0.0.0.0:$port" 2>&1) && die "started for everybody"
    case $out in *"other machines"*) ;; *) die "said: $out" ;; esac
    stop_http_treed; start_http_treed 1 "0.0.0.0:$port"
    BASE=https://$address:$port
    expect 401 GET $K/state '' -k; has token
    expect 200 GET $K/state '' -k -H "Authorization: Bearer $r"
fi
grep -q "$t\|$r" "$WORK/treed.log" "$WORK/treed.out" && die "a token is in the log"
echo PASS
