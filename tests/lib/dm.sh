# dm.sh - asking a sluiced over DM's OpenAPI.  Source me after servers.sh, sluice.sh and http.sh.
#
#     dm=$(free_port); start_sluice --facades "dm=127.0.0.1:$dm"; BASE=http://127.0.0.1:$dm
#     ok 200 GET /tasks                                # no password in the answer
#     code 46018 'not exist' GET /tasks/x              # refused with that code of DM's
#     shows '.total == 0'                              # the last body, as jq sees it
#     ok 201 POST /sources "$(source_of my my)"        # name, server
#     ok 201 POST /tasks "{\"task\": $(task_of t "$(confs my)" "$(rules my my)")}"   # to the server dst
#     wait_sync t; stages_are t '{"my":"Running"}'

A=/api/v1
ok() { # status METHOD path [body]: no password in the answer
    expect "$1" "$2" "$A$3" "${4:-}"
    case $body in *sluice-pw* | *'"password": "sluice"'*) die "$2 $3 shows a password: $body" ;; esac
}
code() { # error_code part METHOD path [body]
    expect 400 "$3" "$A$4" "${5:-}"
    jq -e --argjson c "$1" --arg p "$2" '.error_code == $c and (.error_msg | contains($p))' <<<"$body" >/dev/null || die "$3 $4 ${5:-}: not $1 '$2': $body"
    codes="$codes $1"
}
codes=""
shows() { jq -e "$1" <<<"$body" >/dev/null || die "not $1: $body"; }
port_of() { eval "echo \$${1}_port"; }
source_of() { # name server [more fields]
    echo "{\"source_name\": \"$1\", \"host\": \"127.0.0.1\", \"port\": $(port_of "$2"), \"user\": \"sluice\", \"password\": \"sluice\", \"enable_gtid\": false${3:-}}"
}
rules() { # source server...
    local list=""
    while [ $# -gt 0 ]; do list="$list, {\"source\": {\"source_name\": \"$1\", \"schema\": \"d_$2\", \"table\": \"t\"}}"; shift 2; done
    echo "[${list#, }]"
}
confs() { local list=""; for s in "$@"; do list="$list, {\"source_name\": \"$s\"}"; done; echo "[${list#, }]"; }
task_of() { # name source_conf rules [more fields]
    echo "{\"name\": \"$1\", \"task_mode\": \"${mode:-all}\", \"enhance_online_schema_change\": true, \"on_duplicate\": \"${dup:-error}\",
        \"target_config\": {\"host\": \"127.0.0.1\", \"port\": ${target_port:-$dst_port}, \"user\": \"sluice\", \"password\": \"sluice\"},
        \"table_migrate_rule\": $3, \"source_config\": {\"source_conf\": $2}${4:-}}"
}
stages() { ok 200 GET "/tasks/$1/status"; jq -c '[.data[] | {(.source_name): .stage}] | add' <<<"$body"; }
stages_are() { [ "$(stages "$1")" = "$2" ] || { stages "$1"; die "the stages of $1 are not $2: $body"; }; }
in_unit() { ok 200 GET "/tasks/$1/status"; jq -e --arg u "$2" '[.data[].unit == $u] | all' <<<"$body" >/dev/null; }
wait_sync() { wait_for 60 in_unit "$1" Sync || die "$1 is not in Sync: $body"; }
