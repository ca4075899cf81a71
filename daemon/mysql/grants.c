#include "mysql/grants.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"

/* MariaDB's other names for the same right. */
static const char *const synonyms[][2] = {
    { "REPLICATION CLIENT", "BINLOG MONITOR" },
    { "REPLICATION SLAVE", "REPLICATION REPLICA" },
};

/* --- one line --- */

/* Does the list "SELECT, INSERT (a, b), RELOAD" have 'right', for whole tables? */
static bool list_has(const char *list, size_t size, const char *right)
{
    size_t n = strlen(right);

    while (size > 0) {
        const char *comma = memchr(list, ',', size);
        size_t word = comma ? (size_t)(comma - list) : size;

        if (word == n && strncasecmp(list, right, n) == 0)
            return true;
        if (word == 14 && strncasecmp(list, "ALL PRIVILEGES", 14) == 0)
            return true;
        word += comma ? 1 : 0;
        while (word < size && list[word] == ' ')
            word++;
        list += word;
        size -= word;
    }
    return false;
}

/* Matches a schema against the pattern of a grant: % and _ are wildcards, \ escapes. */
static bool matches(const char *p, const char *end, const char *db)
{
    for (; p < end; p++, db++) {
        if (*p == '%') {
            for (;; db++) {
                if (matches(p + 1, end, db))
                    return true;
                if (!*db)
                    return false;
            }
        }
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == '_' && *db)
            continue;
        if (*p != *db || !*db)
            return false;
    }
    return *db == '\0';
}

/* Does the object "*.*", "`shop`.*" or "shop.*" hold all of schema 'db'? */
static bool covers(const char *object, size_t size, const char *db)
{
    const char *end;

    if (size == 3 && memcmp(object, "*.*", 3) == 0)
        return true;
    if (!db || size < 3 || memcmp(object + size - 2, ".*", 2) != 0)
        return false;
    end = object + size - 2;
    if (*object == '`' && end[-1] == '`') {
        object++;
        end--;
    }
    return matches(object, end, db);
}

/* Does this line say something of 'right' in 'db'? */
static bool concerns(const char *line, const char *verb, const char *right, const char *db)
{
    size_t n = strlen(verb);
    const char *on, *to;

    if (strncasecmp(line, verb, n) != 0)
        return false;
    line += n;
    on = strstr(line, " ON ");
    if (!on) /* a role */
        return false;
    to = strstr(on, strcmp(verb, "GRANT ") == 0 ? " TO " : " FROM ");
    if (!to)
        return false;
    return list_has(line, (size_t)(on - line), right) && covers(on + 4, (size_t)(to - on) - 4, db);
}

static bool have_exactly(const struct grants *g, const char *right, const char *db)
{
    bool granted = false, revoked = false;

    for (unsigned i = 0; i < g->n; i++) {
        granted |= concerns(g->lines[i], "GRANT ", right, db);
        revoked |= db && concerns(g->lines[i], "REVOKE ", right, db);
    }
    return granted && !revoked;
}

/* SUPER includes the right to read positions, not that to read binlogs or data. */
static bool has_super_for(const char *right)
{
    return strcmp(right, "REPLICATION CLIENT") == 0 || strcmp(right, "BINLOG MONITOR") == 0;
}

bool grants_have(const struct grants *g, const char *right, const char *db)
{
    if (have_exactly(g, right, db))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(synonyms); i++)
        for (unsigned side = 0; side < 2; side++)
            if (strcmp(synonyms[i][side], right) == 0 && have_exactly(g, synonyms[i][!side], db))
                return true;
    return !db && has_super_for(right) && have_exactly(g, "SUPER", NULL);
}

/* --- reading --- */

static int read_lines(struct mysql_conn *c, const char *sql, struct grants *g, struct err *err)
{
    struct mysql_result *r = NULL;
    struct mysql_row row;
    int rc = mysql_conn_query(c, slice_str(sql), true, &r, err);

    while (rc == 0 && (rc = mysql_result_next(r, &row, err)) > 0) {
        g->lines = xrealloc(g->lines, (g->n + 1) * sizeof *g->lines);
        g->lines[g->n++] = xstrndup(row.values[0], row.sizes[0]);
        rc = 0;
    }
    mysql_result_free(r);
    return rc;
}

int grants_read(struct mysql_conn *c, struct grants *ret, struct err *err)
{
    SCOPED(freep) char *roles = NULL;
    SCOPED(freep) char *sql = NULL;
    struct grants g = { 0 };
    struct err ignored = ERR_INIT;
    int rc;

    /* MariaDB tells a role's rights along; MySQL 8 when asked, 5.7 has no roles. */
    if (mysql_conn_flavor(c) == FLAVOR_MYSQL &&
        mysql_scalar(c, &roles, &ignored, "SELECT CURRENT_ROLE()") == 0 &&
        strcmp(roles, "NONE") != 0)
        sql = xasprintf("SHOW GRANTS FOR CURRENT_USER() USING %s", roles);
    rc = read_lines(c, sql ? sql : "SHOW GRANTS", &g, err);
    if (rc < 0)
        grants_fini(&g);
    else
        *ret = g;
    return rc;
}

void grants_fini(struct grants *g)
{
    for (unsigned i = 0; i < g->n; i++)
        free(g->lines[i]);
    free(g->lines);
    *g = (struct grants){ 0 };
}
