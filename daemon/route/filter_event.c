#include "route/filter_event.h"

#include <assert.h>
#include <strings.h>

#include "base/mem.h"

enum event {
    INSERT,
    UPDATE,
    DELETE,
    CREATE_DATABASE,
    DROP_DATABASE,
    ALTER_DATABASE,
    CREATE_TABLE,
    CREATE_TABLE_LIKE,
    CREATE_TABLE_SELECT,
    DROP_TABLE,
    TRUNCATE_TABLE,
    RENAME_TABLE,
    ALTER_TABLE,
    CREATE_VIEW,
    ALTER_VIEW,
    DROP_VIEW,
    CREATE_INDEX,
    DROP_INDEX,
    CREATE_SEQUENCE,
    ALTER_SEQUENCE,
    DROP_SEQUENCE,
    TRIGGER,
    ROUTINE,
    EVENT,
    ACCOUNT,
    ADMINISTRATION,
    DML, /* logged as a statement */
    OTHER_STATEMENT,
    REMOVE_PARTITIONING,
    PARTITIONING,
    EXCHANGE_PARTITION,
    REORGANIZE_PARTITION,
    REBUILD_PARTITION,
    COALESCE_PARTITION,
    ADD_PARTITION,
    DROP_PARTITION,
    TRUNCATE_PARTITION,
    ADD_FOREIGN_KEY,
    DROP_FOREIGN_KEY,
    RANGE_DECREASE,
    PRECISION_DECREASE,
    MODIFY_COLUMN,
    RENAME_COLUMN,
    RENAME_INDEX,
    DROP_COLUMN,
    DROP_PRIMARY_KEY,
    DROP_UNIQUE_KEY,
    MODIFY_DEFAULT,
    MODIFY_CONSTRAINT,
    MODIFY_ORDER,
    MODIFY_CHARSET,
    MODIFY_COLLATION,
    REMOVE_AUTO_INCREMENT,
    MODIFY_ENGINE,
    ADD_COLUMN,
    SET_DEFAULT,
    REBASE_AUTO_ID,
    ADD_PRIMARY_KEY,
    INDEX_VISIBILITY,
    TABLE_CHARSET,
    TABLE_COMMENT,
    MULTI_CHANGE,
    N_EVENTS,
};
static_assert(N_EVENTS <= 64, "events are bits of one number");

#define B(event) (UINT64_C(1) << (event))
#define ROWS (B(INSERT) | B(UPDATE) | B(DELETE))
#define INCOMPATIBLE                                                                              \
    (B(RANGE_DECREASE) | B(PRECISION_DECREASE) | B(MODIFY_COLUMN) | B(RENAME_COLUMN) |            \
     B(RENAME_INDEX) | B(DROP_COLUMN) | B(DROP_INDEX) | B(TRUNCATE_TABLE) | B(DROP_PRIMARY_KEY) | \
     B(DROP_UNIQUE_KEY) | B(MODIFY_DEFAULT) | B(MODIFY_CONSTRAINT) | B(MODIFY_ORDER) |            \
     B(MODIFY_CHARSET) | B(MODIFY_COLLATION) | B(REMOVE_AUTO_INCREMENT) | B(MODIFY_ENGINE) |      \
     B(REORGANIZE_PARTITION) | B(REBUILD_PARTITION) | B(COALESCE_PARTITION) |                     \
     B(EXCHANGE_PARTITION))

