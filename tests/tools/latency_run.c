/*
 * latency_run - how long from a commit's OK at the source to the row being seen at the target.
 *
 *     latency_run SOURCE_PORT TARGET_PORT N GAP_US
 *
 * One row a commit into lat.t, read busily at the target.  Prints p50 and p99 in milliseconds.
 */
#include <mysql.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define GIVE_UP_US 10000000

static MYSQL *open_server(const char *port)
{
    MYSQL *db = mysql_init(NULL);

    if (!mysql_real_connect(db, "127.0.0.1", "sluice", "sluice", "lat",
                            (unsigned)strtoul(port, NULL, 10), NULL, 0)) {
        fprintf(stderr, "latency_run: %s\n", mysql_error(db));
        exit(1);
    }
    return db;
}

/* Runs it; returns the first value of the result, or -1 without one. */
static long ask(MYSQL *db, const char *sql)
{
    long value = -1;

    if (mysql_query(db, sql)) {
        fprintf(stderr, "latency_run: %s\n", mysql_error(db));
        exit(1);
    }
    MYSQL_RES *r = mysql_store_result(db);
    MYSQL_ROW row = r ? mysql_fetch_row(r) : NULL;

    if (row)
        value = row[0] ? strtol(row[0], NULL, 10) : 0;
    mysql_free_result(r);
    return value;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t one(MYSQL *source, MYSQL *target, long id)
{
    char insert[100], select[100];
    int64_t acknowledged;

    snprintf(insert, sizeof insert, "INSERT INTO t VALUES (%ld, 'payload %ld')", id, id);
    snprintf(select, sizeof select, "SELECT id FROM t WHERE id = %ld", id);
    ask(source, insert);
    acknowledged = clock_mono_us();
    while (ask(target, select) < 0) {
        if (clock_mono_us() - acknowledged > GIVE_UP_US) {
            fprintf(stderr, "latency_run: row %ld does not arrive\n", id);
            exit(1);
        }
    }
    return clock_mono_us() - acknowledged;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "latency_run SOURCE_PORT TARGET_PORT N GAP_US\n");
        return 1;
    }
    size_t n = strtoul(argv[3], NULL, 10);
    unsigned gap_us = (unsigned)strtoul(argv[4], NULL, 10);
    MYSQL *source = open_server(argv[1]), *target = open_server(argv[2]);
    int64_t *took = calloc(n, sizeof *took);
    long base = ask(source, "SELECT COALESCE(MAX(id), 0) FROM t");

    for (size_t i = 0; i < n; i++) {
        took[i] = one(source, target, base + (long)i + 1);
        if (gap_us)
            usleep(gap_us);
    }
    qsort(took, n, sizeof *took, compare);
    printf("%.3f %.3f\n", (double)took[n / 2] / 1e3, (double)took[n * 99 / 100] / 1e3);
    free(took);
    mysql_close(source);
    mysql_close(target);
    return 0;
}
