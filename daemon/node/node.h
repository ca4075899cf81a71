/*
 * node.h - the resource model.
 *
 * The tree of nodes is what operators see.  fs/ shows a node as a directory
 * and its attributes and actions as files; http/ shows the same paths as
 * resources.  Neither knows any particular attribute: both walk these tables.
 * To add an attribute, add one row to the table of the type that owns it: the
 * file with its mode, the JSON key, the HTTP resource, the check of what is
 * written, /schema, the Prometheus metric, sluice-tree(5) and the stored
 * configuration follow.
 *
 * Every node also has, without asking: status, last_error, README.
 *
 * Around it: lines.h (events, audit), watch.h (who is told of changes),
 * authority.h (who may), export.h (schema, metrics, manual), spec.h (a node's
 * settings as one document), yaml.h, suggest.h (did you mean).
 *
 * Threads: any, unless said otherwise.  The tree lock guards the links between
 * nodes, never what is inside one; no callback of a type is called under it.
 */
#ifndef SLUICE_NODE_NODE_H
#define SLUICE_NODE_NODE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

struct attr;
struct buf;
struct node;

enum attr_type {
    ATTR_BOOL,
    ATTR_COUNT, /* events, rows, retries, ports: whole numbers from 0 */
    ATTR_BYTES,
    ATTR_SECONDS, /* real number of seconds */
    ATTR_TIME,    /* ISO 8601 in UTC */
    ATTR_TEXT,
    ATTR_ENUM,     /* one of 'choices' */
    ATTR_JSON,     /* shown as JSON text, written as JSON or YAML */
    ATTR_DOCUMENT, /* shown as YAML; written whole, in as many write(2) as it takes */
    ATTR_LINES,    /* append-only text read by absolute offset: events, audit.  See 'lines' */
};

enum attr_flag {
    ATTR_BULK = 1,    /* left out of status: tables, config, check_report, ... */
    ATTR_WATCHED = 2, /* announced through the mount on change: state, progress, lag_seconds, ... */
    ATTR_STORED = 4,  /* a setting: part of the node's document, kept in the store */
    ATTR_METRIC = 8,  /* exported to Prometheus (numbers are without asking; this is for enums) */
    ATTR_GAUGE = 16,  /* a number that goes down too */
    ATTR_ASKS = 32,   /* the getter may ask a server: only read on open, never for status */
    ATTR_LARGE = 64,  /* costly to render: as ATTR_ASKS, stat shows the size last read */
    ATTR_SECRET = 128,   /* of a parameter: masked in the audit (a row: a setter and no getter) */
    ATTR_REQUIRED = 256, /* of a parameter: must be given */
};

struct lines; /* node/lines.h: an append-only ring of lines */
struct target;

struct attr {
    const char *name; /* file name and JSON key: [a-z][a-z0-9_]* */
    const char
        *help; /* one sentence without a full stop; ends up in README, sluice-tree(5), /schema */
    enum attr_type type;
    unsigned flags;             /* enum attr_flag */
    const char *unit;           /* "rows", "bytes/s"; NULL if the type says it */
    const char *const *choices; /* ATTR_ENUM: NULL-terminated */
    int64_t min, max;           /* numbers; both 0: no bounds */
    size_t offset;              /* of the field, for the stock getters */

    /* Returns a new reference, or NULL with 'err' set.  Called with the node
     * locked, so one read of a node is one consistent snapshot.  Never waits
     * (ATTR_ASKS excepted, which is called unlocked). */
    json_t *(*get)(const struct node *n, const struct attr *a, struct err *err);

    /* Takes a value already checked against the row.  Called unlocked.  A row
     * with a setter and no getter is a secret: mode 0200, never shown. */
    int (*set)(struct node *n, const struct attr *a, const json_t *v, struct err *err);

    /* ATTR_LINES: where the lines are. */
    struct lines *(*lines)(const struct node *n, const struct attr *a);
};

struct action {
    const char *name;
    const char *help;
    const struct attr *params; /* terminated by a row without a name, or NULL */
    bool document;             /* takes a whole document, as create does */

    /* 'args' is an object, checked against 'params'.  Returns when the effect
     * is visible, at the latest after ten seconds (-ETIMEDOUT).  Unlocked. */
    int (*run)(struct node *n, const json_t *args, struct err *err);
};

/* What a directory of this type holds: "relay" below a source, or any name in a collection. */
struct node_part {
    const char *name; /* NULL: each child has a name of its own */
    const struct node_type *type;
};

struct node_type {
    const char *name;              /* also in metrics: [a-z][a-z0-9_]* */
    const char *help;              /* what this directory is, one or two sentences */
    const char *const *examples;   /* three shell commands for README; NULL-terminated */
    const struct attr *attrs;      /* terminated by a row without a name */
    const struct action *actions;  /* likewise; NULL if none */
    const struct node_part *parts; /* ended by a row without a type; NULL if none.  For /schema
                                      and the manual, which know types that no node has yet */

    void (*lock)(struct node *n); /* NULL if every attribute is atomic */
    void (*unlock)(struct node *n);