/* Source: TiDB DM documentation, "Filter Binlog Events". */
static const struct word {
    const char *text;
    uint64_t events;
    bool keeps;
} words[] = {
    { "all", ~UINT64_C(0), false },
    { "all dml", ROWS, false },
    { "all ddl", ~ROWS, false },
    { "none", ~UINT64_C(0), true },
    { "none dml", ROWS, true },
    { "none ddl", ~ROWS, true },
    { "incompatible ddl changes", INCOMPATIBLE, false },
    { "insert", B(INSERT), false },
    { "update", B(UPDATE), false },
    { "delete", B(DELETE), false },
    { "create database", B(CREATE_DATABASE), false },
    { "create schema", B(CREATE_DATABASE), false },
    { "drop database", B(DROP_DATABASE), false },
    { "drop schema", B(DROP_DATABASE), false },
    { "alter database", B(ALTER_DATABASE), false },
    { "alter schema", B(ALTER_DATABASE), false },
    { "modify schema charset and collate", B(ALTER_DATABASE), false },
    { "create table", B(CREATE_TABLE), false },
    { "create table like", B(CREATE_TABLE_LIKE), false },
    { "create table select", B(CREATE_TABLE_SELECT), false },
    { "drop table", B(DROP_TABLE), false },
    { "truncate table", B(TRUNCATE_TABLE), false },
    { "rename table", B(RENAME_TABLE), false },
    { "alter table", B(ALTER_TABLE), false },
    { "create view", B(CREATE_VIEW), false },
    { "alter view", B(ALTER_VIEW), false },
    { "drop view", B(DROP_VIEW), false },
    { "create index", B(CREATE_INDEX), false },
    { "add index", B(CREATE_INDEX), false },
    { "drop index", B(DROP_INDEX), false },
    { "create sequence", B(CREATE_SEQUENCE), false },
    { "alter sequence", B(ALTER_SEQUENCE), false },
    { "drop sequence", B(DROP_SEQUENCE), false },
    { "trigger", B(TRIGGER), false },
    { "routine", B(ROUTINE), false },
    { "event", B(EVENT), false },
    { "account", B(ACCOUNT), false },
    { "administration", B(ADMINISTRATION), false },
    { "dml", B(DML), false },
    { "recover table", 0, false }, /* of TiDB alone, as the next three that have no event */
    { "remove table partitioning", B(REMOVE_PARTITIONING), false },
    { "alter table partitioning", B(PARTITIONING), false },
    { "exchange table partition", B(EXCHANGE_PARTITION), false },
    { "exchange partition", B(EXCHANGE_PARTITION), false },
    { "reorganize table partition", B(REORGANIZE_PARTITION), false },
    { "rebuild table partition", B(REBUILD_PARTITION), false },
    { "coalesce table partition", B(COALESCE_PARTITION), false },
    { "coalesce partition", B(COALESCE_PARTITION), false },
    { "split table partition", 0, false },
    { "add table partition", B(ADD_PARTITION), false },
    { "drop table partition", B(DROP_PARTITION), false },
    { "truncate table partition", B(TRUNCATE_PARTITION), false },
    { "add foreign key", B(ADD_FOREIGN_KEY), false },
    { "drop foreign key", B(DROP_FOREIGN_KEY), false },
    { "value range decrease", B(RANGE_DECREASE), false },
    { "precision decrease", B(PRECISION_DECREASE), false },
    { "modify column", B(MODIFY_COLUMN), false },
    { "rename column", B(RENAME_COLUMN), false },
    { "rename index", B(RENAME_INDEX), false },
    { "drop column", B(DROP_COLUMN), false },
    { "drop primary key", B(DROP_PRIMARY_KEY), false },
    { "drop unique key", B(DROP_UNIQUE_KEY), false },
    { "modify default value", B(MODIFY_DEFAULT), false },
    { "modify constraint", B(MODIFY_CONSTRAINT), false },
    { "modify columns order", B(MODIFY_ORDER), false },
    { "modify charset", B(MODIFY_CHARSET), false },
    { "modify collation", B(MODIFY_COLLATION), false },
    { "remove auto increment", B(REMOVE_AUTO_INCREMENT), false },
    { "modify storage engine", B(MODIFY_ENGINE), false },
    { "add column", B(ADD_COLUMN), false },
    { "set default value", B(SET_DEFAULT), false },
    { "rebase auto id", B(REBASE_AUTO_ID), false },
    { "add primary key", B(ADD_PRIMARY_KEY), false },
    { "alter index visibility", B(INDEX_VISIBILITY), false },
    { "alter ttl info", 0, false },
    { "alter ttl remove", 0, false },
    { "modify table charset and collate", B(TABLE_CHARSET), false },
    { "modify table comment", B(TABLE_COMMENT), false },
    { "multi schema change", B(MULTI_CHANGE), false },
};

