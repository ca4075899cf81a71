/* Values of the family journal_index, as FORMAT.md has them. */
#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "journal/journal_block.h"
#include "journal/journal_index.h"
#include "store/key.h"

enum { SET_UNKNOWN = 255 };

/* Ends 'value', which checked_begin() began, and puts it under 'key'. */
static void put_checked(struct store_batch *b, const struct buf *key, struct buf *value)
{
    checked_finish(value, key_slice(key));
    store_batch_put(b, STORE_JOURNAL_INDEX, key_slice(key), key_slice(value));
}

static int get_checked(struct store *s, const struct buf *key, struct buf *value, struct slice *ret,
                       struct err *err)
{
    int rc = store_get(s, STORE_JOURNAL_INDEX, key_slice(key), value, err);

    return rc < 0 ? rc : checked_open(key_slice(value), key_slice(key), ret, err);
}

static void add_text(struct buf *out, const char *text)
{
    buf_lenenc(out, strlen(text));
    buf_str(out, text);
}

/* False if it does not fit, or is none. */
static bool read_text(struct cursor *c, char *ret, size_t size)
{
    struct slice text = cursor_bytes(c, cursor_lenenc(c));

    if (c->bad || text.size >= size || memchr(text.data, 0, text.size))
        return false;
    memcpy(ret, text.data, text.size);
    ret[text.size] = '\0';
    return true;
}

static void add_set(struct buf *out, const struct gtid_set *set)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    buf_byte(out, (char)(set ? (int)gtid_set_flavor(set) : SET_UNKNOWN));
    if (set)
        gtid_set_print(set, &text);
    buf_lenenc(out, text.size);
    buf_add(out, text.data, text.size);
}

/* NULL in 'ret' when it is not known; false when it is damaged. */
static bool read_set(struct cursor *c, struct gtid_set **ret)
{
    uint8_t flavor = cursor_u8(c);
    struct slice s = cursor_bytes(c, cursor_lenenc(c));
    SCOPED(freep) char *text = c->bad ? NULL : xstrndup((const char *)s.data, s.size);
    struct err err = ERR_INIT;

    *ret = NULL;
    if (!text)
        return false;
    if (flavor == SET_UNKNOWN)
        return true;
    return flavor <= FLAVOR_MARIADB && gtid_set_parse(ret, (enum flavor)flavor, text, &err) == 0;
}

static bool is_whole(const struct cursor *c)
{
    return !c->bad && cursor_left(c) == 0;
}

static int no_value(const char *what, struct err *err)
{
    return err_set(err, -EBADMSG, "damaged: the %s makes no sense", what);
}

void put_head(struct store_batch *b, const char *journal, const struct head *h)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_prefix(&key, KEY_HEAD, journal, NULL);
    checked_begin(&value);
    buf_lenenc(&value, h->next_seq);
    buf_lenenc(&value, h->commit_ts);
    buf_lenenc(&value, h->floor);
    buf_lenenc(&value, h->incarnation);
    buf_lenenc(&value, h->file_no);
    add_text(&value, h->file);
    buf_lenenc(&value, h->offset);
    add_text(&value, h->source_id);
    buf_lenenc(&value, h->tail_hash);
    buf_lenenc(&value, h->bytes);
    buf_lenenc(&value, h->slot);
    buf_lenenc(&value, h->mark);
    put_checked(b, &key, &value);
}

int open_head(struct slice key, struct slice value, struct head *ret, struct err *err)
{
    struct head h = { 0 };
    struct slice bytes;
    struct cursor c;
    int rc = checked_open(value, key, &bytes, err);

    if (rc < 0)
        return rc;
    c = cursor_of(bytes);
    h.next_seq = cursor_lenenc(&c);
    h.commit_ts = cursor_lenenc(&c);
    h.floor = cursor_lenenc(&c);
    h.incarnation = (uint32_t)cursor_lenenc(&c);
    h.file_no = (uint32_t)cursor_lenenc(&c);
    if (!read_text(&c, h.file, sizeof h.file))
        return no_value("head", err);
    h.offset = cursor_lenenc(&c);
    if (!read_text(&c, h.source_id, sizeof h.source_id))
        return no_value("head", err);
    h.tail_hash = cursor_lenenc(&c);
    h.bytes = cursor_lenenc(&c);
    h.slot = (unsigned)cursor_lenenc(&c);
    h.mark = cursor_left(&c) ? (unsigned)cursor_lenenc(&c) : COMMIT_TS_MARKS;
    if (!is_whole(&c) || h.mark > COMMIT_TS_MARKS || h.next_seq == 0 || h.slot >= STORE_N_JOURNALS)
        return no_value("head", err);
    *ret = h;
    return 0;
}

