/*
 * lines.h - an append-only text of lines, read by absolute byte offset.
 *
 * Behind the files events and audit.  Memory is bounded: the oldest lines go,
 * but offsets never do, so the size that a reader sees never shrinks while the
 * daemon runs and `tail -f` goes on.  A read below lines_start() gets nothing
 * here; fs/ starts such a reader at the oldest line.
 *
 * To survive a restart, the owner gives every line that is appended to the
 * store (lines_on_append) and at start puts the last of them back
 * (lines_restore) before anyone reads.
 *
 * Any thread.
 */
#ifndef SLUICE_NODE_LINES_H
#define SLUICE_NODE_LINES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct lines;

#define LINES_KEPT 1000 /* what should survive a restart */

/* Keeps at least 'min_lines' lines, and older ones while all fit in 'max_size' bytes. */
struct lines *lines_new(size_t min_lines, size_t max_size);
void lines_free(struct lines *l); /* NULL is fine */

/* Adds one line; 'line' has no newline (any in it becomes a space). */
void lines_append(struct lines *l, const char *line);
/* As lines_append(), for a line of an earlier run: the hook is not called. */
void lines_restore(struct lines *l, const char *line);
/* 'hook' is called after each append, by the appending thread, without a lock; 'number' counts
 * lines from 0, restored ones included.  It must not wait. */
void lines_on_append(struct lines *l, void (*hook)(void *arg, uint64_t number, const char *line),
                     void *arg);
void lines_set_number(struct lines *l, uint64_t number); /* of the next line */

uint64_t lines_start(struct lines *l); /* offset of the oldest byte that is kept */
uint64_t lines_end(struct lines *l);   /* offset after the newest byte: the file's size */
/* Copies up to 'size' bytes from 'offset'; returns how many (0 at the end and below the start). */
size_t lines_read(struct lines *l, uint64_t offset, char *ret, size_t size);
void lines_copy(struct lines *l, struct buf *out); /* all that is kept */
/* The same as an array: each line's JSON, or its text where it is not JSON. */
json_t *lines_json(struct lines *l);

#endif
