/* The configuration file: any bytes are read or refused with lines that name the file, and every
 * setting has a value afterwards. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(buf_fini) struct buf problems = BUF_INIT;
    SCOPED(closep) int fd = memfd_create("config", MFD_CLOEXEC);
    char path[32];
    const char *argv[] = { "sluiced", "--config", path };
    struct options o;
    enum command command;
    int rc;

    if (write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rc = options_read(&o, 3, (char *const *)argv, (char *[]){ NULL }, &command, &problems);
    assert((rc < 0) == (problems.size > 0));
    for (const struct option_row *row = option_rows; row->key; row++) {
        json_t *v = option_json(&o, row);

        assert(v || row->type == OPTION_TEXT || row->type == OPTION_LIST); /* may be no UTF-8 */
        json_decref(v);
    }
    options_fini(&o);
    return 0;
}
