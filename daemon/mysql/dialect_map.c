#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "mysql/dialect.h"

#define NEVER UINT_MAX

/* --- types --- */

/* Types that only some servers have.  What is not here is the same everywhere. */
static const struct type_rule {
    const char *type;
    unsigned since[2]; /* by flavour: the first version that has it; NEVER */
    struct type_change change;
} type_rules[] = {
    {
        .type = "json",
        .since = { [FLAVOR_MYSQL] = 50708, [FLAVOR_MARIADB] = NEVER },
        .change = { FIDELITY_EXACT, "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                    "CAST(%s AS CHAR CHARACTER SET utf8mb4)",
                    "kept as the text that MySQL prints" },
    },
    {
        .type = "uuid",
        .since = { [FLAVOR_MYSQL] = NEVER, [FLAVOR_MARIADB] = 100700 },
        .change = { FIDELITY_LOSSY, "char(36) CHARACTER SET ascii",
                    "CAST(%s AS CHAR(36) CHARACTER SET ascii)",
                    "kept as its text, which sorts differently" },
    },
    {
        .type = "inet6",
        .since = { [FLAVOR_MYSQL] = NEVER, [FLAVOR_MARIADB] = 100500 },
        .change = { FIDELITY_LOSSY, "varchar(39) CHARACTER SET ascii",
                    "CAST(%s AS CHAR(39) CHARACTER SET ascii)",
                    "kept as its text, which sorts differently" },
    },
    {
        .type = "inet4",
        .since = { [FLAVOR_MYSQL] = NEVER, [FLAVOR_MARIADB] = 101000 },
        .change = { FIDELITY_LOSSY, "varchar(15) CHARACTER SET ascii",
                    "CAST(%s AS CHAR(15) CHARACTER SET ascii)",
                    "kept as its text, which sorts differently" },
    },
    {
        .type = "vector",
        .since = { [FLAVOR_MYSQL] = 90000, [FLAVOR_MARIADB] = 110701 },
        .change = { FIDELITY_REFUSED, NULL, NULL, "the target has no vectors" },
    },
    {
        .type = "geomcollection",
        .since = { [FLAVOR_MYSQL] = 80000, [FLAVOR_MARIADB] = NEVER },
        .change = { FIDELITY_EXACT, "geometrycollection", NULL, "the same type by its old name" },
    },
    {
        .type = "xmltype",
        .since = { [FLAVOR_MYSQL] = NEVER, [FLAVOR_MARIADB] = 120300 },
        .change = { FIDELITY_LOSSY, "longtext", NULL, "kept as text that nobody checks" },
    },
};

/* The last second that TIMESTAMP holds moved from 2038 to 2106. */
static bool long_timestamps(struct server_kind k)
{
    return k.flavor == FLAVOR_MARIADB && k.version >= 110500;
}

struct type_change dialect_type(struct server_kind from, struct server_kind to,
                                const char *data_type, const char *column_type)
{
    for (size_t i = 0; i < ARRAY_LEN(type_rules); i++) {
        const struct type_rule *r = &type_rules[i];

        if (strcasecmp(r->type, data_type) == 0)
            return to.version >= r->since[to.flavor]
                       ? (struct type_change){ .fidelity = FIDELITY_EXACT }
                       : r->change;
    }
    if (strcasecmp(data_type, "timestamp") == 0 && long_timestamps(from) && !long_timestamps(to))
        return (struct type_change){ .fidelity = FIDELITY_LOSSY,
                                     .note = "the target has no TIMESTAMP after 2038-01-19" };
    if (from.flavor != to.flavor && strcasestr(column_type, "COMPRESSED"))
        return (struct type_change){ .fidelity = FIDELITY_EXACT,
                                     .note = "kept without compression" };
    return (struct type_change){ .fidelity = FIDELITY_EXACT };
}

/* --- collations --- */

static bool ends_with(const char *s, const char *ending)
{
    size_t n = strlen(s), m = strlen(ending);

    return n >= m && strcmp(s + n - m, ending) == 0;
}

static bool has_uca_1400(struct server_kind k)
{
    return k.flavor == FLAVOR_MARIADB && k.version >= 101001;
}

/* MariaDB 11.4.5 and 11.8 took MySQL's names in, as other names of uca1400. */
static bool knows_0900(struct server_kind k)
{
    return k.flavor == FLAVOR_MYSQL ? k.version >= 80000 : k.version >= 110405;
}

