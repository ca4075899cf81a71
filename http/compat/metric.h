/*
 * metric.h - Prometheus text under another system's names: one row a metric, which attribute it
 * shows.
 *
 * Rows of the same name stand together and differ in their labels.  A histogram's value is that of
 * unit/histogram_show.h; where there is none it is an empty one.
 */
#ifndef SLUICE_HTTP_METRIC_H
#define SLUICE_HTTP_METRIC_H

#include <jansson.h>

struct buf;

enum metric_scale {
    METRIC_PLAIN,
    METRIC_TSO_MS, /* of a time stamp, physical ms << 18 | logical: the ms */
};

struct metric_row {
    const char *name;
    const char *type;   /* "gauge", "counter", "histogram" */
    const char *attr;   /* NULL: always 0, for what we cannot have, so that alarms stay defined */
    const char *field;  /* of an attribute that is an object: this member of it; NULL: all of it */
    const char *labels; /* "type=\"capacity\""; NULL: none */
    const char *key;    /* of an attribute that is an object: a sample each, labelled with this */
    enum metric_scale scale;
    const char *help;
};

/* Appends the exposition of 'rows' (ended by one without a name) from a node's attributes.  What an
 * attribute does not know (null) has no sample. */
void metrics_of_rows(const struct metric_row *rows, const json_t *attrs, struct buf *out);
/* The same of several nodes: [{"labels": {name: text}, "attrs": {...}}, ...].  Labels come in the
 * order of their names. */
void metrics_of_nodes(const struct metric_row *rows, const json_t *nodes, struct buf *out);

#endif
