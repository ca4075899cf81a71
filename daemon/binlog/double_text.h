/*
 * double_text.h - the shortest decimal text that reads back as the same double,
 * laid out as MySQL and MariaDB do: 123456.789, 0.0000001, 1e15, 5e-324.
 */
#ifndef SLUICE_BINLOG_DOUBLE_TEXT_H
#define SLUICE_BINLOG_DOUBLE_TEXT_H

#include <stddef.h>

#define DOUBLE_TEXT_SIZE 64

/* Into 'to' (DOUBLE_TEXT_SIZE bytes, no NUL); returns the length.  'd' is finite, else "null". */
size_t double_text(char *to, double d);

#endif