static const char *sensitivity(const char *collation)
{
    static const char *const words[] = { "as_cs", "as_ci", "ai_cs", "ai_ci" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (ends_with(collation, words[i]))
            return words[i];
    return ends_with(collation, "_cs") ? "as_cs" : "ai_ci";
}

static struct collation_change same(const char *collation)
{
    struct collation_change c = { .fidelity = FIDELITY_EXACT };

    snprintf(c.to, sizeof c.to, "%s", collation);
    return c;
}

/* MySQL's utf8mb4_*_0900_* in MariaDB. */
static struct collation_change from_0900(struct server_kind to, const char *collation)
{
    struct collation_change c = { .fidelity = FIDELITY_LOSSY };

    if (knows_0900(to))
        return same(collation);
    if (ends_with(collation, "_0900_bin") && to.flavor == FLAVOR_MARIADB)
        return same("utf8mb4_nopad_bin");
    if (has_uca_1400(to)) {
        snprintf(c.to, sizeof c.to, "utf8mb4_uca1400_nopad_%s", sensitivity(collation));
        c.note = "compared by Unicode 14.0 instead of 9.0, without rules of a language";
        /* Both give every character of Unicode 9 the same weights apart from later corrections. */
        c.coarser = strncmp(collation, "utf8mb4_0900_", 13) != 0;
    } else {
        snprintf(c.to, sizeof c.to, "utf8mb4_unicode_520_%sci",
                 to.flavor == FLAVOR_MARIADB ? "nopad_" : "");
        c.note = "compared by Unicode 5.2, which knows fewer characters";
        c.coarser = true;
    }
    return c;
}

/* "swedish_nopad_as_cs" names a language, "nopad_as_cs" none. */
static bool has_language(const char *after_uca1400)
{
    return strncmp(after_uca1400, "nopad_", 6) != 0 && strncmp(after_uca1400, "ai_", 3) != 0 &&
           strncmp(after_uca1400, "as_", 3) != 0;
}

/* MariaDB's uca1400 in MySQL. */
static struct collation_change from_1400(struct server_kind to, const char *collation)
{
    struct collation_change c = { .fidelity = FIDELITY_LOSSY };
    bool nopad = strstr(collation, "_nopad_") != NULL;

    if (to.version < 80000) {
        snprintf(c.to, sizeof c.to, "utf8mb4_unicode_520_ci");
        c.note = "compared by Unicode 5.2, trailing spaces ignored";
        c.coarser = true;
        return c;
    }
    /* MySQL 8 has no ai_cs: as_cs tells more apart, never less. */
    snprintf(c.to, sizeof c.to, "utf8mb4_0900_%s",
             ends_with(collation, "ai_cs") ? "as_cs" : sensitivity(collation));
    c.note = nopad ? "compared by Unicode 9.0 instead of 14.0"
                   : "compared by Unicode 9.0 instead of 14.0; trailing spaces count";
    c.coarser = has_language(strstr(collation, "uca1400_") + 8);
    return c;
}

/* MariaDB's X_nopad_Y in MySQL: the padded X_Y. */
static struct collation_change without_nopad(const char *collation)
{
    struct collation_change c = { .fidelity = FIDELITY_LOSSY, .coarser = true };
    const char *at = strstr(collation, "nopad_");

    if (strcmp(collation, "utf8mb4_nopad_bin") == 0)
        return same("utf8mb4_0900_bin");
    snprintf(c.to, sizeof c.to, "%.*s%s", (int)(at - collation), collation, at + 6);
    c.note = "trailing spaces do not count there";
    return c;
}

struct collation_change dialect_collation(struct server_kind from, struct server_kind to,
                                          const char *collation)
{
    if (from.flavor == to.flavor && to.version >= from.version)
        return same(collation);
    if (strstr(collation, "_0900_") && !(to.flavor == FLAVOR_MYSQL && to.version >= 80000))
        return from_0900(to, collation);
    if (to.flavor == FLAVOR_MYSQL && strstr(collation, "uca1400_"))
        return from_1400(to, collation);
    if (to.flavor == FLAVOR_MYSQL && strstr(collation, "nopad_"))
        return without_nopad(collation);
    return same(collation);
}
