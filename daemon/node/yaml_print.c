#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "node/private.h"
#include "node/yaml.h"

static int add_bytes(void *arg, unsigned char *bytes, size_t size)
{
    buf_add(arg, bytes, size);
    return 1;
}

static void emit(yaml_emitter_t *e, yaml_event_t *event)
{
    (void)yaml_emitter_emit(e, event); /* can only fail for lack of memory */
}

/* Text of several lines reads best as a block; one that a block could not hold exactly is quoted.
 */
static bool block_suits(const char *s, size_t size)
{
    if (!strchr(s, '\n') || strchr(" \t\n", *s))
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)s[i];

        if ((c < 0x20 && c != '\n') || c >= 0x7f)
            return false;
        if (c == '\n' && strchr(" \n", i ? s[i - 1] : '\n'))
            return false;
    }
    return true;
}

static yaml_scalar_style_t style_of(const char *s, size_t size)
{
    if (block_suits(s, size))
        return YAML_LITERAL_SCALAR_STYLE;
    return yaml_is_ambiguous(s) || strpbrk(s, "\n\r") ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                                      : YAML_PLAIN_SCALAR_STYLE;
}

static void print_scalar(yaml_emitter_t *e, const char *s, size_t size, yaml_scalar_style_t style)
{
    yaml_event_t event;

    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)s, (int)size, 1, 1,
                                 style);
    emit(e, &event);
}

static void print_string(yaml_emitter_t *e, const char *s, size_t size)
{
    print_scalar(e, s, size, style_of(s, size));
}

static void print(yaml_emitter_t *e, const json_t *v);

static void print_array(yaml_emitter_t *e, const json_t *v)
{
    yaml_event_t event;
    json_t *item;
    size_t i;

    yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                         json_array_size(v) ? YAML_BLOCK_SEQUENCE_STYLE
                                                            : YAML_FLOW_SEQUENCE_STYLE);
    emit(e, &event);
    json_array_foreach (v, i, item)
        print(e, item);
    yaml_sequence_end_event_initialize(&event);
    emit(e, &event);
}

static void print_object(yaml_emitter_t *e, const json_t *v)
{
    yaml_event_t event;
    const char *key;
    json_t *item;

    yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                        json_object_size(v) ? YAML_BLOCK_MAPPING_STYLE
                                                            : YAML_FLOW_MAPPING_STYLE);
    emit(e, &event);
    json_object_foreach ((json_t *)v, key, item) {
        print_string(e, key, strlen(key));
        print(e, item);
    }
    yaml_mapping_end_event_initialize(&event);
    emit(e, &event);
}

static void print(yaml_emitter_t *e, const json_t *v)
{
    char *text;

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        print_object(e, v);
        return;
    case JSON_ARRAY:
        print_array(e, v);
        return;
    case JSON_STRING:
        print_string(e, json_string_value(v), json_string_length(v));
        return;
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        print_scalar(e, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
        free(text);
    }
}

void yaml_print(const json_t *v, struct buf *out)
{
    yaml_emitter_t e;
    yaml_event_t event;

    if (!yaml_emitter_initialize(&e))
        abort(); /* out of memory */
    yaml_emitter_set_output(&e, add_bytes, out);
    yaml_emitter_set_unicode(&e, 1);
    yaml_emitter_set_width(&e, -1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(&e, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    emit(&e, &event);
    print(&e, v);
    yaml_document_end_event_initialize(&event, 1);
    emit(&e, &event);
    yaml_stream_end_event_initialize(&event);
    emit(&e, &event);
    yaml_emitter_delete(&e);
}