int get_head(struct store *s, const char *journal, struct head *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    int rc;

    key_prefix(&key, KEY_HEAD, journal, NULL);
    rc = store_get(s, STORE_JOURNAL_INDEX, key_slice(&key), &value, err);
    return rc < 0 ? rc : open_head(key_slice(&key), key_slice(&value), ret, err);
}

void put_first(struct store_batch *b, const char *journal, const struct first *f)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_prefix(&key, KEY_FIRST, journal, NULL);
    checked_begin(&value);
    buf_lenenc(&value, f->seq);
    buf_lenenc(&value, f->bytes);
    buf_lenenc(&value, f->commit_ts);
    put_checked(b, &key, &value);
}

int get_first(struct store *s, const char *journal, struct first *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct first f = { 0 };
    struct slice bytes;
    struct cursor c;
    int rc;

    key_prefix(&key, KEY_FIRST, journal, NULL);
    rc = get_checked(s, &key, &value, &bytes, err);
    if (rc < 0)
        return rc;
    c = cursor_of(bytes);
    f.seq = cursor_lenenc(&c);
    f.bytes = cursor_lenenc(&c);
    f.commit_ts = cursor_lenenc(&c);
    if (!is_whole(&c))
        return no_value("place where it begins", err);
    *ret = f;
    return 0;
}

static void put_range(struct store_batch *b, const char *journal, uint64_t seq,
                      const struct origin_range *o)
{
    SCOPED(buf_fini) struct buf origin = BUF_INIT;
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    origin_add(&origin, &o->origin);
    key_gtid(&key, journal, key_slice(&origin), o->min, seq);
    checked_begin(&value);
    buf_lenenc(&value, o->max);
    put_checked(b, &key, &value);
}

void put_stretch(struct store_batch *b, const char *journal, const struct stretch *s)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_at_seq(&key, KEY_STRETCH, journal, s->first_seq);
    checked_begin(&value);
    buf_lenenc(&value, s->n);
    buf_lenenc(&value, s->first_ts);
    buf_lenenc(&value, s->last_ts);
    buf_lenenc(&value, s->incarnation);
    buf_lenenc(&value, s->file_no);
    buf_lenenc(&value, s->from);
    buf_lenenc(&value, s->bytes);
    put_checked(b, &key, &value);
    for (size_t i = 0; i < s->n_origins; i++)
        put_range(b, journal, s->first_seq, &s->origins[i]);
}

int open_stretch(struct slice key, struct slice value, struct stretch *ret, struct err *err)
{
    struct stretch s = { 0 };
    struct slice bytes;
    struct cursor c;
    int rc = checked_open(value, key, &bytes, err);

    if (rc < 0)
        return err_wrap(err, "index of a stretch");
    if (!key_at_seq_parse(key, KEY_STRETCH, &s.first_seq))
        return no_value("key of a stretch", err);
    c = cursor_of(bytes);
    s.n = cursor_lenenc(&c);
    s.first_ts = cursor_lenenc(&c);
    s.last_ts = cursor_lenenc(&c);
    s.incarnation = (uint32_t)cursor_lenenc(&c);
    s.file_no = (uint32_t)cursor_lenenc(&c);
    s.from = cursor_lenenc(&c);
    s.bytes = cursor_lenenc(&c);
    if (!is_whole(&c) || s.n == 0)
        return no_value("index of a stretch", err);
    *ret = s;
    return 0;
}

void put_state(struct store_batch *b, const char *journal, uint64_t seq,
               const struct gtid_set *gtids)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_at_seq(&key, KEY_STATE, journal, seq);
    checked_begin(&value);
    add_set(&value, gtids);
    put_checked(b, &key, &value);
}

int open_state(struct slice key, struct slice value, uint64_t *seq, struct gtid_set **ret,
               struct err *err)
{
    struct gtid_set *set = NULL;
    struct slice bytes;
    struct cursor c;
    int rc = checked_open(value, key, &bytes, err);