    /* For a collection: create a child (mkdir: spec NULL; PUT: the document),
     * remove one (rmdir, DELETE: 'remove' of the child's own type).  NULL where
     * that is not allowed.  'name' is plain, not escaped; create adds the child
     * with node_add(); remove takes it out with node_remove().  Neither waits: the
     * kernel holds up all of the directory meanwhile. */
    int (*create)(struct node *dir, const char *name, const json_t *spec, struct err *err);
    int (*remove)(struct node *child, struct err *err);

    /* For a directory of more files than can be kept: the file called 'name', made when asked for
     * by node_init_file(); 'ret' gets its node, with a reference, and its row.  Never waits:
     * whether there is what the name says is told by the row's getter, with -ENOENT.  Where
     * the file's type has 'remove', it is removed as a file is (rm, DELETE). */
    int (*find)(struct node *dir, const char *name, struct target *ret);
    /* With 'find': the names of those that there are, for listings (instead of the children that
     * were made so far); NULL: none is listed.  Without any lock; from memory or the store. */
    void (*list)(struct node *dir, void (*emit)(void *arg, const char *name, mode_t mode),
                 void *arg);

    void (*release)(struct node *n); /* last reference gone: free the owner */
};

/* Embedded in the object it stands for, as its first member where the stock
 * getters are used. */
struct node {
    const struct node_type *type;
    char *name; /* as shown; owned */
    struct node *parent;
    struct node_private *children; /* hashed by name, in the order of adding */
    struct node_private *priv;     /* links, last_error, change counter; node/private.h */
    atomic_uint refs;
    atomic_bool removed; /* out of the tree: writes give ENOENT */
    bool symlink;        /* shown as a link to 'link' */
    bool file;           /* made by 'find': its row is shown under its own name */
    char *link;
};

#define node_owner(n, owner, member) ((owner *)((char *)(n)-offsetof(owner, member)))

/* 'name' is copied and escaped (node_name_shown()).  One reference: the caller's. */
void node_init(struct node *n, const struct node_type *type, const char *name);
/* For 'find'.  Whoever owns it keeps a reference of 'dir' until its release. */
void node_init_file(struct node *n, const struct node_type *type, const char *name,
                    struct node *dir);
/* A link to 'to' ("../tasks/t1"), on the heap; freed with its last reference. */
struct node *node_symlink_new(const char *name, const char *to);
/* Puts 'n' under 'parent', which takes over the caller's reference.
 * -EEXIST if the name is taken by a child or a row. */
int node_add(struct node *parent, struct node *n, struct err *err);
void node_remove(
    struct node *n); /* takes it and all below out of the tree; drops the tree's reference */
struct node *node_ref(struct node *n);
void node_unref(struct node *n); /* NULL is fine */
/* A child by name, with a reference; NULL if there is none. */
struct node *node_child(struct node *n, const char *name);
/* Path from the root, without the leading slash: "tasks/t1"; "" for the root; caller frees. */
char *node_path(const struct node *n);
size_t node_n_children(struct node *n);
/* Calls 'visit' for every child, each referenced meanwhile; 'visit' may take any lock. */
void node_each(struct node *n, void (*visit)(void *arg, struct node *child), void *arg);

/* Names as the tree and HTTP show them: '/', control bytes, a
 * leading dot, '%' and what is not UTF-8 become %XX; past 255 bytes the end is
 * replaced by a hash.  node_name_plain() is the way back: NULL if 'shown' is
 * not what node_name_shown() makes.  The caller frees. */
char *node_name_shown(const char *plain);
char *node_name_plain(const char *shown);

/* Who asks, for authority and audit. */
struct caller {
    uid_t uid;
    gid_t gid;
    pid_t pid;         /* 0 if not known */
    const char *front; /* "fs", "http", "daemon" */
    const char *name;  /* of the token, or NULL */
};

/* What a path names: a node, or one attribute or action of it. */
struct target {
    struct node *node; /* holds a reference: target_release() */
    const struct attr *attr;
    const struct action *action;
};

/* Finds 'path' ("/tasks/t1/lag_seconds") below 'root'.  Returns 0 or -ENOENT, with a guess at
 * what was meant.  node_lookup() finds one name in one directory (without 'err', which may be
 * NULL there, it does not guess).  Links are not followed. */
int node_find(struct node *root, const char *path, struct target *t, struct err *err);
int node_lookup(struct node *dir, const char *name, struct target *t, struct err *err);
void target_release(struct target *t);

/* Permission bits and file type: from which callbacks are present, and authority.h. */
mode_t target_mode(const struct target *t);
uint64_t target_ino(const struct target *t);       /* never 0, the same for the same thing */
int target_of_ino(uint64_t ino, struct target *t); /* 0, or -ENOENT once it is removed */
/* "tasks/t1/pause", for messages; caller frees. */
char *target_path(const struct target *t);

/* A new reference: one attribute's value, or all of a node's as an object. */
json_t *target_read(const struct target *t, struct err *err);
/* The bytes of the file: target_read() and text_of_target(); ATTR_LINES: all there are. */
int target_text(const struct target *t, struct buf *out, struct err *err);
/* What stat shows: the size of that text, or when it was last read (ATTR_ASKS, ATTR_LARGE). */
uint64_t target_size(const struct target *t);
/* And its time of last change.  What can be written changes by writing alone: an editor that
 * looks whether its file changed meanwhile is not to be told of progress. */
