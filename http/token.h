/*
 * token.h - bearer tokens of callers from elsewhere.
 *
 * The file has one token a line, hashed:
 *
 *     # name   right   sha256 of the token
 *     grafana  read    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *
 * A new one:  t=$(openssl rand -hex 32); echo "$t"
 *             echo "grafana read $(printf %s "$t" | sha256sum | cut -d' ' -f1)" >> tokens
 *
 * A changed file is read again at the next request, so a token is withdrawn by
 * deleting its line.  When it cannot be read any more, nobody gets in.
 *
 * Threads: any.
 */
#ifndef SLUICE_HTTP_TOKEN_H
#define SLUICE_HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct token_file;

#define TOKEN_NAME_SIZE 64

/* Reads 'path'; NULL with 'err' set when a line is wrong or there is no token in it. */
struct token_file *token_file_open(const char *path, struct err *err);
void token_file_free(struct token_file *f); /* NULL is fine */

/* Finds the owner of 'token', the text after "Bearer ".  'name' holds TOKEN_NAME_SIZE bytes.
 * -EKEYREJECTED if it is nobody's; takes as long whether it nearly matched or not. */
int token_check(struct token_file *f, const char *token, char *name, bool *may_write,
                struct err *err);

#endif
