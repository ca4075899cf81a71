/* YAML: what is read, printed and read again is the same; errors have a sentence. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/scope.h"
#include "node/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *v = yaml_parse((const char *)data, size, &err);
    SCOPED(json_decrefp) json_t *again = NULL;
    SCOPED(json_decrefp) json_t *third = NULL;
    SCOPED(buf_fini) struct buf out = BUF_INIT, twice = BUF_INIT;

    if (!v) {
        assert(err.code < 0 && err.text[0]);
        return 0;
    }
    yaml_print(v, &out);
    again = yaml_parse(out.data, out.size, &err);
    assert(again);
    yaml_print(again, &twice); /* a real number has 15 digits after the first printing */
    third = yaml_parse(twice.data, twice.size, &err);
    assert(third && json_equal(again, third));
    return 0;
}
