/*
 * serve.h - a server while it runs: its socket, its connections, its journal.  See server.h.
 *
 * Lives from the start of run() to its end, and all sessions with it; what the document said does
 * not change meanwhile.
 */
#ifndef SLUICE_UNIT_SERVE_H
#define SLUICE_UNIT_SERVE_H

#include "base/thread.h"
#include "binlog/gtid_set.h"
#include "mysql/auth.h"
#include "mysql/sql.h"
#include "mysql/wire.h"

struct gate_keeper;
struct journal;
struct journal_reader;
struct quorum;
struct replica;
struct server;
struct source;

struct serve {
    struct server *server;
    struct source *source;
    struct journal *journal;
    struct wire_tls *tls;
    char *user, *password, *version; /* 'version' NULL: the source's */
    uint32_t server_id;
    char server_uuid[40];
    unsigned port; /* that it listens on */
    bool semi_sync, allow_unknown_domains;
    int64_t semi_sync_timeout_ms;
    unsigned semi_sync_count;   /* replicas that are waited for */
    struct gate_keeper *keeper; /* the server's; NULL: the source waits for no replica of ours */
    struct quorum *quorum;
    bool source_waits; /* for replicas, as was told last */
    unsigned max_sessions;
    int listener;

    struct mutex lock;
    struct cond cond;
    struct session *sessions GUARDED;
    unsigned n_sessions GUARDED, n_logins GUARDED; /* of them, not logged in yet */
    uint32_t last_connection;
};

/* Why somebody else ends a session. */
enum session_end { SESSION_GOES_ON, SESSION_KICKED, SESSION_REPLACED, SESSION_STOPPED };

struct session {
    struct session *next;
    struct serve *serve;
    pthread_t thread;
    bool over GUARDED; /* of serve.lock: to be joined */
    uint32_t connection;
    enum session_end end GUARDED;          /* of serve.lock */
    struct journal_reader *reader GUARDED; /* of serve.lock: set while a dump runs */
    uint32_t dump_id GUARDED;              /* of serve.lock: server_id of the dump; 0: none */
    char dump_uuid[40] GUARDED;            /* likewise */
    /* its own */
    struct wire wire;
    struct sql_session sql;
    struct auth auth;
    char peer[64];
    enum flavor flavor; /* of the journal, as of the login */
    char version[64];
    /* what COM_REGISTER_SLAVE said */
    bool registered;
    uint32_t server_id;
    char host[256];
    unsigned port;
};

/* serve_session.c: the thread of a connection. */
void *session_run(void *session);
/* Ends a session, from any thread.  False: there is none of that number. */
bool serve_end(struct serve *v, uint32_t connection, enum session_end why);
enum session_end session_ended(struct session *s);

/* From a replica's directory: false when it is not connected any more. */
bool serve_kick(struct server *s, uint32_t connection);

/* serve_sql.c, serve_show.c */
extern const struct sql_host serve_sql_host; /* 'arg' is the session: a copy with it */
int serve_show(void *arg, enum sql_show what, const struct sql_show_args *args, struct wire *w,
               struct err *err);

/* serve_dump.c: answers the command until the connection or, for one that does not block, the
 * binlog ends.  0: commands go on. */
struct dump_command;
int serve_dump(struct session *s, const struct dump_command *c, struct err *err);

/* What the newest file of the journal says: flavour and version.  -ENOENT: it is empty. */
int serve_flavor(struct serve *v, enum flavor *flavor, char *version, size_t size, struct err *err);

#define SERVE_WRITE_TIMEOUT_MS 60000 /* without progress; as net_write_timeout */
#define SERVE_LOGIN_TIMEOUT_MS 10000

#endif
