/*
 * fd.h - what the system calls on a descriptor leave to be done.
 *
 * Any thread; nothing is kept.
 */
#ifndef SLUICE_BASE_FD_H
#define SLUICE_BASE_FD_H

#include <stddef.h>

struct addrinfo;

/* All of it, whatever write(2) takes at a time.  0; -ENOSPC, -EIO, ..., which errno says too. */
int fd_write(int fd, const void *data, size_t size);

/* A socket that listens there, close-on-exec and non-blocking, the caller's; -EADDRINUSE, ... */
int fd_listen(const struct addrinfo *at, int backlog);

#endif
