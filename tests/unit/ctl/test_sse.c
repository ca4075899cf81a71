#include "ctl/sse.h"

#include <criterion/criterion.h>

#include "base/scope.h"

struct seen {
    struct buf text;
    int n_left;
};

static bool take(void *arg, const char *event, const char *data)
{
    struct seen *s = arg;

    buf_printf(&s->text, "[%s|%s]", event, data);
    return --s->n_left > 0;
}

static void expect(const char *stream, size_t piece, const char *wanted, const char *id)
{
    struct seen seen = { .n_left = 100 };
    SCOPED(sse_fini) struct sse s = { .fn = take, .arg = &seen };

    for (size_t at = 0, size = strlen(stream); at < size; at += piece)
        sse_feed(&s, stream + at, size - at < piece ? size - at : piece);
    cr_expect_str_eq(seen.text.size ? seen.text.data : "", wanted, "by %zu", piece);
    cr_expect_str_eq(s.id, id);
    buf_fini(&seen.text);
}

Test(sse, reads_events_however_they_are_cut)
{
    for (size_t piece = 1; piece < 50; piece++)
        expect("retry: 2000\n\n:\n\nevent: change\nid: 7\ndata: {\"a\":1}\n\n"
               "event: remove\r\nid: 8\r\ndata:x\r\n\r\n",
               piece, "[change|{\"a\":1}][remove|x]", "8");
}

Test(sse, joins_lines_of_data_and_names_no_event_message)
{
    expect("data: a\ndata: b\n\n", 3, "[message|a\nb]", "");
}

Test(sse, keeps_back_what_is_not_finished)
{
    expect("id: 3\ndata: a", 4, "", "3");
}

Test(sse, stops_when_told)
{
    struct seen seen = { .n_left = 1 };
    SCOPED(sse_fini) struct sse s = { .fn = take, .arg = &seen };

    cr_assert_not(sse_feed(&s, "data: a\n\ndata: b\n\n", 18));
    cr_assert_str_eq(seen.text.data, "[message|a]");
    buf_fini(&seen.text);
}
