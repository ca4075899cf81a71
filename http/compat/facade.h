/* facade.h - one table a system; what they are made of is in route.h. */
#ifndef SLUICE_HTTP_FACADE_H
#define SLUICE_HTTP_FACADE_H

#include "http/compat/route.h"

extern const struct facade dm_facade;                   /* dm/dm.c */
extern const struct facade kingbus_facade;              /* kingbus.c */
extern const struct facade pump_facade, drainer_facade; /* tidb_binlog.c */

#endif
