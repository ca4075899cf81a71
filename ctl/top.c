/*
 * top.c - every collection that has something to watch, as tables that redraw
 * in place.  In a pipe: one plain snapshot.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* --- what is shown --- */

/* The collection of a path like "tasks/NAME" whose members have columns; NULL otherwise.  The
 * caller frees. */
static char *collection_of(const json_t *schema, const char *pattern)
{
    size_t len = strlen(pattern);

    if (len < 6 || strcmp(pattern + len - 5, "/NAME") != 0 || strstr(pattern, "NAME/"))
        return NULL;
    return columns_any(schema_type(schema, pattern)) ? xstrndup(pattern, len - 5) : NULL;
}

/* Reasons for trouble, below the table and whole: what mends it is at their end. */
static void add_troubles(struct ctl *c, const json_t *members, struct buf *out)
{
    const char *name;
    json_t *v;

    json_object_foreach ((json_t *)members, name, v) {
        const char *error = json_string_value(json_object_get(v, "error"));
        SCOPED(freep) char *text = NULL;

        if (!error || !*error)
            continue;
        text = xasprintf("%s: %s", name, error);
        buf_str(out, c->color ? "\033[31m" : "");
        text_wrap(text, c->width, out);
        buf_str(out, c->color ? "\033[0m" : "");
    }
}

static int add_section(struct ctl *c, const json_t *schema, const char *path, struct buf *out,
                       struct err *err)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(freep) char *member = xasprintf("%s/NAME", path);
    json_t *dir = c->client->ops->read(c->client, path, 1, err);
    const json_t *members = json_object_get(dir, "children");

    if (!dir)
        return err->code;
    if (json_object_size(members)) {
        buf_printf(out, "\n%s%s%s (%zu)\n", c->color ? "\033[7m" : "", path,
                   c->color ? "\033[0m" : "", json_object_size(members));
        columns_add(schema_type(schema, member), members, true, &t);
        table_print(&t, c->width, c->color, out);
        add_troubles(c, members, out);
    }
    json_decref(dir);
    return 0;
}

static int draw(struct ctl *c, struct buf *out, struct err *err)
{
    const json_t *schema = ctl_schema(c, err);
    char when[CLOCK_TEXT_SIZE];
    size_t n, head;
    const char **paths;
    int rc = 0;

    if (!schema)
        return err->code;
    clock_text(clock_wall_us(), when);
    buf_printf(out, "sluice %s  %.10s %.8s UTC\n", row_text(schema, "version"), when, when + 11);
    head = out->size;
    paths = sorted_keys(json_object_get(schema, "paths"), &n);
    for (size_t i = n; i-- > 0 && rc == 0;) { /* tasks before sources */
        SCOPED(freep) char *path = collection_of(schema, paths[i]);

        if (path)
            rc = add_section(c, schema, path, out, err);
    }
    free(paths);
    if (rc == 0 && out->size == head)
        buf_str(out, "\nNothing to show yet: there are no tasks, and no sources.\n");
    return rc;
}

/* --- the screen --- */

static struct termios was;

static void enter_screen(void)
{
    struct termios raw;
    struct sigaction act = { .sa_handler = on_signal };

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    tcgetattr(STDIN_FILENO, &was);
    raw = was;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h\033[?25l", stdout);
}

static void leave_screen(void)
{
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &was);
}

static size_t screen_height(struct ctl *c)
{
    struct winsize size = { 0 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row)
        return 24;
    c->width = size.ws_col;
    return size.ws_row;
}

/* From the top left, each line cleared to its end, as many as fit. */
static void show(const struct buf *text, size_t height)
{
    const char *at = text->data, *end = text->data + text->size;

    fputs("\033[H", stdout);
    for (size_t line = 1; at < end && line < height; line++) {
        size_t len = strcspn(at, "\n");

        printf("%.*s\033[K\n", (int)len, at);
        at += len + 1;
    }
    fputs("\033[J\033[2mq quits\033[0m\033[K", stdout);
    fflush(stdout);
}

/* Waits for the next drawing; false when 'q' was pressed or a signal came. */
static bool wait_key(double seconds)
{
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    char key;

    if (poll(&in, 1, (int)(seconds * 1000)) <= 0)
        return !interrupted;
    return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != 3;
}

/* A daemon that is away is said so in the picture: it may come back. */
static int run_screen(struct ctl *c)
{
    long n = 0;

    enter_screen();
    do {
        SCOPED(buf_fini) struct buf text = BUF_INIT;
        struct err err = ERR_INIT;
        size_t height = screen_height(c);

        if (draw(c, &text, &err) < 0)
            buf_printf(&text, "\n%s\n", err.text);
        show(&text, height);
    } while ((!c->n_times || ++n < c->n_times) && wait_key(c->interval_s));
    leave_screen();
    return EXIT_OK;
}

/* For programs: {collection: {name: {attributes}}}. */
static int print_snapshot(struct ctl *c)
{
    struct err err = ERR_INIT;
    const json_t *schema = ctl_schema(c, &err);
    json_t *all = json_object(), *type;
    const char *pattern;

    json_object_foreach (json_object_get(schema, "paths"), pattern, type) {
        SCOPED(freep) char *path = collection_of(schema, pattern);
        json_t *dir = path ? c->client->ops->read(c->client, path, 1, &err) : NULL;

        if (dir)
            json_object_set(all, path, json_object_get(dir, "children"));
        json_decref(dir);
    }
    if (err.code == 0) {
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
        putchar('\n');
    }
    json_decref(all);
    return err.code ? ctl_fail(&err) : EXIT_OK;
}

int verb_top(struct ctl *c, int argc, char **argv)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct err err = ERR_INIT;

    (void)argv;
    if (argc)
        return ctl_usage("top takes no path");
    if (c->output == OUTPUT_JSON)
        return print_snapshot(c);
    if (!ctl_schema(c, &err))
        return ctl_fail(&err);
    if (isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && c->output == OUTPUT_TABLE)
        return run_screen(c);
    if (draw(c, &text, &err) < 0)
        return ctl_fail(&err);
    fputs(text.data, stdout);
    return EXIT_OK;
}