bool filter_word_of(const char *text, struct filter_word *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i].text, text) != 0)
            continue;
        *ret = (struct filter_word){ words[i].events, words[i].keeps };
        return true;
    }
    return false;
}

uint64_t filter_events_of_rows(unsigned bit)
{
    return bit == FILTER_ROWS_INSERT   ? B(INSERT)
           : bit == FILTER_ROWS_UPDATE ? B(UPDATE)
                                       : B(DELETE);
}

uint64_t filter_events_of_class(enum ddl_class class)
{
    static const uint64_t events[DDL_N_CLASSES] = {
        [DDL_UNKNOWN] = B(OTHER_STATEMENT),
        [DDL_CREATE_DATABASE] = B(CREATE_DATABASE),
        [DDL_DROP_DATABASE] = B(DROP_DATABASE),
        [DDL_ALTER_DATABASE] = B(ALTER_DATABASE),
        [DDL_CREATE_TABLE] = B(CREATE_TABLE),
        [DDL_CREATE_TABLE_LIKE] = B(CREATE_TABLE) | B(CREATE_TABLE_LIKE),
        [DDL_CREATE_TABLE_SELECT] = B(CREATE_TABLE) | B(CREATE_TABLE_SELECT),
        [DDL_DROP_TABLE] = B(DROP_TABLE),
        [DDL_ALTER_TABLE] = B(ALTER_TABLE),
        [DDL_RENAME_TABLE] = B(RENAME_TABLE),
        [DDL_TRUNCATE_TABLE] = B(TRUNCATE_TABLE),
        [DDL_CREATE_INDEX] = B(CREATE_INDEX),
        [DDL_DROP_INDEX] = B(DROP_INDEX),
        [DDL_CREATE_VIEW] = B(CREATE_VIEW),
        [DDL_DROP_VIEW] = B(DROP_VIEW),
        [DDL_ALTER_VIEW] = B(ALTER_VIEW),
        [DDL_CREATE_SEQUENCE] = B(CREATE_SEQUENCE),
        [DDL_ALTER_SEQUENCE] = B(ALTER_SEQUENCE),
        [DDL_DROP_SEQUENCE] = B(DROP_SEQUENCE),
        [DDL_TRIGGER] = B(TRIGGER),
        [DDL_ROUTINE] = B(ROUTINE),
        [DDL_EVENT] = B(EVENT),
        [DDL_ACCOUNT] = B(ACCOUNT),
        [DDL_ADMIN] = B(ADMINISTRATION),
        [DDL_DML] = B(DML),
        [DDL_TRANSACTION] = 0, /* no filter may open or close one */
    };

    return events[class];
}

uint64_t filter_events_of_many(void)
{
    return B(MULTI_CHANGE);
}

