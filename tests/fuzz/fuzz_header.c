/* Headers that decide: Accept, Content-Type, Host and Origin, a line each; and an address to listen
 * on, which has the same shape as Host. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/format.h"
#include "http/guard.h"
#include "http/listen.h"

static void check_listen(const char *text)
{
    struct listen_spec s;
    struct err err = ERR_INIT;

    if (listen_parse(text, &s, &err) < 0)
        assert(err.code == -EINVAL && err.text[0]);
    else
        assert((s.path != NULL) != (s.host && s.port));
    listen_spec_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(freep) char *text = xstrndup((const char *)data, size);
    char *rest = text;
    const char *accept = strsep(&rest, "\n"), *type = strsep(&rest, "\n");
    const char *host = strsep(&rest, "\n"), *origin = strsep(&rest, "\n");

    assert(format_accepted(accept) <= FORMAT_NONE);
    if (type)
        assert(format_of_body(type, rest ? rest : "", rest ? strlen(rest) : 0) != FORMAT_EVENTS);
    if (host && guard_host_is_local(host))
        assert(strncasecmp(host, "localhost", 9) == 0 || strncmp(host, "127.", 4) == 0 ||
               strncmp(host, "[::1]", 5) == 0);
    if (origin && guard_origin_is_own(origin, host))
        assert(strncasecmp(origin, "http", 4) == 0 && strlen(origin) > strlen(host));
    if (host)
        check_listen(host);
    return 0;
}
