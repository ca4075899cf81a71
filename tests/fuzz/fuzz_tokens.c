/* The file of tokens: any bytes are read or refused with a sentence, and nobody gets in by a token
 * whose hash is not there. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "http/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(closep) int fd = memfd_create("tokens", MFD_CLOEXEC);
    struct err err = ERR_INIT;
    struct token_file *f;
    char path[32], name[TOKEN_NAME_SIZE] = "";
    bool may_write = false;

    if (write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    f = token_file_open(path, &err);
    if (!f) {
        assert(err.code < 0 && err.text[0]);
        return 0;
    }
    assert(token_check(f, "no one has this one", name, &may_write, &err) == -EKEYREJECTED);
    if (token_check(f, "secret", name, &may_write, &err) == 0) /* its hash is in the corpus */
        assert(name[0] && strlen(name) < sizeof name);
    token_file_free(f);
    return 0;
}
