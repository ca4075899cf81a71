/* What a client says before and after it is logged in: the login packet, what it asks of the
 * binlog, acknowledgements.  The first byte chooses. */
#include "mysql/auth.h"
#include "mysql/dump_command.h"
#include "mysql/handshake.h"

static void login(struct slice packet)
{
    struct login l;
    struct err err = ERR_INIT;
    uint8_t salt[AUTH_NONCE_SIZE] = { 1, 2, 3 };
    const struct auth_plugin *p;

    if (login_parse(packet, &l, &err) < 0 || l.tls)
        return;
    p = auth_plugin_named(l.plugin);
    if (p)
        auth_verify(p, "secret", salt, l.proof);
}

static void dump(struct slice packet, bool by_gtid)
{
    struct dump_command d;
    struct gtid_set *set;
    struct err err = ERR_INIT;
    int rc = by_gtid ? dump_gtid_parse(packet, &d, &err) : dump_parse(packet, &d, &err);

    if (rc == 0 && by_gtid && gtid_set_decode(&set, FLAVOR_MYSQL, d.gtids, &err) == 0)
        gtid_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packet = slice_of(data + 1, size - 1);
    struct dump_register r;
    struct dump_ack a;
    struct login l;
    struct err err = ERR_INIT;

    if (size == 0)
        return 0;
    switch (data[0] % 6) {
    case 0:
        login(packet);
        break;
    case 1:
        dump(packet, false);
        break;
    case 2:
        dump(packet, true);
        break;
    case 3:
        dump_register_parse(packet, &r, &err);
        break;
    case 4:
        change_user_parse(packet, data[0] & 8 ? UINT32_MAX : 0, &l, &err);
        break;
    default:
        dump_ack_parse(packet, &a, &err);
    }
    return 0;
}
