/*
 * shard_story.h - tables that are merged into one, in small: each has statements that come one
 * after the other, as the stream of its source brings them.
 */
#ifndef SLUICE_TESTS_ROUTE_SHARD_STORY_H
#define SLUICE_TESTS_ROUTE_SHARD_STORY_H

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/shard_group.h"

/* --- a server in small: a table's elements, and statements that change them ---
 *
 *     + c int        ADD COLUMN, or a key        - c          DROP COLUMN, DROP KEY
 *     ~ a c int      CHANGE a to c int           ! c bigint   MODIFY
 *     = text         changes nothing that counts: a partition, the engine
 * Several of them, parted by " ; ", are one ALTER. */

#define ELEMENTS 16

struct text {
    unsigned n;
    char *elements[ELEMENTS];
};

static inline void text_init(struct text *t, const char *create)
{
    const char *at = strchr(create, '(') + 1, *end = strrchr(create, ')');

    t->n = 0;
    while (at < end) {
        const char *sep = strstr(at, " ;; ");
        size_t size = sep && sep < end ? (size_t)(sep - at) : (size_t)(end - at);

        t->elements[t->n++] = xstrndup(at, size);
        at += size + 4;
    }
}

static inline bool is_called(const char *element, const char *name, size_t size)
{
    const char *key = strstr(element, "KEY ");

    element = key ? key + 4 : element;
    return strncmp(element, name, size) == 0 && (element[size] == ' ' || element[size] == '\0');
}

static inline unsigned position(const struct text *t, const char *name, size_t size)
{
    for (unsigned i = 0; i < t->n; i++)
        if (is_called(t->elements[i], name, size))
            return i;
    cr_assert_fail("no element %.*s", (int)size, name);
    return 0;
}

static inline void edit_one(struct text *t, const char *edit, size_t size)
{
    SCOPED(freep) char *rest = xstrndup(edit + 2, size - 2);
    size_t n = strcspn(rest, " ");
    unsigned at;

    switch (edit[0]) {
    case '+':
        t->elements[t->n++] = xstrdup(rest);
        break;
    case '-':
        at = position(t, rest, strlen(rest));
        free(t->elements[at]);
        memmove(&t->elements[at], &t->elements[at + 1], (--t->n - at) * sizeof *t->elements);
        break;
    case '~':
    case '!':
        at = position(t, rest, n);
        free(t->elements[at]);
        t->elements[at] = xstrdup(edit[0] == '!' ? rest : rest + n + 1);
        break;
    }
}

/* The table after a statement; caller frees. */
static inline char *edited(const char *create, const char *edit)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    struct text t;

    text_init(&t, create);
    for (const char *at = edit; at;) {
        const char *sep = strstr(at, " ; ");

        edit_one(&t, at, sep ? (size_t)(sep - at) : strlen(at));
        at = sep ? sep + 3 : NULL;
    }
    buf_str(&out, "CREATE TABLE t (");
    for (unsigned i = 0; i < t.n; i++) {
        buf_printf(&out, "%s%s", i ? " ;; " : "", t.elements[i]);
        free(t.elements[i]);
    }
    buf_str(&out, ")");
    return buf_steal(&out);
}

/* What shard_table.h reads: commas between the elements. */
static inline char *sql(const char *create)
{
    char *s = xstrdup(create);

    for (char *at = s; (at = strstr(at, " ;; "));)
        memcpy(at, " ,  ", 4);
    return s;
}

/* --- shards whose statements come one after the other --- */

#define SHARDS 4
#define QUEUED 16

struct story {
    struct shard_group group;
    char *create[SHARDS]; /* as the shard is where its stream is */
    const char *queue[SHARDS][QUEUED];
    unsigned n_queue[SHARDS];
    char ran[512]; /* statements at the target */
    int64_t clock;
};

static const char *const names[SHARDS] = { "t1", "t2", "t3", "t4" };

static inline void story_init(struct story *s, enum shard_mode mode, unsigned n, const char *create)
{
    SCOPED(freep) char *now = sql(create);

    *s = (struct story){ .group = { .mode = mode } };
    for (unsigned i = 0; i < n; i++) {
        shard_join(&s->group, "s1", "d", names[i], now);
        s->create[i] = xstrdup(create);
    }
}

static inline void story_fini(struct story *s)
{
    shard_group_fini(&s->group);
    for (unsigned i = 0; i < SHARDS; i++)
        free(s->create[i]);
}

static inline struct shard_member *shard(struct story *s, unsigned i)
{
    return shard_find(&s->group, "s1", "d", names[i]);
}

static const char verdicts[] = "RPWC";

/* What its clauses make of the table, one after the other, as shard_table.h reads it. */
struct clauses {
    unsigned n;
    char *texts[ELEMENTS], *steps[ELEMENTS];
    bool run[ELEMENTS];
};

static inline void clauses_init(struct clauses *c, const char *create, const char *edit)
{
    SCOPED(freep) char *now = xstrdup(create);

    c->n = 0;
    for (const char *at = edit; at;) {
        const char *sep = strstr(at, " ; ");
        char *text = xstrndup(at, sep ? (size_t)(sep - at) : strlen(at)), *after;

        after = edited(now, text);
        c->texts[c->n] = text;
        c->steps[c->n++] = sql(after);
        free(now);
        now = after;
        at = sep ? sep + 3 : NULL;
    }
}

