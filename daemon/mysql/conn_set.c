#include "mysql/conn_set.h"

#include <assert.h>

#include "mysql/conn_priv.h"

void conn_set_init(struct conn_set *s) NO_THREAD_CHECK
{
    *s = (struct conn_set){ .first = NULL };
    mutex_init(&s->lock);
}

void conn_set_fini(struct conn_set *s) NO_THREAD_CHECK
{
    assert(!s->first);
    mutex_fini(&s->lock);
}

bool conn_set_add(struct conn_set *s, struct mysql_conn *c)
{
    bool shut;

    mutex_lock(&s->lock);
    shut = s->shut;
    if (!shut) {
        c->set = s;
        c->next = s->first;
        s->first = c;
    }
    mutex_unlock(&s->lock);
    return !shut;
}

void conn_set_remove(struct mysql_conn *c)
{
    struct conn_set *s = c->set;

    if (!s)
        return;
    mutex_lock(&s->lock);
    for (struct mysql_conn **at = &s->first; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    mutex_unlock(&s->lock);
    c->set = NULL;
}

void conn_set_shut(struct conn_set *s)
{
    mutex_lock(&s->lock);
    s->shut = true;
    for (struct mysql_conn *c = s->first; c; c = c->next)
        mysql_conn_shutdown(c);
    mutex_unlock(&s->lock);
}

bool conn_set_is_shut(struct conn_set *s)
{
    bool shut;

    mutex_lock(&s->lock);
    shut = s->shut;
    mutex_unlock(&s->lock);
    return shut;
}
