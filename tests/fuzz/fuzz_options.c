/* Settings: a configuration file; flags, a word a line, when it starts with '-'; the environment,
 * likewise, when it starts with "SLUICE_".  Any bytes are read or refused with lines that say
 * where, and every setting has a value afterwards. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "options.h"

enum { WORDS_MAX = 64 };

static void read_settings(int argc, char *const *argv, char *const *env)
{
    SCOPED(buf_fini) struct buf problems = BUF_INIT;
    struct options o;
    enum command command;
    int rc = options_read(&o, argc, argv, env, &command, &problems);

    assert((rc < 0) == (problems.size > 0));
    for (const struct option_row *row = option_rows; row->key; row++) {
        json_t *v = option_json(&o, row);

        assert(v || row->type == OPTION_TEXT || row->type == OPTION_LIST); /* may be no UTF-8 */
        json_decref(v);
    }
    options_fini(&o);
}

static void read_words(const uint8_t *data, size_t size)
{
    SCOPED(freep) char *text = xstrndup((const char *)data, size);
    char name[] = "sluiced", *words[WORDS_MAX + 2] = { name }, *rest = text;
    int n = 1;

    while (n <= WORDS_MAX && (words[n] = strsep(&rest, "\n")))
        n++;
    words[n] = NULL;
    if (data[0] == '-')
        read_settings(n, words, (char *[]){ NULL });
    else
        read_settings(1, words, words + 1);
}

static void read_file(const uint8_t *data, size_t size)
{
    SCOPED(closep) int fd = memfd_create("config", MFD_CLOEXEC);
    char path[32];
    const char *argv[] = { "sluiced", "--config", path };

    if (write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_settings(3, (char *const *)argv, (char *[]){ NULL });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && (data[0] == '-' || (size > 7 && memcmp(data, "SLUICE_", 7) == 0)))
        read_words(data, size);
    else
        read_file(data, size);
    return 0;
}