int64_t target_changed_us(const struct target *t);
/* Checks 'v', sets or runs, keeps a refusal as last_error, writes the audit line.  'who' may be
 * NULL: the daemon itself, not audited. */
int target_write(const struct target *t, const json_t *v, const struct caller *who,
                 struct err *err);
/* The same for what a writer sent: json_of_text() first. */
int target_write_text(const struct target *t, const char *text, size_t size,
                      const struct caller *who, struct err *err);
/* mkdir/PUT and rmdir/DELETE on the model, with audit and last_error. */
int node_create(struct node *dir, const char *name, const json_t *spec, const struct caller *who,
                struct err *err);
int node_destroy(struct node *n, const struct caller *who, struct err *err);
/* For 'run' of a collection's "create" action: the document's "name" says which child. */
int node_create_document(struct node *dir, const json_t *doc, struct err *err);
/* Keeps a refusal that happened at 'n' before a target was known (a mistyped name). */
void node_refused(struct node *n, const char *path, const struct caller *who,
                  const struct err *err);

/* With a mount, a node that anyone else than the mount makes or removes must be made through it,
 * so that the kernel tells who watches.  fs/ sets this; node_create() and node_destroy() ask it for
 * callers whose front is not "fs".  It ends in node_create_direct()/node_destroy_direct(). */
struct node_maker {
    int (*create)(struct node *dir, const char *name, const json_t *spec, const struct caller *who,
                  struct err *err);
    int (*destroy)(struct node *n, const struct caller *who, struct err *err);
};
void node_set_maker(const struct node_maker *maker); /* NULL: none */
int node_create_direct(struct node *dir, const char *name, const json_t *spec,
                       const struct caller *who, struct err *err);
int node_destroy_direct(struct node *n, const struct caller *who, struct err *err);

/* Calls 'emit' with each entry of the directory: built-in rows, attributes,
 * actions, children.  'emit' only copies: the tree lock is held. */
struct entry {
    const char *name;
    mode_t mode;
    uint64_t ino;
};
void node_list(struct node *n, void (*emit)(void *arg, const struct entry *e), void *arg);

/* --- rendering, once, above all getters --- */

/* JSON as every front prints it: two spaces, 15 digits of a real, any value. */
void json_print(const json_t *v, struct buf *out);
/* The text of a file (ends in a newline), and back.  Values: bare text; actions: `k=v` words
 * with shell quoting or one JSON object; documents: YAML or JSON. */
void text_of_target(const struct target *t, const json_t *v, struct buf *out);
json_t *json_of_text(const struct target *t, const char *text, size_t size, struct err *err);

/* --- the tables themselves --- */

/* Refuses a type (and its parts) with a row that breaks a rule: names, help, callbacks, choices.
 * Run by a test over every type, and at start. */
int node_type_check(const struct node_type *type, struct err *err);
extern const char *const attr_type_names[]; /* by enum attr_type */

/* --- what changed: see watch.h for who is told --- */

/* Says that 'attr' of 'n' changed (NULL: something).  Wakes poll(2), event streams and the
 * notifier; cheap, rate-limited behind.  Any thread, any lock but the tree's may be held. */
void node_changed(struct node *n, const char *attr);
/* Appends one line to the events of 'n' and of every ancestor that has an 'events' row:
 * {"time":…,"path":…,"event":"state","from":"new","to":"running"}.  'fields' is stolen. */
void node_event(struct node *n, const char *event, json_t *fields);
uint64_t node_changes(const struct node *n); /* how often node_changed() was called */

/* --- stock getters for plain fields of the node's owner --- */

json_t *attr_get_u64(const struct node *n, const struct attr *a, struct err *err);
json_t *attr_get_str(const struct node *n, const struct attr *a, struct err *err);
json_t *attr_get_bool(const struct node *n, const struct attr *a, struct err *err);

/* Rows for plain fields.  The expression after "0 *" is never evaluated; it
 * makes the compiler reject a field of another type. */
#define FIELD_IS(owner, field, ctype) (0 * sizeof(&((owner *)0)->field == (ctype *)0))
#define ATTR_U64(owner, field, kind, text)                                          \
    {                                                                               \
        .name = #field, .help = text, .type = kind, .get = attr_get_u64,            \
        .offset = offsetof(owner, field) + FIELD_IS(owner, field, _Atomic uint64_t) \
    }
#define ATTR_FLAG(owner, field, text)                                           \
    {                                                                           \
        .name = #field, .help = text, .type = ATTR_BOOL, .get = attr_get_bool,  \
        .offset = offsetof(owner, field) + FIELD_IS(owner, field, _Atomic bool) \
    }
#define ATTR_STR(owner, field, text)                                          \
    {                                                                         \
        .name = #field, .help = text, .type = ATTR_TEXT, .get = attr_get_str, \
        .offset = offsetof(owner, field) + FIELD_IS(owner, field, char *)     \
    }

#endif
