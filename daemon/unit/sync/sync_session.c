#include "unit/sync/sync_session.h"

#include "base/mem.h"
#include "mysql/quote.h"

/* Bits of sql_mode that both flavours have in the same place, and those of one. */
static const struct mode_row {
    unsigned bit;
    const char *name;
    bool mysql, mariadb; /* knows the name today */
} modes[] = {
    { 0, "REAL_AS_FLOAT", true, true },
    { 1, "PIPES_AS_CONCAT", true, true },
    { 2, "ANSI_QUOTES", true, true },
    { 3, "IGNORE_SPACE", true, true },
    { 4, "IGNORE_BAD_TABLE_OPTIONS", false, true },
    { 5, "ONLY_FULL_GROUP_BY", true, true },
    { 6, "NO_UNSIGNED_SUBTRACTION", true, true },
    { 7, "NO_DIR_IN_CREATE", true, true },
    { 19, "NO_AUTO_VALUE_ON_ZERO", true, true },
    { 20, "NO_BACKSLASH_ESCAPES", true, true },
    { 21, "STRICT_TRANS_TABLES", true, true },
    { 22, "STRICT_ALL_TABLES", true, true },
    { 23, "NO_ZERO_IN_DATE", true, true },
    { 24, "NO_ZERO_DATE", true, true },
    { 25, "ALLOW_INVALID_DATES", true, true },
    { 26, "ERROR_FOR_DIVISION_BY_ZERO", true, true },
    { 29, "HIGH_NOT_PRECEDENCE", true, true },
    { 30, "NO_ENGINE_SUBSTITUTION", true, true },
    { 31, "PAD_CHAR_TO_FULL_LENGTH", true, true },
};

static void add_mode(uint64_t mode, enum flavor to, struct buf *out)
{
    const char *between = "";

    buf_str(out, ",sql_mode='");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!(mode >> modes[i].bit & 1) ||
            !(to == FLAVOR_MYSQL ? modes[i].mysql : modes[i].mariadb))
            continue;
        buf_printf(out, "%s%s", between, modes[i].name);
        between = ",";
    }
    buf_byte(out, '\'');
}

/* Collation numbers up to this one mean the same in both flavours. */
#define LAST_COMMON_COLLATION 247

/* MariaDB's uca1400 collations: this + 256 * the charset + which of its.  Since 11.5 they are the
 * default, so that a client's charset, which is what counts of it, is logged as one of them; but
 * as a client's no server takes such a number. */
#define FIRST_UCA1400 2048

static unsigned client_charset(unsigned logged)
{
    static const unsigned char plain[] = { 33, 45 }; /* utf8mb3, utf8mb4: the rest is no client's */
    unsigned which = (logged - FIRST_UCA1400) >> 8;

    return logged >= FIRST_UCA1400 && which < ARRAY_LEN(plain) ? plain[which] : logged;
}

static void add_number(const char *name, unsigned number, bool same, const char *other,
                       struct buf *out)
{
    if (same || number <= LAST_COMMON_COLLATION)
        buf_printf(out, ",%s=%u", name, number);
    else if (other)
        buf_printf(out, ",%s=%s", name, other);
}

static void add_charset(const struct query_context *ctx, bool same, struct buf *out)
{
    add_number("character_set_client", client_charset(ctx->client_charset), same, "utf8mb4", out);
    add_number("collation_connection", ctx->connection_collation, same, "utf8mb4_bin", out);
    add_number("collation_server", ctx->server_collation, same, NULL, out);
}

void session_sql(const struct query_context *ctx, uint32_t timestamp, enum flavor from,
                 enum flavor to, const char *system_zone, struct buf *out)
{
    bool same = from == to;

    buf_printf(out, "SET SESSION timestamp=%u.%06u", timestamp,
               ctx->has_microseconds ? ctx->microseconds : 0);
    if (ctx->has_sql_mode)
        add_mode(ctx->sql_mode, to, out);
    if (ctx->has_charset)
        add_charset(ctx, same, out);
    if (ctx->time_zone.size) {
        bool is_system = slice_eq(ctx->time_zone, slice_str("SYSTEM"));

        buf_str(out, ",time_zone=");
        sql_quote(out, is_system && system_zone ? slice_str(system_zone) : ctx->time_zone);
    }
    if (ctx->has_flags2)
        buf_printf(out, ",foreign_key_checks=%d,unique_checks=%d",
                   !(ctx->flags2 & QUERY_FLAG_NO_FOREIGN_KEY_CHECKS),
                   !(ctx->flags2 & QUERY_FLAG_RELAXED_UNIQUE_CHECKS));
    if (same && ctx->explicit_defaults_for_timestamp >= 0 && to == FLAVOR_MYSQL)
        buf_printf(out, ",explicit_defaults_for_timestamp=%d",
                   ctx->explicit_defaults_for_timestamp);
    if (same && to == FLAVOR_MYSQL && ctx->default_collation_for_utf8mb4)
        buf_printf(out, ",default_collation_for_utf8mb4=%u", ctx->default_collation_for_utf8mb4);
}

const char session_restore[] = "SET SESSION timestamp=DEFAULT,character_set_client=binary,"
                               "character_set_connection=binary,collation_server=DEFAULT";
