#include "unit/drain/drain_stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit/histogram_show.h"

void drain_stats_init(struct drain_stats *s)
{
    mutex_init(&s->lock);
}

void drain_stats_fini(struct drain_stats *s) NO_THREAD_CHECK
{
    struct lane_stats *l;

    while ((l = s->lanes)) {
        s->lanes = l->next;
        free(l);
    }
    mutex_fini(&s->lock);
}

struct lane_stats *drain_stats_lane(struct drain_stats *s, const char *node_id)
{
    size_t size = strlen(node_id) + 1;
    struct lane_stats *l;

    mutex_lock(&s->lock);
    for (l = s->lanes; l && strcmp(l->node_id, node_id) != 0; l = l->next)
        ;
    if (!l) {
        l = xcalloc(1, sizeof *l + size);
        memcpy(l->node_id, node_id, size);
        l->next = s->lanes;
        s->lanes = l;
    }
    mutex_unlock(&s->lock);
    return l;
}

json_t *drain_stats_lanes(struct drain_stats *s)
{
    json_t *reach = json_object(), *size = json_object();

    mutex_lock(&s->lock);
    for (struct lane_stats *l = s->lanes; l; l = l->next) {
        json_object_set_new(reach, l->node_id, histogram_show(&l->reach_us, 1e-6));
        json_object_set_new(size, l->node_id, histogram_show(&l->read_bytes, 1));
    }
    mutex_unlock(&s->lock);
    return json_pack("{s:o, s:o}", "reach", reach, "read_size", size);
}
