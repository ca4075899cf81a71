/*
 * mysql_run.c - daemon/mysql against a real server, for tests/integration/mysql_*.sh.
 *
 *     mysql_run HOST PORT USER PASSWORD COMMAND [key=value...]
 *
 * Environment: TLS=required, CA=FILE, CN=name,name.  Commands print what they
 * saw, one fact a line, and "error CODE TEXT" with exit status 1 on failure.
 *
 *     login                                  version and cipher-independent facts
 *     stream from=FILE:OFFSET | gtid=SET     [count=N] [heartbeat=MS] [cancel=MS]
 *                                            [server_id=N]
 *     rows table=DB.TABLE                    values of every kind, NULLs, mixed, 20 MB; by bulk or
 *                                            one by one
 *     load table=DB.TABLE rows=N [abort=N]   LOAD DATA LOCAL
 *     rogue table=DB.TABLE                   a LOAD that we did not ask for
 *     multi sql=...                          several statements in one packet
 *     tables schema=DB                       are all read at once as each by itself is?
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/slice.h"
#include "binlog/control.h"
#include "binlog/value.h"
#include "mysql/stream.h"
#include "mysql/table_many.h"

static struct mysql_params params;
static char **args;
static struct err err;

static const char *arg(const char *key, const char *fallback)
{
    size_t n = strlen(key);

    for (char **a = args; *a; a++)
        if (strncmp(*a, key, n) == 0 && (*a)[n] == '=')
            return *a + n + 1;
    return fallback;
}

static uint64_t number(const char *key, uint64_t fallback)
{
    const char *text = arg(key, NULL);

    return text ? strtoull(text, NULL, 10) : fallback;
}

static int fail(void)
{
    printf("error %s %s\n", strerrorname_np(-err.code), err.text);
    return 1;
}

static char *read_file(const char *path)
{
    struct buf b = BUF_INIT;
    char piece[4096];
    size_t n;
    FILE *f = path ? fopen(path, "r") : NULL;

    if (!f)
        return NULL;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    fclose(f);
    return buf_steal(&b);
}

static struct mysql_conn *connect_or_exit(void)
{
    struct mysql_conn *c;

    if (mysql_conn_open(&c, &params, &err) < 0)
        exit(fail());
    return c;
}

static int run_login(void)
{
    struct mysql_conn *c = connect_or_exit();
    char *cipher;

    if (mysql_scalar(c, &cipher, &err, "SHOW SESSION STATUS LIKE 'Ssl_cipher'") < 0)
        return fail();
    free(cipher);
    printf("ok %s\n", mysql_conn_flavor(c) == FLAVOR_MARIADB ? "mariadb" : "mysql");
    mysql_conn_close(c);
    return 0;
}

/* --- stream --- */

static void *cancel_later(void *s)
{
    usleep((useconds_t)number("cancel", 0) * 1000);
    mysql_stream_shutdown(s);
    return NULL;
}

static int parse_start(struct position *pos, enum flavor flavor)
{
    const char *from = arg("from", NULL), *colon = from ? strchr(from, ':') : NULL;

    if (!from)
        return gtid_set_parse(&pos->gtids, flavor, arg("gtid", ""), &err);
    snprintf(pos->file, sizeof pos->file, "%.*s", (int)(colon - from), from);
    pos->offset = strtoull(colon + 1, NULL, 10);
    return 0;
}

