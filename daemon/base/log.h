/*
 * log.h - one line is one fact with its keys.
 *
 * A function returns an error or logs it, never both: libraries return, the
 * top of a thread logs.  'error' means someone must act, 'warn' that we coped,
 * 'info' what an operator would write in a diary, 'debug' the rest.
 *
 * 'who' is the path of what speaks ("tasks/orders/sources/s1/sync") or NULL.
 * Any thread.  Lines go to stderr as logfmt or JSON, one write(2) each.
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
extern const char *const log_level_names[]; /* debug info warn error, NULL */

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_json(bool json);

void log_line(enum log_level level, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(who, ...) log_line(LOG_LEVEL_DEBUG, who, __VA_ARGS__)
#define log_info(who, ...) log_line(LOG_LEVEL_INFO, who, __VA_ARGS__)
#define log_warn(who, ...) log_line(LOG_LEVEL_WARN, who, __VA_ARGS__)
#define log_error(who, ...) log_line(LOG_LEVEL_ERROR, who, __VA_ARGS__)

#endif
