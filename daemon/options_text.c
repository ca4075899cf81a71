/* The table of settings for people: --help and sluice.conf(5). */
#include <string.h>

#include "base/scope.h"
#include "options.h"

static const char usage[] =
    "Usage: sluiced [--config FILE] [--data DIR] [--mount DIR | --no-mount]\n"
    "               [--listen ADDRESS]... [SETTING]...\n"
    "\n"
    "Replicates MySQL and MariaDB, and shows all it does as files.  Runs in the\n"
    "foreground and logs to standard error; SIGTERM stops it.\n"
    "\n"
    "      --config FILE     Settings as YAML, one `name: value` a line (SLUICE_CONFIG)\n"
    "      --no-mount        No tree of files, whatever the settings say\n"
    "      --check-config    Say what is wrong with the settings, or print them, and exit\n"
    "      --print-man WHAT  Print a manual page: tree (sluice-tree.5) or conf (sluice.conf.5);\n"
    "                        or schema: the tables behind them as JSON\n"
    "      --version         Print the version and exit\n"
    "      --help            Print this and exit\n"
    "\n"
    "Settings; each is also a key of the configuration file (log_level), and in the\n"
    "environment (SLUICE_LOG_LEVEL).  A flag wins over the environment, that over the file.\n"
    "\n";

static const char manual_head[] =
    ".TH SLUICE.CONF 5 \"\" \"sluice " SLUICE_VERSION "\" \"File formats\"\n"
    ".SH NAME\n"
    "sluice.conf \\- settings of sluiced(8)\n"
    ".SH SYNOPSIS\n"
    ".B sluiced \\-\\-config /etc/sluice/sluice.yaml\n"
    ".SH DESCRIPTION\n"
    "The file is YAML: one mapping from the settings below to their values.\n"
    "A list is a YAML sequence; one value may stand alone.\n"
    "A setting without a value has its default.\n"
    "An unknown or repeated setting, or a value out of range, is an error that names file and "
    "line;\n"
    ".B sluiced \\-\\-check\\-config \\-\\-config FILE\n"
    "finds all of them without starting anything.\n"
    ".PP\n"
    "Every setting can be given in three places.\n"
    "The command line\n"
    ".RB ( \\-\\-log\\-level=debug )\n"
    "wins over the environment\n"
    ".RB ( SLUICE_LOG_LEVEL=debug ),\n"
    "that over the file\n"
    ".RB ( \"log_level: debug\" ),\n"
    "and that over the default.\n"
    "A list replaces what the weaker place says; in the environment its values are separated by\n"
    "commas, on the command line the flag is repeated.\n"
    "The settings in force are the files in\n"
    ".B settings/\n"
    "of the tree, see sluice\\-tree(5).\n"
    ".SH SETTINGS\n";

static const char manual_tail[] = ".SH EXAMPLE\n"
                                  ".EX\n"
                                  "data: /var/lib/sluice\n"
                                  "mount: /sluice\n"
                                  "group: dba\n"
                                  "mode: 0660\n"
                                  "listen:\n"
                                  "  \\- 127.0.0.1:8261\n"
                                  "  \\- unix:/run/sluice/http.sock\n"
                                  ".EE\n"
                                  ".SH SEE ALSO\n"
                                  "sluiced(8), sluicectl(1), sluice\\-tree(5)\n";

static const char *type_text(const struct option_row *row)
{
    static const char *const texts[] = {
        [OPTION_TEXT] = "text",    [OPTION_LIST] = "list",   [OPTION_BOOL] = "true or false",
        [OPTION_COUNT] = "number", [OPTION_BYTES] = "bytes", [OPTION_MODE] = "octal mode",
        [OPTION_ENUM] = "one of",
    };

    return texts[row->type];
}

static void add_choices(const struct option_row *row, const char *between, struct buf *out)
{
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        buf_printf(out, "%s%s", i ? between : "", row->choices[i]);
}

/* 'text' in lines of at most 'width' characters, each after 'indent' spaces. */
static void add_wrapped(const char *text, int indent, size_t width, struct buf *out)
{
    while (*text) {
        size_t n = strlen(text);

        if (n > width) {
            n = width;
            while (n > 0 && text[n] != ' ')
                n--;
            n = n ? n : strcspn(text, " ");
        }
        buf_printf(out, "%*s%.*s\n", indent, "", (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

static void add_flag(const struct option_row *row, struct buf *out)
{
    buf_str(out, "--");
    for (const char *p = row->key; *p; p++)
        buf_str(out, *p == '_' ? "-" : (char[]){ *p, '\0' });
    if (row->type == OPTION_BOOL)
        return;
    buf_byte(out, ' ');
    if (row->choices)
        add_choices(row, "|", out);
    else
        buf_str(out, row->value_name ? row->value_name : row->unit ? row->unit : "N");
}

static void add_default(const struct option_row *row, struct buf *out)
{
    buf_printf(out, "%s", row->normal[0] ? row->normal : "none");
}

void options_help(struct buf *out)
{
    buf_str(out, usage);
    for (const struct option_row *row = option_rows; row->key; row++) {
        SCOPED(buf_fini) struct buf help = BUF_INIT;

        buf_str(out, "      ");
        add_flag(row, out);
        buf_byte(out, '\n');
        buf_printf(&help, "%s (", row->help);
        add_default(row, &help);
        buf_byte(&help, ')');
        add_wrapped(help.data, 10, 78, out);
    }
}

/* roff: a hyphen that is typed is \-, a leading dot or quote is text. */
static void add_roff(const char *text, struct buf *out)
{
    if (*text == '.' || *text == '\'')
        buf_str(out, "\\&");
    for (; *text; text++) {
        if (*text == '-' || *text == '\\')
            buf_byte(out, '\\');
        buf_byte(out, *text);
    }
}

void options_manual(struct buf *out)
{
    buf_str(out, manual_head);
    for (const struct option_row *row = option_rows; row->key; row++) {
        buf_printf(out, ".TP\n.B %s\n", row->key);
        add_roff(row->help, out);
        buf_printf(out, ".\n(%s", type_text(row));
        buf_str(out, row->choices ? " " : "");
        add_choices(row, ", ", out);
        if (row->max)
            buf_printf(out, ", %llu to %llu", (unsigned long long)row->min,
                       (unsigned long long)row->max);
        if (row->unit)
            buf_printf(out, " %s", row->unit);
        buf_str(out, "; default ");
        add_roff(row->normal[0] ? row->normal : "none", out);
        buf_str(out, ")\n");
    }
    buf_str(out, manual_tail);
}