static void count_events(struct mysql_stream *s, uint64_t most)
{
    uint64_t n = 0, bytes = 0, biggest = 0, bad = 0, types[256] = { 0 };
    struct event_format fmt = { 0 };
    struct event ev = { 0 };
    uint32_t created;
    struct slice raw;
    int rc = 1;

    while (n < most && (rc = mysql_stream_next(s, &raw, &err)) > 0) {
        n++;
        bytes += raw.size;
        biggest = raw.size > biggest ? raw.size : biggest;
        if (event_parse(raw, &fmt, true, &ev, &err) < 0 ||
            (ev.type == EVENT_FORMAT_DESCRIPTION && format_decode(&ev, &fmt, &created, &err) < 0))
            bad++;
        types[ev.type]++;
    }
    printf("events %" PRIu64 "\nbytes %" PRIu64 "\nbiggest %" PRIu64 "\nbad %" PRIu64 "\n", n,
           bytes, biggest, bad);
    for (unsigned t = 0; t < 256; t++)
        if (types[t])
            printf("type %s %" PRIu64 "\n", event_type_name((uint8_t)t), types[t]);
    printf(rc < 0 ? "" : rc ? "enough\n" : "end\n");
    if (rc < 0)
        fail();
}

static int run_stream(void)
{
    struct mysql_stream_options o = { .by_gtid = arg("from", NULL) == NULL,
                                      .stop_at_end = arg("count", NULL) == NULL,
                                      .heartbeat_ms = (unsigned)number("heartbeat", 0),
                                      .server_id = (uint32_t)number("server_id", 0) };
    struct mysql_conn *c = connect_or_exit();
    enum flavor flavor = mysql_conn_flavor(c);
    struct position pos = { .gtids = NULL };
    struct mysql_stream *s;
    pthread_t t;

    mysql_conn_close(c);
    if (parse_start(&pos, flavor) < 0 || mysql_stream_open(&s, &params, &pos, &o, &err) < 0)
        return fail();
    if (number("cancel", 0))
        pthread_create(&t, NULL, cancel_later, s);
    count_events(s, number("count", UINT64_MAX));
    if (number("cancel", 0))
        pthread_join(t, NULL);
    mysql_stream_close(s);
    position_fini(&pos);
    return err.code ? 1 : 0;
}

/* --- rows --- */

#define BIG_SIZE (20u << 20)

static struct value bytes_of(const void *p, size_t size)
{
    return (struct value){ .kind = VALUE_BYTES, .p = p, .size = (uint32_t)size };
}

/* id, number, text, real, single, blob.  The second column has kinds of two sorts. */
static void make_row(struct value *row, int64_t id, const char *big)
{
    row[0] = (struct value){ .kind = VALUE_INT, .i = id };
    row[1] = id % 2 ? (struct value){ .kind = VALUE_UINT, .u = UINT64_MAX - (uint64_t)id }
                    : (struct value){ .kind = VALUE_TEXT, .p = (const uint8_t *)"12", .size = 2 };
    row[2] = id % 3 ? bytes_of("it's\\\0x", 7) : (struct value){ .kind = VALUE_NULL };
    row[3] = (struct value){ .kind = VALUE_DOUBLE, .d = 1.0 / 3 };
    row[4] = id % 5 ? (struct value){ .kind = VALUE_FLOAT, .f = 0.1f }
                    : (struct value){ .kind = VALUE_NULL };
    row[5] = id == 7 ? bytes_of(big, BIG_SIZE) : bytes_of(big, (size_t)id);
}

#define N_ROWS 100

static int run_rows(void)
{
    static struct value rows[N_ROWS][6];
    static const struct value *pointers[N_ROWS];
    static const unsigned columns[6] = { 0, 1, 2, 3, 4, 5 };
    struct mysql_conn *c = connect_or_exit();
    SCOPED(freep) char *big = xmalloc(BIG_SIZE);
    SCOPED(freep)
    char *sql = xasprintf("INSERT INTO %s VALUES (?, ?, ?, ?, ?, ?)", arg("table", ""));
    size_t step = mysql_conn_has_bulk(c) ? N_ROWS : 1;
    uint64_t affected, sum = 0;
    struct mysql_stmt *s;
    int rc;

    memset(big, 'b', BIG_SIZE);
    for (size_t i = 0; i < N_ROWS; i++) {
        make_row(rows[i], (int64_t)i, big);
        pointers[i] = rows[i];
    }
    if (mysql_stmt_open(c, slice_str(sql), &s, &err) < 0)
        return fail();
    if (step == 1) {
        rc = mysql_stmt_exec_rows(s, pointers, columns, 2, &affected, &err);
        printf("two rows at once: %s\n", rc < 0 ? strerrorname_np(-rc) : "taken");
    }
    for (size_t i = 0; i < N_ROWS; i += step) {
        if (mysql_stmt_exec_rows(s, pointers + i, columns, step, &affected, &err) < 0)
            return fail();
        sum += affected;
    }
    printf("affected %" PRIu64 "\n", sum);
    mysql_stmt_close_free(s);
    mysql_conn_close(c);
    return 0;
}

