/*
 * writer.c - a client that commits random transactions until it is told to stop.
 *
 *     writer PORT DB SEED [TRANSACTIONS [PAUSE_US [ddl]]]
 *
 * Makes its tables when they are missing: one with a secondary unique key, one
 * without any key, one with a composite key, parent and child with a foreign
 * key.  Unique values are swapped, keys move, rows come and go, some
 * transactions roll back; with "ddl" columns are added and dropped too.
 * Everything follows from SEED.  Ends at SIGTERM or after TRANSACTIONS with
 * the number committed on standard output; reconnects while its server restarts.
 */
#include <mysql.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#define KEYS 400

static volatile sig_atomic_t stopping;
static MYSQL *db;
static unsigned port;
static const char *schema;
static uint64_t seed;

static void stop(int sig)
{
    (void)sig;
    stopping = 1;
}

static unsigned below(unsigned n) /* xorshift: the same story on every machine */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

__attribute__((format(printf, 1, 2))) static int run(const char *fmt, ...)
{
    char sql[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(sql, sizeof sql, fmt, ap);
    va_end(ap);
    return mysql_query(db, sql) == 0 ? 0 : (int)mysql_errno(db);
}

static const char *const tables[] = {
    "CREATE TABLE IF NOT EXISTS uniq (id INT PRIMARY KEY, u INT NOT NULL UNIQUE, v VARCHAR(80))",
    "CREATE TABLE IF NOT EXISTS nokey (a INT, b VARCHAR(40), c DOUBLE)",
    "CREATE TABLE IF NOT EXISTS pair (a INT, b VARCHAR(20), n BIGINT UNSIGNED, t TIMESTAMP(6) "
    "NULL, "
    "d DECIMAL(20,6), PRIMARY KEY (a, b))",
    "CREATE TABLE IF NOT EXISTS parent (id INT PRIMARY KEY, v INT)",
    ("CREATE TABLE IF NOT EXISTS child (id INT AUTO_INCREMENT PRIMARY KEY, p INT, v TEXT, "
     "FOREIGN KEY (p) REFERENCES parent (id))"),
    "CREATE TABLE IF NOT EXISTS big (id INT PRIMARY KEY, b MEDIUMBLOB)",
};

static int connect_once(void)
{
    if (db)
        mysql_close(db);
    db = mysql_init(NULL);
    return mysql_real_connect(db, "127.0.0.1", "sluice", "sluice", NULL, port, NULL, 0) ? 0 : -1;
}

static void connect_anyhow(void)
{
    while (!stopping && connect_once() < 0)
        usleep(100000);
    run("CREATE DATABASE IF NOT EXISTS `%s`", schema);
    mysql_select_db(db, schema);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        run("%s", tables[i]);
}

static int change_uniq(void)
{
    unsigned a = below(KEYS), b = below(KEYS);

    switch (below(6)) {
    case 0:
        return run("DELETE FROM uniq WHERE id=%u", a);
    case 1: /* the key itself moves */
        return run("UPDATE IGNORE uniq SET id=%u WHERE id=%u", b, a);
    case 2: /* two rows swap a unique value */
        run("SELECT u INTO @a FROM uniq WHERE id=%u", a);
        run("SELECT u INTO @b FROM uniq WHERE id=%u", b);
        if (a == b ||
            run("UPDATE uniq SET u=-1 WHERE id=%u AND @a IS NOT NULL AND @b IS NOT NULL", a))
            return 0;
        run("UPDATE uniq SET u=IF(u=@b, @a, u) WHERE id=%u", b);
        return run("UPDATE uniq SET u=@b WHERE id=%u AND u=-1", a);
    default:
        return run("INSERT INTO uniq VALUES (%u, %u, REPEAT('%c', %u)) ON DUPLICATE KEY UPDATE "
                   "v=VALUES(v)",
                   a, 1000 + b, 'a' + (int)below(26), below(80));
    }
}

static int change_nokey(void)
{
    switch (below(4)) {
    case 0:
        return run("DELETE FROM nokey WHERE a=%u LIMIT 1", below(40));
    case 1:
        return run("UPDATE nokey SET c=%u/7 WHERE a=%u LIMIT 2", below(1000), below(40));
    default:
        return run("INSERT INTO nokey VALUES (%u, IF(%u, 'aB', 'Ab '), %u/3)", below(40), below(2),
                   below(9));
    }
}

static int change_pair(void)
{
    if (below(4) == 0)
        return run("DELETE FROM pair WHERE a=%u", below(60));
    return run("REPLACE INTO pair VALUES (%u, '%c', 18446744073709551615-%u, '20%02u-01-02 "
               "03:04:05.%06u', -%u.5)",
               below(60), 'a' + (int)below(6), below(99), 10 + below(20), below(1000000),
               below(100000));
}

static int change_family(void)
{
    unsigned p = below(50);

    if (below(5) == 0) {
        run("DELETE FROM child WHERE p=%u", p);
        return run("DELETE FROM parent WHERE id=%u", p);
    }
    run("INSERT INTO parent VALUES (%u, %u) ON DUPLICATE KEY UPDATE v=v+1", p, below(100));
    return run("INSERT INTO child (p, v) VALUES (%u, 'child of %u')", p, p);
}

static int change_big(void)
{
    return run("REPLACE INTO big VALUES (%u, REPEAT(CHAR(%u), %u))", below(20), below(256),
               below(100000));
}

static void change_schema(void)
{
    unsigned n = below(4);

    if (below(2))
        run("ALTER TABLE uniq ADD COLUMN x%u INT DEFAULT %u", n, below(100));
    else
        run("ALTER TABLE uniq DROP COLUMN x%u", n);
}

static int transaction(void)
{
    static int (*const changes[])(void) = { change_uniq, change_nokey, change_pair, change_family,
                                            change_big };
    unsigned n = 1 + below(6);
    int rc = run("BEGIN");

    for (unsigned i = 0; i < n; i++) {
        unsigned which = below(41);

        changes[which == 40 ? 4 : which % 4]();
        if (mysql_errno(db) >= 2000)
            return -1;
    }
    if (below(12) == 0)
        return run("ROLLBACK"), 1;
    rc = run("COMMIT");
    return rc >= 2000 ? -1 : rc != 0;
}

int main(int argc, char **argv)
{
    long limit = argc > 4 ? strtol(argv[4], NULL, 10) : 0, committed = 0;
    long pause_us = argc > 5 ? strtol(argv[5], NULL, 10) : 0;
    int with_ddl = argc > 6 && strcmp(argv[6], "ddl") == 0;

    if (argc < 4)
        return fprintf(stderr, "writer PORT DB SEED [TRANSACTIONS [PAUSE_US [ddl]]]\n"), 2;
    port = (unsigned)strtoul(argv[1], NULL, 10);
    schema = argv[2];
    seed = strtoull(argv[3], NULL, 10) * 2654435761u + 88172645463325252u;
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    connect_anyhow();
    while (!stopping && (limit == 0 || committed < limit)) {
        int rc = transaction();

        if (rc < 0)
            connect_anyhow();
        committed += rc == 0;
        if (with_ddl && below(60) == 0)
            change_schema();
        if (pause_us)
            usleep((useconds_t)pause_us);
    }
    printf("%ld transactions committed\n", committed);
    mysql_close(db);
    return 0;
}
