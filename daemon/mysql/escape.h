/*
 * escape.h - bytes made fit for LOAD DATA and for SQL literals.
 *
 * The hot loop of a copy: runs of harmless bytes are copied sixteen at a time.
 * LOAD DATA (ESCAPED BY '\\') needs a backslash before \t, \n and \\; a literal
 * in '...' before ' and \\, and \0 written out.
 */
#ifndef SLUICE_MYSQL_ESCAPE_H
#define SLUICE_MYSQL_ESCAPE_H

#include <stddef.h>

/* Copies from 'from' into 'to' until either is used up.  Returns the bytes
 * written; '*used' says how many were read.  An escape pair is never cut. */
size_t escape_tsv(char *to, size_t room, const char *from, size_t size, size_t *used);

/* Writes all of 'from'; 'to' has room for 2 * size bytes.  Returns the bytes written. */
size_t escape_sql(char *to, const char *from, size_t size);

/* The same for files: line ends and 26, which clients change or stop at, are written out too. */
size_t escape_file(char *to, const char *from, size_t size);

/* How many bytes there are before the first 'a' or 'b'; 'size' if there is none. */
size_t escape_find(const char *from, size_t size, char a, char b);

#endif
