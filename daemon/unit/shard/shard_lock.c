/* shard_lock.c - tasks/<t>/locks/<id>/: what it shows, and what the operator says of it. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/scope.h"
#include "unit/job.h"
#include "unit/shard/shards_priv.h"

#define ORDER_TRIES 20

/* --- life --- */

static void lock_release(struct node *n) NO_THREAD_CHECK
{
    struct shard_lock *l = shard_lock_of(n);

    shards_unref(l->shards);
    json_decref(l->shown);
    mutex_fini(&l->lock);
    free(l->schema);
    free(l->table);
    free(l);
}

static void lock_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&shard_lock_of(n)->lock);
}

static void lock_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&shard_lock_of(n)->lock);
}

/* --- the operator's word --- */

struct order {
    const char *source, *schema, *table; /* NULL: the lock as a whole */
    int word;                            /* enum shard_word, or -1: drop */
};

static int apply(struct shard_group *g, const struct order *o, struct err *err)
{
    struct shard_member *m = o->source ? shard_find(g, o->source, o->schema, o->table) : NULL;
    int rc = 0;

    if (o->source && !m)
        return err_set(err, -ENOENT, "source %s `%s`.`%s` is no part of this lock", o->source,
                       o->schema, o->table);
    if (o->word < 0)
        shard_drop(g, m);
    else
        rc = shard_order(g, m, (enum shard_word)o->word, err);
    if (rc == 0)
        shard_settle(g);
    return rc;
}

static int try_order(struct mysql_conn *c, const struct job *job, const struct shard_lock *l,
                     const struct order *o, struct err *err)
{
    SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = shard_store_read_one(c, job, l->schema, l->table, &row, err);

    if (rc == -ENOENT)
        return err_set(err, rc, "no DDL lock exists: the target has no such group any more");
    if (rc == 0)
        rc = apply(&row.group, o, err);
    if (rc < 0)
        return rc;
    shard_store_sql(job, &row, &sql);
    return mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
}

static int give_order(const struct job *job, const struct shard_lock *l, const struct order *o,
                      struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows rows = { .n = 0 };
    struct mysql_conn *c;
    uint64_t at;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return err_of_target(err);
    for (unsigned i = 0; i < ORDER_TRIES; i++) {
        *err = ERR_INIT;
        rc = try_order(c, job, l, o, err);
        if (rc == 0 || !shard_store_stale(err))
            break;
    }
    shards_moved(l->shards);
    at = shards_generation(l->shards);
    if (rc == 0)
        rc = shard_store_read(c, job, &rows, err);
    mysql_conn_close(c);
    if (rc == 0)
        shards_tell(l->shards, &rows, at, NULL);
    return rc;
}

static const char *param(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

static int run_order(struct node *n, const json_t *args, int word, struct err *err)
{
    struct shard_lock *l = shard_lock_of(n);
    struct order o = { param(args, "source"), param(args, "database"), param(args, "table"), word };
    const struct job *job = NULL;
    int rc;

    if (!o.source != !o.schema || !o.source != !o.table)
        return err_set(err, -EINVAL, "a table is named by source, database and table together");
    mutex_lock(&l->shards->lock);
    if (l->shards->job)
        job = job_ref(l->shards->job);
    mutex_unlock(&l->shards->lock);
    if (!job)
        return err_set(err, -EBUSY, "the task does not run: resume it first");
    rc = give_order(job, l, &o, err);
    job_unref(job);
    return rc;
}

static int run_exec(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_EXEC, err);
}

static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_SKIP, err);
}

static int run_adopt(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, SHARD_ADOPT, err);
}

static int run_drop(struct node *n, const json_t *args, struct err *err)
{
    return run_order(n, args, -1, err);
}

/* --- rows --- */

static json_t *get_shown(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    json_t *v = json_object_get(shard_lock_of(n)->shown, a->name);

    (void)err;
    return v ? json_deep_copy(v) : json_string("");
}

static int64_t since_us(const struct node *n) NO_THREAD_CHECK
{
    return json_integer_value(json_object_get(shard_lock_of(n)->shown, "since_us"));
}

static json_t *get_since(const struct node *n, const struct attr *a, struct err *err)
{
    char text[CLOCK_TEXT_SIZE];

    (void)a, (void)err;
    if (!since_us(n))
        return json_string("");
    clock_text(since_us(n), text);
    return json_string(text);
}

static json_t *get_waiting(const struct node *n, const struct attr *a, struct err *err)
{
    int64_t since = since_us(n), now = clock_wall_us();

    (void)a, (void)err;
    return json_real(since && now > since ? (double)(now - since) / 1e6 : 0.0);
}

static const struct attr lock_attrs[] = {
    { .name = "mode",
      .help = "pessimistic, all tables must come to the same DDL; optimistic, the target takes the "
              "rows of all as they are",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "target",
      .help = "Table of the target that they are merged into",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "owner",
      .help = "Source of the table that waited first; empty: none waits, but their structures "
              "differ",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "ddls",
      .help = "The statements that the lock is about, with the target's names",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "first_location",
      .help = "Where the owner's source has the first of them, as DM says it: (file, position); "
              "empty: none waits",
      .type = ATTR_TEXT,
      .get = get_shown },
    { .name = "synced",
      .help = "Tables that came to it, by source, schema and table",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "unsynced",
      .help = "Tables that are still to come to it",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "waiting",
      .help = "Tables that stand still, each with its statement, where its source has that, and "
              "what is in conflict",
      .type = ATTR_JSON,
      .get = get_shown },
    { .name = "since",
      .help = "When the first began to wait",
      .type = ATTR_TIME,
      .get = get_since },
    { .name = "waiting_seconds",
      .help = "For how long the first has waited",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_waiting },
    { .name = "conflict",
      .help = "Why it does not end by itself; empty: it does, once the others come to it",
      .type = ATTR_TEXT,
      .get = get_shown },
    { 0 },
};

static const struct attr order_params[] = {
    { .name = "source", .help = "One table of the lock: its source", .type = ATTR_TEXT },
    { .name = "database", .help = "... its schema there", .type = ATTR_TEXT },
    { .name = "table", .help = "... its name there", .type = ATTR_TEXT },
    { 0 },
};

static const struct action lock_actions[] = {
    { .name = "exec",
      .help = "Runs the statement of the owner (or of the table named) at the target now, whoever "
              "is missing; those who come later pass it by",
      .params = order_params,
      .run = run_exec },
    { .name = "skip",
      .help = "Leaves the statement out: those who wait (or the table named) go on behind it",
      .params = order_params,
      .run = run_skip },
    { .name = "adopt",
      .help = "As skip, but what the statement makes was made at the target by hand and counts as "
              "the table's structure",
      .params = order_params,
      .run = run_adopt },
    { .name = "drop",
      .help = "Forgets the lock: those who wait ask again. With a table: it is no part of it any "
              "more, and the others do not wait for it",
      .params = order_params,
      .run = run_drop },
    { 0 },
};

static const char *const lock_examples[] = { "cat waiting_seconds conflict unsynced", "echo > exec",
                                             "echo 'source=s1 database=d table=t1' > skip", NULL };

const struct node_type shard_lock_type = {
    .name = "shard_lock",
    .help = "A DDL that some tables of a merged one came to and others did not, or not as they did",
    .examples = lock_examples,
    .attrs = lock_attrs,
    .actions = lock_actions,
    .lock = lock_lock,
    .unlock = lock_unlock,
    .release = lock_release,
};
