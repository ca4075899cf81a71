/*
 * binlogctl.h - TiDB-Binlog's binlogctl, command by command.
 *
 *     sluicectl binlogctl pumps
 *     sluicectl binlogctl -cmd pause-pump -node-id db7:8250
 *     binlogctl -pd-urls=http://127.0.0.1:8261 -cmd drainers       sluicectl under that name
 *
 * The other verbs of sluicectl know no attribute; this one knows those of pumps and drainers.
 * Where upstream reports success whatever the node answered, this one says what was refused.
 */
#ifndef SLUICE_CTL_BINLOGCTL_H
#define SLUICE_CTL_BINLOGCTL_H

#include "ctl/ctl.h"

struct binlogctl_args {
    const char *cmd;
    const char *node_id, *state;
    const char *data_dir, *time_zone;
    const char *text, *key;
    const char *url; /* -pd-urls: the first of them */
    const char *ca, *cert, *ssl_key;
    bool offline_too, force, version;
};

/* Go's flags: -name value, -name=value, two dashes as one; a word by itself is the command. EXIT_OK
 * or EXIT_USAGE, said.  Pure; the texts are argv's. */
int binlogctl_parse(int argc, char **argv, struct binlogctl_args *ret);

/* Runs it; an exit code. */
int binlogctl_run(struct ctl *c, const struct binlogctl_args *a);

/* Does it ask the daemon anything? */
bool binlogctl_needs_daemon(const struct binlogctl_args *a);

void binlogctl_help(void);

#endif
