#include "mysql/load.h"

#include <errno.h>
#include <stdio.h>

#include "mysql/conn_priv.h"

/* One load while it runs. */
#define ER_LOAD_REFUSED 2000 /* CR_UNKNOWN_ERROR: the library's own number for it */

struct load {
    ssize_t (*read)(void *arg, char *to, size_t size);
    void *arg;
    bool aborted;
};

static int load_init(void **info, const char *name, void *userdata)
{
    (void)name;
    *info = userdata;
    return userdata == NULL;
}

static int load_read(void *info, char *to, unsigned size)
{
    struct load *l = info;
    ssize_t n = l->read(l->arg, to, size);

    l->aborted = n < 0;
    return (int)n;
}

static void load_end(void *info)
{
    (void)info;
}

/* The library takes the text for a format: no percent sign. */
static int load_error(void *info, char *text, unsigned size)
{
    snprintf(text, size, info ? "the load was aborted" : "the server asked for a local file");
    return ER_LOAD_REFUSED;
}

static void set_source(MYSQL *my, struct load *l)
{
    unsigned on = l != NULL;

    mysql_set_local_infile_handler(my, load_init, load_read, load_end, load_error, l);
    mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &on);
}

void load_announce(MYSQL *my)
{
    unsigned on = 1;

    mysql_set_local_infile_handler(my, load_init, load_read, load_end, load_error, NULL);
    mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &on);
}

void load_refuse(MYSQL *my)
{
    set_source(my, NULL);
}

/* "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0": the same on both servers, in every
 * language that they speak only by position. */
static void parse_info(const char *info, struct mysql_load_result *ret)
{
    uint64_t *fields[] = { &ret->records, &ret->deleted, &ret->skipped, &ret->warnings };

    for (size_t i = 0; i < 4; i++) {
        *fields[i] = 0;
        info += strcspn(info, "0123456789");
        while (*info >= '0' && *info <= '9')
            *fields[i] = *fields[i] * 10 + (uint64_t)(*info++ - '0');
    }
}

int mysql_conn_load(struct mysql_conn *c, struct slice sql,
                    ssize_t (*read)(void *arg, char *to, size_t size), void *arg,
                    struct mysql_load_result *ret, struct err *err)
{
    struct load l = { .read = read, .arg = arg };
    const char *info;
    int rc;

    set_source(c->my, &l);
    errno = 0;
    rc = mysql_real_query(c->my, (const char *)sql.data, sql.size) ? conn_fail(c, err) : 0;
    load_refuse(c->my);
    if (l.aborted && rc != -ECONNRESET && rc != -ETIMEDOUT)
        return err_set(err, -ECANCELED, "the load was aborted");
    if (rc < 0)
        return rc;
    info = mysql_info(c->my);
    if (!info)
        return err_set(err, -EPROTO, "the server did not say how many rows it loaded");
    parse_info(info, ret);
    return 0;
}
