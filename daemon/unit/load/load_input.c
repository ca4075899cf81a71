#include "unit/load/load_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zlib.h>

#include "base/mem.h"

static ssize_t input_read(void *arg, char *to, size_t size)
{
    struct load_input *in = arg;
    int n = gzread(in->file, to, (unsigned)(size < 1u << 30 ? size : 1u << 30)), code;

    if (n < 0) {
        (void)gzerror(in->file, &code);
        return code == Z_ERRNO ? -errno : -EBADMSG;
    }
    XXH64_update(in->hash, to, (size_t)n);
    return n;
}

int load_input_open(struct load_input *in, const char *folder, const char *name, struct err *err)
{
    *in = (struct load_input){ .path = xasprintf("%s/%s", folder, name) };
    in->hash = XXH64_createState();
    XXH64_reset(in->hash, 0);
    load_parser_init(&in->parser, input_read, in);
    errno = 0;
    in->file = gzopen(in->path, "rbe");
    if (!in->file)
        return err_set(err, errno ? -errno : -ENOMEM, "%s: %s", in->path, strerrordesc_np(errno));
    (void)gzbuffer(in->file, 256 << 10);
    return 0;
}

void load_input_close(struct load_input *in)
{
    if (in->file)
        (void)gzclose(in->file);
    load_parser_fini(&in->parser);
    XXH64_freeState(in->hash);
    free(in->path);
    *in = (struct load_input){ .path = NULL };
}

static unsigned long line_of(const struct load_input *in)
{
    uint64_t left = load_parser_at(&in->parser);
    gzFile f = gzopen(in->path, "rbe");
    unsigned long line = 1;
    char part[65536];
    int n = 0;

    while (f && left && (n = gzread(f, part, sizeof part)) > 0) {
        size_t size = (uint64_t)n < left ? (size_t)n : (size_t)left;

        for (const char *p = part; (p = memchr(p, '\n', size - (size_t)(p - part))); p++)
            line++;
        left -= size;
    }
    if (f)
        (void)gzclose(f);
    return line;
}

int load_input_named(const struct load_input *in, struct err *err)
{
    return err_wrap(err, "%s:%lu", in->path, line_of(in));
}

int load_input_next(struct load_input *in, enum load_item *ret, struct err *err)
{
    int rc = load_parse_next(&in->parser, ret, err);

    return rc < 0 ? load_input_named(in, err) : 0;
}

uint64_t load_input_hash(const struct load_input *in)
{
    return XXH64_digest(in->hash);
}
