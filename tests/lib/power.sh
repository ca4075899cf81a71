# power.sh - the disk after a power loss.  Source me after sluice.sh.
#
#     power_on             # before start_sluice: what sluiced syncs is noted, slowly (tests/tools/power.c)
#     wait_for 3 power_unsynced    # some file is longer than what was synced of it
#     kill_sluice; cut_unsynced    # what it had not synced is gone; "n files, n bytes, n names" in $cut

power_on() {
    export POWER_DIR=$WORK/data POWER_LOG=$WORK/synced POWER_SLOW_MS=200
    sluice_preload=$SLUICE_BUILD/power.so
    : >"$POWER_LOG"
}

# A name that was never synced is gone with what it named; a file that had another has that again. Where a file took
# another's name, it keeps it: the other is no more.
lose_names() {
    local f id name was
    while read -r f; do
        [ -e "$f" ] || continue # its folder went
        id=$(stat -c '%i:%.9W' "$f") name=${f##*/}
        was=$(awk -v id="$id" '$1 == "name" && $2 == id { n = $3 } END { print n }' "$POWER_LOG")
        [ "$was" != "$name" ] || continue
        if [ -n "$was" ] && [ ! -e "${f%/*}/$was" ]; then
            mv "$f" "${f%/*}/$was"
        elif ! grep -q "^name .* $name\$" "$POWER_LOG"; then
            rm -rf "$f"
        else
            continue
        fi
        names=$((names + 1)) lost_names="$lost_names ${f#"$WORK/data/"}"
    done < <(find "$WORK/data" -mindepth 1 ! -name 'LOG*' ! -name LOCK ! -path "$WORK/data/lock")
}

unsynced_files() { # size is file: of each that is longer than what was synced of it
    local f id size is
    while read -r f; do
        id=$(stat -c '%i:%.9W' "$f" 2>/dev/null) && is=$(stat -c %s "$f" 2>/dev/null) || continue
        size=$(awk -v id="$id" '$1 == "size" && $2 == id { s = $3 } END { print s + 0 }' "$POWER_LOG")
        [ "$is" -le "$size" ] || echo "$size $is $f"
    done < <(find "$WORK/data" -type f ! -name ballast ! -name 'LOG*' ! -name LOCK ! -path "$WORK/data/lock")
}
power_unsynced() { [ -n "$(unsynced_files)" ]; }

lose_sizes() {
    local f size is
    while read -r size is f; do
        files=$((files + 1)) bytes=$((bytes + is - size))
        truncate -s "$size" "$f"
    done < <(unsynced_files)
}

cut_unsynced() {
    local files=0 bytes=0 names=0
    lost_names=
    lose_names
    lose_sizes
    cut="$files files, $bytes bytes, $names names"
    cut_bytes=$bytes cut_names=$names
}
