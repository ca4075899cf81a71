#!/bin/bash
# File and HTTP say the same of every kind of row, of bad writes and of directories; also as another user.
# labels: asan
set -u
. tests/lib/servers.sh; . tests/lib/tree.sh; . tests/lib/http.sh
mirror=$SLUICE_BUILD/mirror
chmod 755 "$WORK"
MOUNT=$T start_http_treed 50
for as in "" "setpriv --reuid=65534 --regid=65534 --clear-groups"; do
    $as "$mirror" "$T" "$URL" || die "reading: $as"
    $as "$mirror" --bad "$T" "$URL" || die "writing: $as"
done

# Directories: what mkdir and rmdir say.
dir_errno() { # command path
    perl -MErrno -e '($ARGV[0] eq "mkdir" ? mkdir($ARGV[1]) : rmdir($ARGV[1])) and print("OK"), exit;
        my ($n) = grep { $!{$_} } keys %!; print $n' "$1" "$T/$2"
}
http_errno() { curl -s -X "$1" "$URL/v1/$2" | jq -r '.errno // "OK"'; }
n=0
while read -r method path; do
    command=mkdir; [ "$method" = DELETE ] && command=rmdir
    file=$(dir_errno $command "$path"); http=$(http_errno "$method" "$path")
    [ "$file" = "$http" ] || [ "$file $http" = "EPERM EOPNOTSUPP" ] || die "$method $path: $file and $http"
    [ "$file" != OK ] || die "$method $path is accepted"
    n=$((n + 1))
done <<END
PUT none
PUT none/at/all
PUT kinds/x
DELETE none
DELETE kinds
DELETE items
DELETE items/none
END
mkdir "$T/items/busy"; [ "$(dir_errno rmdir items/busy) $(http_errno DELETE items/busy)" = "EBUSY EBUSY" ] || die busy

# What one front does the other shows at once.
expect 201 PUT /v1/items/new ''; [ -d "$T/items/new" ] || die "made over HTTP, not in the tree"
rmdir "$T/items/new"; expect 404 GET /v1/items/new ''
mkdir "$T/items/other"; expect 200 GET /v1/items/other ''; expect 204 DELETE /v1/items/other ''; [ ! -e "$T/items/other" ] || die "still there"
expect 204 PUT /v1/kinds/count 42; [ "$(cat "$T/kinds/count")" = 42 ] || die count
echo 43 >"$T/kinds/count"; expect 200 GET /v1/kinds/count ''; is 43
watch_files "$WORK/made" --format '%e %f' "$T/items"
expect 201 PUT /v1/items/seen ''; expect 204 DELETE /v1/items/seen ''
wait_for 5 grep -q 'DELETE,ISDIR seen' "$WORK/made" && grep -q 'CREATE,ISDIR seen' "$WORK/made" || die "inotify: $(cat "$WORK/made")"
note "$n directories refused alike; made over HTTP is seen by inotify"
echo PASS