static inline void clauses_fini(struct clauses *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        free(c->texts[i]);
        free(c->steps[i]);
    }
}

/* A server takes no AUTO_INCREMENT without its key. */
static inline unsigned n_alone(const struct clauses *c)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strstr(c->texts[i], "AUTO_INCREMENT"))
            return 0;
    return c->n > 1 ? c->n : 0;
}

static inline void note_run(struct story *s, const struct clauses *c, const char *edit)
{
    SCOPED(buf_fini) struct buf ran = BUF_INIT;

    buf_str(&ran, s->ran);
    for (unsigned i = 0; i < c->n && !edit; i++)
        if (c->run[i])
            buf_printf(&ran, "%s%s", ran.size == strlen(s->ran) ? "" : " ; ", c->texts[i]);
    buf_printf(&ran, "%s|", edit ? edit : "");
    snprintf(s->ran, sizeof s->ran, "%s", ran.data);
}

static inline bool any_runs(const struct clauses *c)
{
    for (unsigned i = 0; i < c->n; i++)
        if (c->run[i])
            return true;
    return false;
}

/* The verdict; 'c' has what is run of it if it goes clause by clause (*parts). */
static inline enum shard_verdict ask(struct story *s, unsigned i, const char *edit,
                                     struct clauses *c, bool *parts, struct err *why)
{
    struct shard_member *m = shard(s, i);

    clauses_init(c, s->create[i], edit);
    *parts = n_alone(c) && shard_ask_clauses(&s->group, m, c->steps, c->n, c->run);
    if (*parts)
        return any_runs(c) ? SHARD_RUN : SHARD_PASS;
    return shard_ask(&s->group, m, edit, c->steps[c->n - 1], why);
}

/* The shard's stream comes to the statement; the letter of what became of it. */
static inline char come(struct story *s, unsigned i, const char *edit)
{
    SCOPED(clauses_fini) struct clauses c = { .n = 0 };
    struct shard_member *m = shard(s, i);
    struct err why = ERR_INIT;
    char *create;
    bool parts;
    enum shard_verdict v = ask(s, i, edit, &c, &parts, &why);
    const char *after = c.steps[c.n - 1];

    cr_assert(v != SHARD_CONFLICT || why.text[0], "%s: no reason", edit);
    if (v == SHARD_WAIT || v == SHARD_CONFLICT) {
        shard_wait(m, edit, after, v == SHARD_CONFLICT ? why.text : NULL, ++s->clock);
        shard_wait_clauses(m, c.steps, n_alone(&c));
        return verdicts[v];
    }
    if (v == SHARD_RUN)
        note_run(s, &c, parts ? NULL : edit);
    shard_done(&s->group, m, edit, after, v == SHARD_RUN && !parts);
    create = edited(s->create[i], edit);
    free(s->create[i]);
    s->create[i] = create;
    return verdicts[v];
}

static inline void second_reading(struct story *s, unsigned i)
{
    struct shard_member *m = shard(s, i);
    SCOPED(freep) char *ddl = xstrdup(m->ddl);

    m->state = SHARD_PICKED;
    if (strchr("WC", come(s, i, ddl)))
        return;
    m = shard(s, i);
    cr_assert_eq(m->state, SHARD_PASSING);
    shard_settle(&s->group);
    while (s->n_queue[i] && m->state == SHARD_PASSING) {
        const char *next = s->queue[i][0];

        memmove(&s->queue[i][0], &s->queue[i][1], --s->n_queue[i] * sizeof s->queue[i][0]);
        come(s, i, next);
        shard_settle(&s->group);
    }
    if (m->state == SHARD_PASSING)
        m->state = SHARD_FOLLOWS;
}

static inline void read_again(struct story *s)
{
    bool any;

    do {
        any = false;
        for (unsigned i = 0; i < s->group.n; i++)
            if (s->group.members[i].state == SHARD_RELEASED) {
                unsigned at = (unsigned)(s->group.members[i].table[1] - '1');

                second_reading(s, at);
                any = true;
            }
    } while (any);
}

/* 'q': the shard waits, so the statement does too. */
static inline char step(struct story *s, unsigned i, const char *edit)
{
    char letter;

    if (shard(s, i)->state != SHARD_FOLLOWS) {
        s->queue[i][s->n_queue[i]++] = edit;
        return 'q';
    }
    letter = come(s, i, edit);
    shard_settle(&s->group);
    read_again(s);
    return letter;
}

/* '=': all follow, with one structure; 'o': all follow; 'w' somebody waits; 'c' in a conflict. */
static inline char end_of(struct story *s)
{
    bool same = true;

    for (unsigned i = 0; i < s->group.n; i++) {
        if (s->group.members[i].conflict)
            return 'c';
        same = same && shard_synced(&s->group, &s->group.members[i]);
    }
    for (unsigned i = 0; i < s->group.n; i++)
        if (s->group.members[i].state != SHARD_FOLLOWS)
            return 'w';
    return same || s->group.mode == SHARD_PESSIMISTIC ? '=' : 'o';
}

#endif
