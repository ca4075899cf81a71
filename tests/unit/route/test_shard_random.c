/* Shards that go their ways in any order, statements that stand open over a restart, and second
 * readings that begin whenever: in the end nobody waits. */
#include <criterion/criterion.h>

#include "shard_story.h"

static const char start[] = "CREATE TABLE t (k varchar(40) NOT NULL ;; v int DEFAULT NULL ;; "
                            "PRIMARY KEY p (k))";

/* What each of them does. */
static const char *const statements[] = { "+ e int DEFAULT 7", "~ e f bigint",      "+ KEY i (f)",
                                          "- i ; - f",         "+ g int DEFAULT 7", "~ g h bigint",
                                          "+ KEY i (h)",       "- i ; - h" };
#define N_STATEMENTS (sizeof statements / sizeof *statements)

struct race {
    struct story story;
    unsigned next[SHARDS];    /* statement of the source's that its stream comes to */
    const char *open[SHARDS]; /* one is being run, with its claim stored */
    uint64_t random;
};

static unsigned draw(struct race *r, unsigned n)
{
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(r->random >> 33) % n;
}

/* It is run, but what it changed is not stored yet: whoever comes meanwhile waits. */
static bool begin_run(struct race *r, unsigned i, const char *edit)
{
    SCOPED(clauses_fini) struct clauses c = { .n = 0 };
    struct err why = ERR_INIT;
    bool parts;

    if (r->story.group.runner || ask(&r->story, i, edit, &c, &parts, &why) != SHARD_RUN)
        return false;
    r->story.group.runner = xasprintf("s1/d/%s", names[i]);
    r->open[i] = edit;
    return true;
}

static void come_to(struct race *r, unsigned i, const char *edit)
{
    if (draw(r, 2) && begin_run(r, i, edit))
        return;
    come(&r->story, i, edit);
    shard_settle(&r->story.group);
}

/* Does something with one of them; false: there is nothing to do. */
static bool turn(struct race *r, unsigned i)
{
    struct story *s = &r->story;
    struct shard_member *m = shard(s, i);

    if (r->open[i]) {
        come(s, i, r->open[i]);
        r->open[i] = NULL;
        shard_settle(&s->group);
        return true;
    }
    if (m->state == SHARD_RELEASED) {
        second_reading(s, i);
        return true;
    }
    if (r->next[i] == N_STATEMENTS)
        return false;
    if (m->state == SHARD_FOLLOWS)
        come_to(r, i, statements[r->next[i]++]);
    else
        s->queue[i][s->n_queue[i]++] = statements[r->next[i]++];
    return true;
}

static void tell_end(const struct story *s, unsigned seed)
{
    for (unsigned i = 0; i < s->group.n; i++) {
        const struct shard_member *m = &s->group.members[i];

        if (m->ddl)
            fprintf(stderr, "seed %u: %s is %s before %s: %s; it is %s\n", seed, m->table,
                    shard_state_names[m->state], m->ddl, m->conflict ? m->conflict : "", m->now);
    }
}

Test(shard_random, nobody_waits_in_the_end)
{
    for (unsigned seed = 1; seed <= 500; seed++) {
        struct race r = { .random = seed };
        unsigned idle = 0;

        story_init(&r.story, SHARD_OPTIMISTIC, SHARDS, start);
        while (idle < 200)
            idle = turn(&r, draw(&r, SHARDS)) ? 0 : idle + 1;

        if (end_of(&r.story) != '=')
            tell_end(&r.story, seed);
        cr_assert_eq(end_of(&r.story), '=', "seed %u", seed);
        story_fini(&r.story);
    }
}
