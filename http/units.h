/*
 * units.h - listeners that nodes of the tree ask for: a pump's port is its attribute 'addr'.
 *
 * For every facade with a collection ("pumps"), each child of it with an address has a listener
 * that serves this child alone.  They follow the tree: made, moved and closed while the daemon
 * runs.  An address that cannot be listened on is tried again; why is in the child's last_error.
 */
#ifndef SLUICE_HTTP_UNITS_H
#define SLUICE_HTTP_UNITS_H

struct http_server;
struct units;

/* Those that are asked for now are open when it returns.  NULL: the tree has no such collection. */
struct units *units_start(struct http_server *s);
/* The listeners stay open: http_stop() closes them with the others.  NULL is fine. */
void units_stop(struct units *u);

#endif
