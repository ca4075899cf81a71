/*
 * password.h - passwords in configuration files, encrypted as DM and binlogctl users have them.
 *
 * AES-256 in CFB mode under a key of 64 hexadecimal digits; the text is the base64 of
 * IV (16 bytes), '@', ciphertext.  It hides a password from who sees the file, and nothing tells a
 * wrong key from a right one: what sluice keeps itself is sealed otherwise (store/secret.h).
 *
 * Source: TiDB DM, pkg/encrypt.
 */
#ifndef SLUICE_BASE_PASSWORD_H
#define SLUICE_BASE_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"

enum { PASSWORD_KEY_SIZE = 32 };

/* Reads the key's file: 64 hexadecimal digits, and a newline or not. */
int password_key_read(const char *path, unsigned char key[PASSWORD_KEY_SIZE], struct err *err);

/* The caller frees.  NULL with 'err' set. */
char *password_encrypt(const unsigned char key[PASSWORD_KEY_SIZE], const char *text,
                       struct err *err);
/* NULL: it is none of the above, so it is a password as it is. */
char *password_decrypt(const unsigned char key[PASSWORD_KEY_SIZE], const char *text);

#endif
