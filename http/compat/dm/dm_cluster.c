/* dm_cluster.c - masters and workers: the members of the cluster, which are both. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "http/compat/dm/dm.h"

/* "http://127.0.0.1:8261" without the scheme. */
static const char *address_of(const json_t *member)
{
    const char *url = dm_text(member, "admin_url"), *after = strstr(url, "://");

    return after ? after + 3 : url;
}

/* Calls 'add' with the attributes of each member. */
static json_t *each_member(struct call *c,
                           void (*add)(json_t *all, const char *name, const json_t *member),
                           struct err *err)
{
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_MEMBERS, err), *all = json_array();
    const json_t *name;
    size_t i;

    if (!names)
        return NULL;
    json_array_foreach (names, i, name) {
        call_set_param(c, "member", json_string_value(name));
        SCOPED(json_decrefp) json_t *member = call_read(c, DM_MEMBER, err);

        if (!member)
            return NULL;
        add(all, json_string_value(name), member);
    }
    return json_incref(all);
}

static void add_master(json_t *all, const char *name, const json_t *member)
{
    json_array_append_new(all,
                          json_pack("{s:s,s:b,s:b,s:s}", "name", name, "alive",
                                    (int)dm_is_state(member, "online"), "leader",
                                    (int)dm_flag(member, "is_leader"), "addr", address_of(member)));
}

int dm_get_masters(struct call *c, struct err *err)
{
    json_t *all = each_member(c, add_master, err);

    return all ? dm_list(c, all) : err->code;
}

int dm_delete_master(struct call *c, struct err *err)
{
    if (call_remove(c, DM_MEMBER, err) == 0)
        return dm_done(c);
    if (err->code != -ENOENT)
        return dm_fail_at(c, DM_STEP_OTHER, err);
    return dm_fail(c, DM_MASTER_NOT_EXIST, "dm-master with name %s not exists",
                   call_param(c, "member"));
}

/* --- workers: a member, once for each of its sources --- */

static void add_worker(json_t *all, const char *name, const json_t *member)
{
    json_array_append_new(all, json_pack("{s:s,s:s}", "name", name, "addr", address_of(member)));
}

static void bind(json_t *all, const json_t *worker, const char *source)
{
    json_t *v = json_copy((json_t *)worker);

    json_object_set_new(v, "bound_stage", json_string(*source ? "bound" : "free"));
    json_object_set_new(v, "bound_source_name", json_string(source));
    json_array_append_new(all, v);
}

/* All sources are the leader's. */
int dm_get_workers(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *members = each_member(c, add_worker, err), *all = json_array();
    SCOPED(json_decrefp) json_t *sources = members ? call_children(c, DM_SOURCES, err) : NULL;
    SCOPED(json_decrefp) json_t *leader = sources ? dm_worker(c, err) : NULL;
    const json_t *worker, *source;
    size_t i, k;

    if (!leader)
        return err->code;
    json_array_foreach (members, i, worker) {
        bool has = json_equal(json_object_get(worker, "name"), leader) && json_array_size(sources);

        if (!has)
            bind(all, worker, "");
        json_array_foreach (sources, k, source)
            if (has)
                bind(all, worker, json_string_value(source));
    }
    return dm_list(c, json_incref(all));
}

/* One that is there is at work; there is none that is not there. */
int dm_delete_worker(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *member = call_read(c, DM_MEMBER, err);
    const char *name = call_param(c, "member");

    if (member)
        return dm_fail(c, DM_WORKER_ONLINE, "dm-worker with name %s is still online", name);
    if (err->code != -ENOENT)
        return err->code;
    return dm_fail(c, DM_WORKER_NOT_EXIST, "dm-worker with name %s not exists", name);
}

/* --- info --- */

int dm_get_info(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *cluster = call_read(c, DM_CLUSTER, err);
    SCOPED(json_decrefp) json_t *topology = cluster ? call_read(c, DM_TOPOLOGY, err) : NULL;
    json_t *v;

    if (!topology)
        return err->code;
    v = json_pack("{s:I}", "cluster_id",
                  (json_int_t)strtoull(dm_text(cluster, "cluster_id"), NULL, 16));
    if (!json_is_null(topology))
        json_object_set(v, "topology", topology);
    return dm_json(c, v);
}

int dm_put_info(struct call *c, struct err *err)
{
    return call_write(c, DM_TOPOLOGY, c->body, err) < 0 ? err->code : dm_get_info(c, err);
}