/* --- load --- */

struct lines {
    uint64_t next, end, abort_at;
};

static ssize_t next_lines(void *arg_, char *to, size_t size)
{
    struct lines *l = arg_;
    size_t at = 0;

    if (l->abort_at && l->next >= l->abort_at)
        return -1;
    while (l->next < l->end && size - at > 32)
        at += (size_t)snprintf(to + at, size - at, "%" PRIu64 "\n", l->next++);
    return (ssize_t)at;
}

static int run_load(void)
{
    struct mysql_conn *c = connect_or_exit();
    struct lines l = { .end = number("rows", 0), .abort_at = number("abort", 0) };
    SCOPED(freep)
    char *sql = xasprintf("LOAD DATA LOCAL INFILE 'any' INTO TABLE %s", arg("table", ""));
    struct mysql_load_result r;
    int rc;

    if (mysql_conn_execf(c, &err, "BEGIN") < 0)
        return fail();
    rc = mysql_conn_load(c, slice_str(sql), next_lines, &l, &r, &err);
    if (rc < 0)
        fail();
    else
        printf("records %" PRIu64 " skipped %" PRIu64 " warnings %" PRIu64 "\n", r.records,
               r.skipped, r.warnings);
    if (mysql_conn_execf(c, &err, rc < 0 ? "ROLLBACK" : "COMMIT") < 0)
        return fail();
    mysql_conn_close(c);
    return rc < 0;
}

static int run_rogue(void)
{
    struct mysql_conn *c = connect_or_exit();
    int rc = mysql_conn_execf(c, &err, "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE %s",
                              arg("table", ""));

    if (rc < 0)
        fail();
    rc = mysql_conn_execf(c, &err, "DO 1");
    printf("afterwards %s\n", rc < 0 ? err.text : "usable");
    mysql_conn_close(c);
    return 0;
}

static int run_multi(void)
{
    struct mysql_conn *c = connect_or_exit();
    uint64_t affected = 0;
    unsigned n = 0;
    int rc = mysql_conn_send(c, slice_str(arg("sql", "")), &err);

    if (rc == 0)
        rc = mysql_conn_recv(c, &n, &affected, &err);
    printf("done %u affected %" PRIu64 "\n", n, affected);
    if (rc < 0)
        fail();
    mysql_conn_close(c);
    return rc < 0;
}

/* --- tables --- */

static void add_columns(struct buf *out, const struct table_def *t)
{
    for (unsigned i = 0; i < t->n_cols; i++) {
        const struct table_column *c = &t->cols[i];

        buf_printf(out, " %s %s %s %s %s %d%d%d%d%d%d%d%d%d%d\n", c->name, c->data_type,
                   c->column_type, c->charset ? c->charset : "-", c->collation ? c->collation : "-",
                   c->is_unsigned, c->nullable, c->invisible, c->generated, c->is_virtual,
                   c->auto_increment, c->on_update_now, c->needs_value, c->json,
                   strcmp(c->data_type, "uuid") == 0);
    }
}