static const uint64_t clause_events[ALTER_N_KINDS] = {
    [ALTER_ADD_COLUMN] = B(ADD_COLUMN),
    [ALTER_DROP_COLUMN] = B(DROP_COLUMN),
    [ALTER_MODIFY_COLUMN] = B(MODIFY_COLUMN),
    [ALTER_CHANGE_COLUMN] = B(MODIFY_COLUMN),
    [ALTER_RENAME_COLUMN] = B(RENAME_COLUMN),
    [ALTER_SET_DEFAULT] = B(SET_DEFAULT) | B(MODIFY_DEFAULT),
    [ALTER_DROP_DEFAULT] = B(MODIFY_DEFAULT),
    [ALTER_ADD_INDEX] = B(CREATE_INDEX),
    [ALTER_ADD_UNIQUE] = B(CREATE_INDEX),
    [ALTER_ADD_PRIMARY] = B(ADD_PRIMARY_KEY),
    [ALTER_ADD_FOREIGN] = B(ADD_FOREIGN_KEY),
    [ALTER_ADD_CHECK] = B(MODIFY_CONSTRAINT),
    [ALTER_DROP_INDEX] = B(DROP_INDEX),
    [ALTER_DROP_PRIMARY] = B(DROP_PRIMARY_KEY),
    [ALTER_DROP_FOREIGN] = B(DROP_FOREIGN_KEY),
    [ALTER_DROP_CHECK] = B(MODIFY_CONSTRAINT),
    [ALTER_CHECK] = B(MODIFY_CONSTRAINT),
    [ALTER_RENAME_INDEX] = B(RENAME_INDEX),
    [ALTER_INDEX_VISIBILITY] = B(INDEX_VISIBILITY),
    [ALTER_RENAME_TABLE] = B(RENAME_TABLE),
    [ALTER_ENGINE] = B(MODIFY_ENGINE),
    [ALTER_CHARSET] = B(TABLE_CHARSET),
    [ALTER_COMMENT] = B(TABLE_COMMENT),
    [ALTER_AUTO_INCREMENT] = B(REBASE_AUTO_ID),
    [ALTER_ADD_PARTITION] = B(ADD_PARTITION),
    [ALTER_DROP_PARTITION] = B(DROP_PARTITION),
    [ALTER_TRUNCATE_PARTITION] = B(TRUNCATE_PARTITION),
    [ALTER_EXCHANGE_PARTITION] = B(EXCHANGE_PARTITION),
    [ALTER_REORGANIZE_PARTITION] = B(REORGANIZE_PARTITION),
    [ALTER_REBUILD_PARTITION] = B(REBUILD_PARTITION),
    [ALTER_COALESCE_PARTITION] = B(COALESCE_PARTITION),
    [ALTER_PARTITION_BY] = B(PARTITIONING),
    [ALTER_REMOVE_PARTITIONING] = B(REMOVE_PARTITIONING),
};

static bool same_name(struct slice a, struct slice b)
{
    return a.size == b.size &&
           (!a.size || strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0);
}

/* MODIFY and CHANGE: what of the column becomes another. */
static uint64_t events_of_definition(const struct filter_statement *st,
                                     const struct alter_clause *c)
{
    bool counts = false;
    struct slice was, becomes;
    uint64_t events = 0;

    if (c->kind == ALTER_CHANGE_COLUMN && !same_name(c->name, c->to))
        events |= B(RENAME_COLUMN);
    events |= c->has_place ? B(MODIFY_ORDER) : 0;
    events |= c->has_charset ? B(MODIFY_CHARSET) : 0;
    events |= c->has_collate ? B(MODIFY_COLLATION) : 0;
    events |= c->has_default ? B(MODIFY_DEFAULT) : 0;
    if (st->column && c->definition_at && st->column(st->arg, c->name, &was, &counts)) {
        struct filter_loss loss;

        becomes = slice_of(st->sql.data + c->definition_at, c->at + c->size - c->definition_at);
        loss = filter_type_loss(was, becomes);
        events |= loss.range ? B(RANGE_DECREASE) : 0;
        events |= loss.precision ? B(PRECISION_DECREASE) : 0;
        events |= counts && !c->has_auto_increment ? B(REMOVE_AUTO_INCREMENT) : 0;
    }
    return events;
}

uint64_t filter_events_of_clause(const struct filter_statement *st, const struct alter_clause *c)
{
    uint64_t events = B(ALTER_TABLE) | clause_events[c->kind];

    if (c->kind == ALTER_MODIFY_COLUMN || c->kind == ALTER_CHANGE_COLUMN)
        events |= events_of_definition(st, c);
    if (c->kind == ALTER_ADD_COLUMN && c->has_place)
        events |= B(MODIFY_ORDER);
    if (c->kind == ALTER_DROP_INDEX && st->is_unique && st->is_unique(st->arg, c->name))
        events |= B(DROP_UNIQUE_KEY);
    return events;
}
