#include "base/log.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "base/clock.h"

static void redirect(void)
{
    cr_redirect_stderr();
}

static void read_back(char *to, size_t size)
{
    FILE *f = cr_get_redirected_stderr();
    size_t n = fread(to, 1, size - 1, f);

    to[n] = '\0';
}

Test(log, a_line_is_logfmt_with_quotes_escaped, .init = redirect)
{
    char text[500];

    log_info("tasks/orders", "it said \"%s\"\nand left", "no");
    read_back(text, sizeof text);

    cr_assert(strstr(text, " level=info at=tasks/orders msg=\"it said \\\"no\\\"\\nand left\"\n"),
              "%s", text);
}

Test(log, a_line_is_one_json_object_when_asked, .init = redirect)
{
    char text[500];

    log_set_json(true);
    log_warn(NULL, "retry in %d s", 4);
    read_back(text, sizeof text);

    cr_assert(strncmp(text, "{\"time\":\"20", 11) == 0, "%s", text);
    cr_assert(strstr(text, "\"level\":\"warn\",\"msg\":\"retry in 4 s\"}\n"), "%s", text);
}

Test(log, what_is_below_the_level_is_not_written, .init = redirect)
{
    char text[500];

    log_set_level(LOG_LEVEL_WARN);
    log_info(NULL, "chatter");
    log_error(NULL, "trouble");
    read_back(text, sizeof text);

    cr_assert_not(strstr(text, "chatter"));
    cr_assert(strstr(text, "trouble"));
}

Test(clock, text_is_iso_8601_in_utc)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(1709210096789000, text);
    cr_assert_str_eq(text, "2024-02-29T12:34:56.789Z");
}
