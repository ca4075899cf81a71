/* Documents of tasks and sources, and DM's files of them: what is taken is taken again as it was
 * kept; what is not has a sentence. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/yaml.h"
#include "unit/source/source_doc.h"
#include "unit/task/task_doc.h"

static void check(const json_t *v,
                  int (*read)(const json_t *doc, const char *name, json_t **ret, struct err *err))
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *kept = NULL, *again = NULL;

    if (read(v, "t", &kept, &err) < 0) {
        assert(err.text[0] && !kept);
        return;
    }
    assert(read(kept, "t", &again, &err) == 0);
    assert(json_equal(kept, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *v = yaml_parse((const char *)data, size, &err);
    SCOPED(freep) char *text = xstrndup((const char *)data, size);
    int64_t us = -1;

    if (duration_parse(text, &us, &err) == 0)
        assert(us >= 0);
    if (json_is_object(v)) {
        check(v, task_doc_check);
        check(v, source_doc_check);
    }
    return 0;
}