static void add_keys(struct buf *out, const struct table_def *t)
{
    for (unsigned i = 0; i < t->n_keys; i++) {
        const struct table_key *k = &t->keys[i];

        buf_printf(out, " key %s %d%d%d", k->name, k->unique, k->primary, k->functional);
        for (unsigned j = 0; j < k->n_parts; j++)
            buf_printf(out, " %u/%u", k->cols[j], k->prefix[j]);
        buf_str(out, "\n");
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_foreign(struct buf *out, const struct table_def *t)
{
    char **lines = xcalloc(t->n_foreign + 1, sizeof *lines);

    for (unsigned i = 0; i < t->n_foreign; i++) {
        const struct table_foreign_key *f = &t->foreign[i];

        lines[i] = xasprintf(" foreign %s %s.%s %s.%s %s %s\n", f->name, f->db, f->table, f->to_db,
                             f->to_table, f->on_update, f->on_delete);
    }
    qsort(lines, t->n_foreign, sizeof *lines, by_text); /* servers have no order for them */
    for (unsigned i = 0; i < t->n_foreign; i++) {
        buf_str(out, lines[i]);
        free(lines[i]);
    }
    free(lines);
}

static char *described(const struct table_def *t)
{
    struct buf out = BUF_INIT;

    buf_printf(&out, "%s.%s %s %s %d %d%d%d\n", t->db, t->name, t->engine ? t->engine : "-",
               t->collation ? t->collation : "-", t->kind, t->transactional, t->versioned,
               t->has_foreign_keys);
    add_columns(&out, t);
    add_keys(&out, t);
    add_foreign(&out, t);
    return buf_steal(&out);
}

static bool same_definition(struct table_many *many, struct mysql_conn *c,
                            const struct table_name *n, unsigned *n_foreign)
{
    struct table_def *one, *of_many;
    char *a, *b;
    bool same;

    if (table_read(c, n->db, n->name, &one, &err) < 0 ||
        table_many_read(many, n->db, n->name, &of_many, &err) < 0)
        return false;
    a = described(one);
    b = described(of_many);
    same = strcmp(a, b) == 0;
    if (!same)
        printf("alone: %sof many: %s", a, b);
    *n_foreign += one->n_foreign;
    free(a);
    free(b);
    table_free(one);
    table_free(of_many);
    return same;
}

static int run_tables(void)
{
    const char *db = arg("schema", "");
    struct mysql_conn *c;
    struct table_names names;
    struct table_many many = { .n_schemas = 0 };
    unsigned n_foreign = 0, i = 0;

    if (mysql_conn_open(&c, &params, &err) < 0 || table_list(c, db, &names, &err) < 0)
        return fail();
    many.conn = c;
    table_many_want(&many, db, 1000);
    while (i < names.n && same_definition(&many, c, &names.names[i], &n_foreign))
        i++;
    if (err.code)
        return fail();
    printf("%u of %u equal, %u foreign keys, %s\n", i, names.n, n_foreign,
           many.schemas[0].read ? "at once" : "one by one");
    table_many_fini(&many);
    table_names_fini(&names);
    mysql_conn_close(c);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} commands[] = {
    { "login", run_login },   { "stream", run_stream }, { "rows", run_rows },
    { "load", run_load },     { "rogue", run_rogue },   { "multi", run_multi },
    { "tables", run_tables },
};

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "mysql_run HOST PORT USER PASSWORD COMMAND [key=value...]\n");
        return 2;
    }
    params = (struct mysql_params){
        .host = argv[1],
        .port = (unsigned)strtoul(argv[2], NULL, 10),
        .user = argv[3],
        .password = argv[4],
        .tls = { .required = getenv("TLS") != NULL,
                 .ca = read_file(getenv("CA")),
                 .allowed_cn = getenv("CN") },
    };
    params.tls.verify = params.tls.ca != NULL;
    args = argv + 6;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, argv[5]) == 0)
            return commands[i].run();
    fprintf(stderr, "no command %s\n", argv[5]);
    return 2;
}
