#include "unit/sync/sync_extra.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"

/* Text where the column is text of a character set that has it, else ASCII for the server to read.
 */
static int value_of(const struct target_column *c, const char *text, struct value *ret,
                    struct err *err)
{
    bool utf8 = c->charset && strncmp(c->charset, "utf8", 4) == 0, ascii = true;

    for (const char *s = text; *s; s++)
        ascii = ascii && (unsigned char)*s < 0x80;
    if (!ascii && !utf8 && c->charset)
        return err_set(err, -EINVAL, "'%s' does not go into %s, which is %s: make it utf8mb4", text,
                       c->name, c->charset);
    *ret =
        (struct value){ .kind = c->charset || c->class == TARGET_BYTES ? VALUE_BYTES : VALUE_TEXT,
                        .size = (uint32_t)strlen(text),
                        .p = (const uint8_t *)text };
    return 0;
}

// NOLINTNEXTLINE(readability-function-size): a table of each end and what lies between
int extra_target(const struct job *job, const char *schema, const char *table,
                 const struct table_def *to, const char *const *names, unsigned n,
                 struct extra *ret, struct target_table **target, struct err *err)
{
    struct router_extracted *x = &ret->names;
    SCOPED(freep) const char **all = NULL;
    int rc;

    router_extracted(job->router, job->source, schema, table, x);
    all = xcalloc(n + x->n + 1, sizeof *all);
    for (unsigned i = 0; i < n; i++)
        all[i] = names[i];
    for (unsigned i = 0; i < x->n; i++)
        all[n + i] = x->at[i].column;
    rc = target_table_new(to, all, n + x->n, target, err);
    for (unsigned i = 0; i < x->n && rc == 0; i++)
        rc = value_of(&(*target)->cols[n + i], x->at[i].value, &ret->values[i], err);
    ret->n = x->n;
    return rc;
}

void extra_fill(const struct extra *x, enum rows_kind kind, struct value *row, unsigned n_cols)
{
    unsigned at = n_cols - x->n;

    for (unsigned i = 0; i < x->n; i++) {
        row[at + i] = x->values[i];
        if (kind == ROWS_UPDATE)
            row[n_cols + at + i] = x->values[i];
    }
}
