# power.sh - the disk after a power loss.  Source me after sluice.sh.
#
#     power_on             # before start_sluice: what sluiced syncs is noted
#     kill_sluice; cut_unsynced    # what it had not synced is gone; "n files, n bytes" in $cut

power_on() {
    export POWER_DIR=$WORK/data POWER_LOG=$WORK/synced
    sluice_preload=$SLUICE_BUILD/power.so
    : >"$POWER_LOG"
}

cut_unsynced() {
    local f inode size is files=0 bytes=0
    while read -r f; do
        inode=$(stat -c %i "$f"); is=$(stat -c %s "$f")
        size=$(awk -v i="$inode" '$1 == i { s = $2 } END { print s + 0 }' "$POWER_LOG")
        [ "$is" -gt "$size" ] || continue
        files=$((files + 1)) bytes=$((bytes + is - size))
        truncate -s "$size" "$f"
    done < <(find "$WORK/data" -type f ! -name ballast ! -name LOG ! -name 'LOG.old*' ! -name LOCK)
    cut="$files files, $bytes bytes"
    cut_bytes=$bytes
}
