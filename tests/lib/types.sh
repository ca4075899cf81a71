# types.sh - tables with every type, edge value and character set.  Source me after servers.sh.
#
#     make_tables mariadb     # prints SQL: a table for each row of types.txt
#     make_charsets src       # and one for each character set that the server has

SESSION="SET sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00';"

make_tables() { # flavour: SQL for one table a row of types.txt
    local n=0 flavour type values
    while IFS='|' read -r flavour type values; do
        n=$((n + 1))
        case $flavour in both|"$1") ;; *) continue ;; esac
        printf 'CREATE TABLE t%03d (id INT AUTO_INCREMENT PRIMARY KEY, c %s);\nINSERT INTO t%03d (c) VALUES %s;\n' $n "$type" $n "$values"
    done < <(grep -v '^#' tests/integration/types.txt)
    printf "CREATE TABLE enums (id INT AUTO_INCREMENT PRIMARY KEY, c ENUM(%s));\nINSERT INTO enums (c) VALUES (1),(255),(256),(300),(0),(NULL);\n" \
        "$(seq -f "'member %g'" -s, 300)"
}

# Text of many scripts, what of it the character set has, and every byte as far as it is text; also in the key.
make_charsets() { # server
    local set bytes
    bytes=$(printf '%02x' $(seq 1 255))
    for set in $(sql "$1" "SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS"); do
        cat <<END
CREATE TABLE cs_$set (id INT AUTO_INCREMENT, c VARCHAR(255) CHARACTER SET $set NOT NULL, d TEXT CHARACTER SET $set AS (c) VIRTUAL, PRIMARY KEY (id, c));
INSERT INTO cs_$set (c) VALUES (''), ('plain ''\\\\"'), ('trailing  '), (CONVERT(_utf8mb4'Aéß Ωλ Жш אב ไทย 漢字 かな 한글 😀' USING $set)), (UNHEX('$bytes'));
END
    done
}
