# mirror.sh - both fronts, compared on every path of a tree.  Source me after servers.sh and http.sh.
#
#     mirror_read TREE        # file = text/plain = JSON for every attribute; prints how many pairs
#     mirror_write TREE       # every bad write: the errno of write(2) is the errno of HTTP
#     mirror_as 'setpriv …'   # both as another user from here on

as=""
mirror_as() { as=$1; }
pairs=0

# errno's name of opening and writing, or "OK".  Documents are refused at close.
try_write() { # file text
    $as perl -MErrno -MFcntl -e '
        sub say_errno { my ($n) = grep { $!{$_} } keys %!; print $n // "E?"; exit }
        sysopen(my $f, $ARGV[0], O_WRONLY) or say_errno;
        defined syswrite($f, $ARGV[1]) or say_errno;
        close $f or say_errno; print "OK"' "$1" "$2"
}
try_http() { # METHOD path text
    printf %s "$3" | $as curl -s -X "$1" -H 'Content-Type: text/plain' --data-binary @- "$URL/v1/$2" | jq -r '.errno // "OK"' 2>/dev/null
}

# What the schema says of a directory: "kind name type flags" a line.
rows_of() {
    jq -r --arg path "$1" '
        def fits($p; $q): ($p | split("/")) as $a | ($q | split("/")) as $b
            | ($a | length) == ($b | length) and all(range(0; $a | length); $a[.] == $b[.] or $a[.] == "NAME");
        . as $s | [.paths | to_entries[] | select(fits(.key; $path))] | sort_by(.key | test("NAME")) | .[0].value
        | $s.types[.] | if . == null then empty else
        (.attributes[] | ["attr", .name, .type, (if .read then "r" else "" end) + (if .write then "w" else "" end)
            + (if .type == "count" or .type == "bytes" or .type == "seconds" then "n" else "" end)]),
        (.actions[] | ["action", .name, (if .document then "document" else "words" end), "x"]) | @tsv end' "$WORK/schema"
}
directories() { (cd "$1" && find . -type d ! -path './many/*' | sed 's,^\./*,,' | sort); }

mirror_begin() { curl -sf "$URL/schema" >"$WORK/schema" || die "no schema"; pairs=0; }

same_read() { # tree path flags: a few tries, since values move
    local file http
    for _ in 1 2 3 4 5; do
        file=$($as cat "$1/$2" 2>&1; echo .); http=$($as curl -s -H 'Accept: text/plain' "$URL/v1/$2"; echo .)
        [ "$file" = "$http" ] && return 0
    done
    # what moves all the time is a number on both sides
    case $3 in *n*) [[ ${file%.} =~ ^[0-9.e+-]+$ && ${http%.} =~ ^[0-9.e+-]+$ ]] && return 0 ;; esac
    [ "${2##*/}" = metrics ] && [ "$(sed 's/ [^ ]*$//' <<<"$file")" = "$(sed 's/ [^ ]*$//' <<<"$http")" ] && return 0
    die "$2: the file says '$file', HTTP '$http'"
}

same_status() { # tree directory: status = GET, without what moves
    local file http clean='with_entries(select(.value | type != "number")) | del(.children, .children_next)'
    file=$($as cat "$1/$2/status" | jq -S "$clean"); http=$($as curl -s "$URL/v1/$2" | jq -S "$clean")
    [ -n "$file" ] && [ "$file" = "$http" ] || die "status of '$2': '$file' and '$http'"
}

mirror_read() {
    local dir kind name type flags path
    mirror_begin
    while read -r dir; do
        same_status "$1" "$dir"; pairs=$((pairs + 1))
        while IFS=$'\t' read -r kind name type flags; do
            path=${dir:+$dir/}$name
            [ -e "$1/$path" ] || die "$path is in the schema and not in the tree"
            case $kind.$flags in attr.*r*) same_read "$1" "$path" "$flags"; pairs=$((pairs + 1)) ;; esac
        done < <(rows_of "$dir")
        [ "$(find "$1/$dir" -maxdepth 1 -type f -printf '%f\n' | sort)" = "$(rows_of "$dir" | cut -f2 | sort)" ] || [ -z "$(rows_of "$dir")" ] ||
            die "files of '$dir' are not the schema's rows"
    done < <(directories "$1")
    [ $pairs -gt 20 ] || die "only $pairs pairs"
    note "$pairs pairs read alike${as:+ as another user}"
}

bad_values() { # type
    case $1 in
    bool) echo maybe ;;
    count | bytes) printf '%s\n' x -1 1.5 99999999999999999999 ;;
    seconds) printf '%s\n' x -1 ;;
    time) echo yesterday ;;
    enum) echo no_such_choice ;;
    json | document) printf '%s\n' '{"a":' '[1, 2' ;;
    words) printf '%s\n' no_such_key=1 'quote="' '{"a":' ;;
    esac
    case $1 in document) ;; *) printf '%05000d\n' 0 ;; esac
}

same_write() { # tree path method text [errno that only a file has]
    local file http
    file=$(try_write "$1/$2" "$4"$'\n'); http=$(try_http "$3" "$2" "$4"$'\n')
    pairs=$((pairs + 1))
    [ "$file" = "$http" ] || { [ "$file" = EACCES ] && [ "$http" = EOPNOTSUPP ]; } ||
        die "writing '${4:0:40}' to $2: the file says $file, HTTP $http"
    [ "$file" != OK ] || [ "${5:-}" = may ] || die "writing '${4:0:40}' to $2 is accepted"
}

mirror_write() {
    local dir kind name type flags path text
    mirror_begin
    while read -r dir; do
        while IFS=$'\t' read -r kind name type flags; do
            path=${dir:+$dir/}$name
            case $kind.$flags in
            attr.*w*) while read -r text; do same_write "$1" "$path" PUT "$text"; done < <(bad_values "$type") ;;
            attr.*) same_write "$1" "$path" PUT 1 ;;
            action.*) while read -r text; do same_write "$1" "$path" POST "$text"; done < <(bad_values "$type") ;;
            esac
        done < <(rows_of "$dir")
    done < <(directories "$1")
    [ $pairs -gt 20 ] || die "only $pairs pairs"
    note "$pairs bad writes refused alike${as:+ as another user}"
}
