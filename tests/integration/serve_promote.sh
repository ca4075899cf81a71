#!/bin/bash
# The source dies, its replica is promoted, the source's document names it: replicas of the binlog server go on by GTID as if nothing had been.
set -u
. tests/lib/servers.sh; . tests/lib/sluice.sh; . tests/lib/compare.sh; . tests/lib/relay.sh; . tests/lib/serve.sh

start_sluice
for kind in mariadb mysql; do
    first=first_$kind second=second_$kind rep=rep_$kind
    start_$kind $first; start_$kind $second --log-slave-updates; start_$kind $rep
    "$SLUICE_BUILD/writer" "$(port_of $first)" wr 7 100 || die "writer"
    serve_port=0
    make_source $kind $first && make_server $kind $kind || die "no server"
    relay_caught_up $kind $first
    attach $rep $kind gtid tls; attach $second $kind gtid tls # both of ours
    "$SLUICE_BUILD/writer" "$(port_of $first)" wr 8 200 || die "writer"
    replica_has $rep $first; replica_has $second $first
    relay_caught_up $kind $first
    kill_server $first
    if [ $kind = mariadb ]; then sql $second "STOP SLAVE; RESET SLAVE ALL"; else sql $second "STOP REPLICA; RESET REPLICA ALL"; fi
    "$SLUICE_BUILD/writer" "$(port_of $second)" wr 9 200 || die "writer"
    port_of $second >"$T/sources/$kind/port" || die "$(cat "$T/sources/$kind/last_error")"
    relay_caught_up $kind $second
    replica_has $rep $second
    same_rows $second $rep wr || { replica_trouble $rep; die "$rep differs"; }
    # one that attaches now gets both servers' transactions
    new=new_$kind; start_$kind $new; attach $new $kind gtid tls
    replica_has $new $second; same_rows $second $new wr || { replica_trouble $new; die "$new differs"; }
    eval "id=\$rep_${kind}_id"
    [ "$(cat "$T/servers/$kind/replicas/$id/connected")" = true ] || die "$rep is not connected"
    grep "servers/$kind/replicas/$id" "$T/events" | grep -q '"event":"source"' || die "$rep is not told to have another source: $(tail -3 "$T/events")"
done

# Another flavour takes the place: who cannot read it is stopped, by 1236 and in words.
R=$T/sources/mariadb/relay
port_of second_mysql >"$T/sources/mariadb/port" || die "$(cat "$T/sources/mariadb/last_error")"
asks() { [ "$(cat "$R/state")" = error ] && grep -q accept "$R/error"; }
wait_for 30 asks || { relay_trouble mariadb; die "the relay goes on with a server of another flavour"; }
echo "from=oldest" >"$R/accept" || die "$(cat "$R/last_error")"
wait_for 30 replica_stopped rep_mariadb || { replica_trouble rep_mariadb; die "no error 1236"; }
replica_field rep_mariadb Last_IO_Error | grep -q "is that of a MySQL server (9" || die "$(replica_field rep_mariadb Last_IO_Error)"

