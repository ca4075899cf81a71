/* A bit of what is stored flips: never other bytes than were written, always a named place. */
#include "records.h"
#include "store/key.h"

static const size_t sizes[] = { 60, 300, 66000, 45, 120 };
enum { N_RECORDS = 12, N_SIZES = sizeof sizes / sizeof *sizes };

static size_t size_of(uint64_t n)
{
    return sizes[n % N_SIZES];
}

static void write_records(struct store *s)
{
    struct journals *all = journals_new(s);
    struct journal *j;
    struct err err = ERR_INIT;
    struct feed f;

    cr_assert_eq(journal_open(all, "s1", true, &j, &err), 0);
    feed_begin(&f, j, FLAVOR_MYSQL);
    for (int i = 0; i < N_RECORDS; i++) {
        feed_txn(&f, size_of(f.n));
        if (i % 4 == 3)
            feed_sync(&f);
    }
    cr_assert_eq(journal_hold(j, "tasks/t", 3, true, &err), 0);
    cr_assert_eq(journal_write_end(j, &err), 0);
    journal_close(j);
    journals_free(all);
}

static bool names_the_place(const char *sentence)
{
    return strncmp(sentence, "journal s1: ", 12) == 0;
}

/* Reads on behind what is damaged.  Returns how many records were as written. */
static unsigned read_around(struct journal *j, bool *was_named)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    unsigned good = 0;
    int rc;

    do {
        SCOPED(buf_fini) struct buf expected = BUF_INIT;
        struct err err = ERR_INIT;
        struct slice got;

        rc = journal_reader_next(r, &rec, 0, &err);
        if (rc > 0 && (rc = journal_reader_event(r, &got, &err)) > 0) {
            make_event(&expected, rec.seq, size_of(rec.seq));
            cr_assert(slice_eq(got, slice_of(expected.data, expected.size)), "wrong bytes");
            good++;
        }
        if (rc < 0) {
            cr_assert_eq(rc, -EBADMSG);
            cr_assert(names_the_place(err.text) && strstr(err.text, "record ") &&
                          strstr(err.text, "bin.000001:"),
                      "%s", err.text);
            *was_named = true;
            rc = journal_reader_seek(r, journal_reader_beyond(r), &err) == 0;
        }
    } while (rc > 0);
    journal_reader_free(r);
    return good;
}

static void count_bad(void *arg, uint64_t seq, const char *what)
{
    (void)seq;
    cr_assert(names_the_place(what), "%s", what);
    ++*(unsigned *)arg;
}

/* What was found out with one bit flipped: it must be said somewhere, or not matter. */
static void look(struct store *s, enum store_family f, unsigned kind)
{
    struct journals *all = journals_new(s);
    struct err err = ERR_INIT;
    struct journal *j;
    unsigned good, bad = 0;
    bool was_named = false;
    uint64_t records;
    int rc = journal_open(all, "s1", true, &j, &err);

    if (rc < 0) {
        cr_assert_eq(rc, -EBADMSG);
        cr_assert(names_the_place(err.text), "%s", err.text);
        cr_assert_eq(f, STORE_JOURNAL_INDEX, "readable elsewhere");
    } else {
        good = read_around(j, &was_named);
        cr_assert(f == store_journal(1) ? was_named && good < N_RECORDS : good == N_RECORDS,
                  "kind %u: %u good", kind, good);
        cr_assert_eq(journal_verify(j, count_bad, &bad, &records, &err), 0, "%s", err.text);
        cr_assert_eq(records, good);
        cr_assert_eq(bad > 0, was_named);
        journal_close(j);
    }
    journals_free(all);
}

static void flip_one(struct store *s, enum store_family f, const struct buf *key, struct buf *value,
                     size_t byte)
{
    struct err err = ERR_INIT;
    char was = value->data[byte];

    value->data[byte] ^= (char)(1 << byte % 8);
    cr_assert_eq(store_put(s, f, key_slice(key), key_slice(value), false, &err), 0);
    look(s, f, (unsigned)key->data[0]);
    value->data[byte] = was;
    cr_assert_eq(store_put(s, f, key_slice(key), key_slice(value), false, &err), 0);
}

static void flip_each(struct store *s, enum store_family f)
{
    SCOPED(store_iter_freep) struct store_iter *it = store_iter_new(s, f, slice_of(NULL, 0));
    struct slice key, value;
    struct err err = ERR_INIT;

    while (store_iter_next(it, &key, &value, &err) > 0) {
        SCOPED(buf_fini) struct buf k = BUF_INIT;
        SCOPED(buf_fini) struct buf v = BUF_INIT;

        buf_add(&k, key.data, key.size);
        buf_add(&v, value.data, value.size);
        for (size_t byte = 0; byte<v.size; byte += v.size> 4000 && byte > 40 ? 3001 : 1)
            flip_one(s, f, &k, &v, byte);
    }
}

Test(journal_flip, never_gives_other_bytes_than_were_written, .timeout = 100)
{
    struct store *s = store_open_mem();

    write_records(s);
    flip_each(s, STORE_JOURNAL);
    flip_each(s, STORE_JOURNAL_INDEX);
    store_close(s);
}

Test(journal_flip, names_a_block_that_is_missing)
{
    struct store *s = store_open_mem();
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    struct err err = ERR_INIT;

    write_records(s);
    key_block(&key, "s1", 5, KEY_WHOLE);
    cr_assert_eq(store_delete(s, store_journal(1), key_slice(&key), false, &err), 0);
    look(s, store_journal(1), KEY_BLOCK);
    store_close(s);
}

Test(journal_flip, does_not_take_a_lost_head_for_a_new_journal)
{
    struct store *s = store_open_mem();
    struct journals *all = journals_new(s);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    struct err err = ERR_INIT;
    struct journal *j;

    write_records(s);
    key_prefix(&key, KEY_HEAD, "s1", NULL);
    cr_assert_eq(store_delete(s, STORE_JOURNAL_INDEX, key_slice(&key), false, &err), 0);
    cr_assert_eq(journal_open(all, "s1", true, &j, &err), -EBADMSG);
    cr_assert_str_eq(err.text, "journal s1: damaged: it has blocks but no head");
    journals_free(all);
    store_close(s);
}

Test(journal_flip, lets_nobody_write_behind_a_damaged_end)
{
    struct store *s = store_open_mem();
    struct journals *all = journals_new(s);
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct err err = ERR_INIT;
    struct journal_head h;
    struct journal *j;

    write_records(s);
    key_block(&key, "s1", N_RECORDS, KEY_WHOLE);
    if (store_get(s, store_journal(1), key_slice(&key), &value, &err) < 0) {
        key_block(&key, "s1", N_RECORDS - 1, KEY_WHOLE);
        cr_assert_eq(store_get(s, store_journal(1), key_slice(&key), &value, &err), 0);
    }
    value.data[value.size - 1] ^= 1;
    cr_assert_eq(store_put(s, store_journal(1), key_slice(&key), key_slice(&value), false, &err),
                 0);
    cr_assert_eq(journal_open(all, "s1", true, &j, &err), 0, "%s", err.text);
    cr_assert_eq(journal_write_begin(j, &h, &err), -EBADMSG);
    cr_assert(names_the_place(err.text), "%s", err.text);
    journal_close(j);
    journals_free(all);
    store_close(s);
}
