#include "node/authority.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"

#define CACHE_SIZE 64
#define CACHE_AGE_US (60 * 1000000LL)
#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

static struct authority authority = { .mode = 0644 };
static bool is_set;

void authority_set(const struct authority *a)
{
    authority = *a;
    is_set = true;
}

const struct authority *authority_get(void)
{
    if (!is_set)
        authority_set(&(struct authority){ .uid = getuid(), .gid = getgid(), .mode = 0644 });
    return &authority;
}

mode_t authority_bits(mode_t bits)
{
    mode_t mode = authority_get()->mode;

    return bits & (mode | (mode & 0444) >> 2); /* who may read may search */
}

/* Is 'gid' one of the groups of each of these users?  The answer of a minute ago will do. */
static struct member {
    uid_t uid;
    gid_t gid;
    bool yes;
    int64_t until_us;
} cache[CACHE_SIZE];
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static bool ask_groups(const struct passwd *pw, gid_t gid)
{
    int n = 64;
    SCOPED(freep) gid_t *groups = xcalloc((size_t)n, sizeof *groups);

    while (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0) {
        if (n > GROUPS_MAX)
            return false;
        groups = xrealloc(groups, (size_t)n * sizeof *groups);
    }
    for (int i = 0; i < n; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

static bool ask_member(uid_t uid, gid_t gid)
{
    SCOPED(freep) char *space = xmalloc(65536);
    struct passwd pw, *found = NULL;

    return getpwuid_r(uid, &pw, space, 65536, &found) == 0 && found && ask_groups(&pw, gid);
}

static bool is_member(uid_t uid, gid_t gid)
{
    struct member *slot = &cache[uid % CACHE_SIZE], m;

    pthread_mutex_lock(&cache_lock);
    m = *slot;
    pthread_mutex_unlock(&cache_lock);
    if (m.until_us > clock_mono_us() && m.uid == uid && m.gid == gid)
        return m.yes;
    m = (struct member){ uid, gid, ask_member(uid, gid), clock_mono_us() + CACHE_AGE_US };
    pthread_mutex_lock(&cache_lock);
    *slot = m;
    pthread_mutex_unlock(&cache_lock);
    return m.yes;
}

static int class_shift(const struct caller *who)
{
    const struct authority *a = authority_get();

    if (who->uid == a->uid)
        return 6;
    return who->gid == a->gid || is_member(who->uid, a->gid) ? 3 : 0;
}

int authority_check(const struct caller *who, mode_t mode, int want, struct err *err)
{
    mode_t bits = mode & 0777;
    int has;

    if (who->uid == 0) /* everything that anybody may */
        has = (int)(bits >> 6 | bits >> 3 | bits) & 7;
    else
        has = (int)(bits >> class_shift(who)) & 7;
    if ((has & want) == want)
        return 0;
    return err_set(err, -EACCES, "uid %ld may not %s this (mode %04o)", (long)who->uid,
                   want & 2 ? "write" : "read", (unsigned)bits);
}
