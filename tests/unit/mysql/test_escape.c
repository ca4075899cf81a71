#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "mysql/escape.h"

/* What LOAD DATA makes of it. */
static size_t tsv_read(const char *p, size_t size, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        cr_assert(p[i] != '\t' && p[i] != '\n', "a bare separator at %zu", i);
        if (p[i] == '\\')
            i++;
        out[n++] = p[i];
    }
    return n;
}

static size_t sql_read(const char *p, size_t size, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        cr_assert(p[i] != '\'' && p[i] != '\0', "a bare quote or NUL at %zu", i);
        if (p[i] == '\\') {
            i++;
            out[n++] = p[i] == '0' ? '\0' : p[i];
        } else {
            out[n++] = p[i];
        }
    }
    return n;
}

static void fill(char *p, size_t size, unsigned seed)
{
    static const char hard[] = "\t\n\\'\0ab";

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245 + 12345;
        p[i] = seed >> 28 ? (char)(seed >> 16 & 0x7f) : hard[seed >> 20 & 7];
    }
}

Test(escape, tsv_reads_back_whatever_the_length)
{
    char in[200], out[400], back[400];

    for (unsigned size = 0; size < sizeof in; size++) {
        size_t used, n;

        fill(in, size, size * 31 + 7);
        n = escape_tsv(out, sizeof out, in, size, &used);

        cr_assert_eq(used, size);
        cr_assert_eq(tsv_read(out, n, back), size);
        cr_assert_arr_eq(back, in, size);
    }
}

Test(escape, tsv_goes_on_where_room_ended_and_cuts_no_pair)
{
    char in[300], out[64], back[600];
    size_t read = 0;

    fill(in, sizeof in, 99);
    for (size_t at = 0, used; at < sizeof in; at += used) {
        size_t n = escape_tsv(out, 2 + at % 40, in + at, sizeof in - at, &used);

        cr_assert_gt(used, 0);
        cr_assert_leq(n, 2 + at % 40);
        read += tsv_read(out, n, back + read);
    }

    cr_assert_eq(read, sizeof in);
    cr_assert_arr_eq(back, in, sizeof in);
}

Test(escape, tsv_writes_nothing_where_there_is_no_room)
{
    char out[1] = { 'x' };
    size_t used;

    cr_assert_eq(escape_tsv(out, 0, "abc", 3, &used), 0);
    cr_assert_eq(escape_tsv(out, 1, "\tbc", 3, &used), 0);
    cr_assert_eq(used, 0);
    cr_assert_eq(out[0], 'x');
}

Test(escape, sql_reads_back_and_stays_within_twice_the_size)
{
    char in[200], back[400];

    for (unsigned size = 0; size < sizeof in; size++) {
        char *out = xmalloc(2 * size + 1);
        size_t n;

        fill(in, size, size * 17 + 3);
        out[2 * size] = '#';
        n = escape_sql(out, in, size);

        cr_assert_eq(out[2 * size], '#');
        cr_assert_eq(sql_read(out, n, back), size);
        cr_assert_arr_eq(back, in, size);
        free(out);
    }
}
Test(escape, file_text_has_no_line_ends_and_reads_back)
{
    static const char letters[] = "0nrZ'\\", bytes[] = "\0\n\r\032'\\";
    char in[300] = "", out[600], back[600];

    for (unsigned size = 0; size < sizeof in; size++) {
        size_t n, got = 0;

        for (size_t i = 0; i < size; i++)
            in[i] = (char)(i * 7 + size);
        n = escape_file(out, in, size);

        for (size_t i = 0; i < n; i++) {
            cr_assert(!memchr(bytes, out[i], 5), "a bare %d at %zu", out[i], i);
            back[got++] = out[i] == '\\' ? bytes[strchr(letters, out[++i]) - letters] : out[i];
        }
        cr_assert_eq(got, size);
        cr_assert_arr_eq(back, in, size);
    }
}

Test(escape, find_stops_at_the_first_of_two)
{
    char text[100];

    memset(text, 'x', sizeof text);
    for (size_t at = 0; at < sizeof text; at++) {
        text[at] = at % 2 ? '\'' : '\\';

        cr_expect_eq(escape_find(text, sizeof text, '\'', '\\'), at);
        cr_expect_eq(escape_find(text, at, '\'', '\\'), at, "within what is before it");
        text[at] = 'x';
    }
}
