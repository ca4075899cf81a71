/* What a dump's folder says of itself: metadata, which mydumper writes too, and sluice.json. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/load/load_folder.h"

#define METADATA "metadata"
#define MANIFEST "sluice.json"

static void position_read(struct load_folder *f)
{
    SCOPED(freep) char *path = xasprintf("%s/%s", f->path, METADATA);
    struct err ignored = ERR_INIT;
    FILE *file = fopen(path, "re");
    char line[65536];
    bool begun = false;

    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');

        line[strcspn(line, "\r\n")] = '\0';
        begun |= strncmp(line, "SHOW MASTER", 11) == 0 || strncmp(line, "SHOW BINARY", 11) == 0;
        if (!begun || !value)
            continue;
        if (strncmp(line, "SHOW SLAVE", 10) == 0 || strncmp(line, "SHOW REPLICA", 12) == 0)
            break;
        value += 1 + strspn(value + 1, " \t");
        if (strncmp(line, "\tLog:", 5) == 0)
            snprintf(f->position.file, sizeof f->position.file, "%s", value);
        else if (strncmp(line, "\tPos:", 5) == 0)
            f->position.offset = strtoull(value, NULL, 10);
        else if (strncmp(line, "\tGTID:", 6) == 0 && *value && !f->position.gtids)
            (void)gtid_set_parse(&f->position.gtids,
                                 strchr(value, ':') ? FLAVOR_MYSQL : FLAVOR_MARIADB, value,
                                 &ignored);
    }
    if (file)
        (void)fclose(file);
}

static void manifest_read(struct load_folder *f)
{
    SCOPED(freep) char *path = xasprintf("%s/%s", f->path, MANIFEST);
    const char *flavor;

    f->manifest = json_load_file(path, 0, NULL);
    flavor = json_string_value(json_object_get(f->manifest, "flavor"));
    f->ours = f->manifest != NULL;
    if (!flavor)
        return;
    f->from.flavor = strcmp(flavor, "mysql") == 0 ? FLAVOR_MYSQL : FLAVOR_MARIADB;
    f->from.version = (unsigned)json_integer_value(json_object_get(f->manifest, "version"));
}

/* All that was written is there. */
static int all_there(const struct load_folder *f, struct err *err)
{
    const char *name;
    json_t *known;

    json_object_foreach (json_object_get(f->manifest, "files"), name, known) {
        SCOPED(freep) char *path = xasprintf("%s/%s", f->path, name);

        if (access(path, R_OK) < 0)
            return err_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
    }
    return 0;
}

/* Of all bytes of a file; one that is not there has none. */
static uint64_t hash_of(const struct load_folder *f, const char *name, uint64_t seed)
{
    SCOPED(freep) char *path = xasprintf("%s/%s", f->path, name);
    FILE *file = fopen(path, "re");
    char part[65536];
    size_t n;

    while (file && (n = fread(part, 1, sizeof part, file)) > 0)
        seed = XXH64(part, n, seed);
    if (file)
        (void)fclose(file);
    return seed;
}

int load_metadata_read(struct load_folder *f, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("%s/%s", f->path, METADATA);

    if (access(path, R_OK) < 0)
        return err_set(err, -errno, "%s: %s%s", path, strerrordesc_np(errno),
                       errno == ENOENT ? "; without it this is no dump, or one that is not finished"
                                       : "");
    manifest_read(f);
    position_read(f);
    f->identity = hash_of(f, METADATA, hash_of(f, MANIFEST, 0));
    return all_there(f, err);
}