    if (rc < 0)
        return err_wrap(err, "GTID state");
    c = cursor_of(bytes);
    if (!read_set(&c, &set) || !is_whole(&c) || !key_at_seq_parse(key, KEY_STATE, seq)) {
        gtid_set_free(set);
        return no_value("GTID state", err);
    }
    *ret = set;
    return 0;
}

void put_file(struct store_batch *b, const char *journal, const struct journal_file *f)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_file(&key, KEY_FILE, journal, f->incarnation, f->no);
    checked_begin(&value);
    add_text(&value, f->name);
    buf_lenenc(&value, f->first_seq);
    buf_lenenc(&value, f->from);
    buf_lenenc(&value, (uint64_t)f->created_us);
    buf_lenenc(&value, f->format.size);
    buf_add(&value, f->format.data, f->format.size);
    add_set(&value, f->at_from);
    put_checked(b, &key, &value);
}

void journal_file_fini(struct journal_file *f)
{
    gtid_set_free(f->at_from);
    buf_fini(&f->bytes);
    *f = (struct journal_file){ 0 };
}

int open_file(struct slice key, struct slice value, struct journal_file *ret, struct err *err)
{
    struct journal_file f = { 0 };
    struct slice bytes, format;
    struct cursor c;
    bool ok;
    int rc = checked_open(value, key, &bytes, err);

    if (rc < 0)
        return err_wrap(err, "index of a file");
    c = cursor_of(bytes);
    ok = key_file_parse(key, KEY_FILE, &f.incarnation, &f.no) &&
         read_text(&c, f.name, sizeof f.name);
    f.first_seq = cursor_lenenc(&c);
    f.from = cursor_lenenc(&c);
    f.created_us = (int64_t)cursor_lenenc(&c);
    format = cursor_bytes(&c, cursor_lenenc(&c));
    buf_add(&f.bytes, format.data, format.size);
    f.format = key_slice(&f.bytes);
    if (!ok || !read_set(&c, &f.at_from) || !is_whole(&c)) {
        journal_file_fini(&f);
        return no_value("index of a file", err);
    }
    *ret = f;
    return 0;
}

void put_file_end(struct store_batch *b, const char *journal, uint32_t incarnation, uint32_t no,
                  uint64_t end)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_file(&key, KEY_FILE_END, journal, incarnation, no);
    checked_begin(&value);
    buf_lenenc(&value, end);
    put_checked(b, &key, &value);
}

/* Of a file that another one followed; else 'ret' is left alone. */
static int get_file_end(struct store *s, const char *journal, struct journal_file *f,
                        struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct slice bytes;
    struct cursor c;
    int rc;

    key_file(&key, KEY_FILE_END, journal, f->incarnation, f->no);
    rc = get_checked(s, &key, &value, &bytes, err);
    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    c = cursor_of(bytes);
    f->end = cursor_lenenc(&c);
    return is_whole(&c) ? 0 : no_value("end of a file", err);
}

int get_file(struct store *s, const char *journal, uint32_t incarnation, uint32_t no,
             struct journal_file *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    struct journal_file f = { 0 };
    int rc;

    key_file(&key, KEY_FILE, journal, incarnation, no);
    rc = store_get(s, STORE_JOURNAL_INDEX, key_slice(&key), &value, err);
    if (rc == 0)
        rc = open_file(key_slice(&key), key_slice(&value), &f, err);
    if (rc == 0)
        rc = get_file_end(s, journal, &f, err);
    if (rc < 0) {
        journal_file_fini(&f);
        return rc;
    }
    *ret = f;
    return 0;
}

void put_hold(struct store_batch *b, const char *journal, const char *who, uint64_t seq)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_prefix(&key, KEY_HOLD, journal, who, NULL);
    checked_begin(&value);
    buf_lenenc(&value, seq);
    put_checked(b, &key, &value);
}

int open_hold(struct slice key, struct slice value, uint64_t *seq, struct err *err)
{
    struct slice bytes;
    struct cursor c;
    int rc = checked_open(value, key, &bytes, err);

    if (rc < 0)
        return err_wrap(err, "hold");
    c = cursor_of(bytes);
    *seq = cursor_lenenc(&c);
    return is_whole(&c) ? 0 : no_value("hold", err);
}
