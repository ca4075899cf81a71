#include "unit/load/load_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"

void load_words_init(struct load_words *w)
{
    *w = (struct load_words){ .utf8 = true, .zone = "+00:00" };
}

/* What follows 'word' in 'text'; NULL if it does not begin with it. */
static const char *after(const char *text, const char *word)
{
    size_t size = strlen(word);

    if (strncasecmp(text, word, size) != 0)
        return NULL;
    return text + size + strspn(text + size, " \t\r\n=");
}

static int names_take(struct load_words *w, const char *charset, struct err *err)
{
    if (strncasecmp(charset, "binary", 6) == 0)
        w->utf8 = false;
    else if (strncasecmp(charset, "utf8", 4) == 0)
        w->utf8 = true;
    else
        return err_set(err, -ENOTSUP, "SET NAMES %.40s: only binary and utf8mb4 are known here",
                       charset);
    return 0;
}

static int zone_take(struct load_words *w, const char *literal, struct err *err)
{
    size_t size = *literal == '\'' ? strcspn(literal + 1, "'") : 0;

    if (size == 0 || size >= sizeof w->zone || strchr(literal + 1, '\\'))
        return *literal == '@' ? 0 : err_set(err, -ENOTSUP, "SET TIME_ZONE=%.40s", literal);
    snprintf(w->zone, sizeof w->zone, "%.*s", (int)size, literal + 1);
    return 0;
}

static int mode_take(const char *mode, struct err *err)
{
    if (strcasestr(mode, "NO_BACKSLASH_ESCAPES") || strcasestr(mode, "ANSI"))
        return err_set(err, -ENOTSUP, "SET SQL_MODE=%.60s: strings are written in another way",
                       mode);
    return 0;
}

static int set_take(struct load_words *w, const char *what, struct err *err)
{
    const char *value;

    if ((value = after(what, "NAMES")))
        return names_take(w, value, err);
    if ((value = after(what, "TIME_ZONE")))
        return zone_take(w, value, err);
    if ((value = after(what, "SQL_MODE")))
        return mode_take(value, err);
    return 0; /* checks of keys, and what a client keeps for itself */
}

int load_words_take(struct load_words *w, struct slice sql, struct err *err)
{
    static const char *const harmless[] = { "LOCK TABLES",       "UNLOCK TABLES", "ALTER TABLE",
                                            "START TRANSACTION", "BEGIN",         "COMMIT" };
    SCOPED(freep) char *text = xstrndup((const char *)sql.data, sql.size);
    const char *set = after(text, "SET ");

    if (set)
        return set_take(w, set, err);
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (after(text, harmless[i]))
            return 0;
    return *text ? err_set(err, -ENOTSUP, "no statement of a file of rows: %.60s", text) : 0;
}
