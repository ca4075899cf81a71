/* login.c - the dialog of a login; auth.h tells the rules. */
#include <errno.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/auth.h"
#include "mysql/packet.h"
#include "mysql/wire.h"
#include "mysql/wire_tls.h"

enum {
    ASK_SWITCH = 0xfe, /* to another plugin */
    ASK_MORE = 0x01,   /* of the same */
    SHA2_FAST_DONE = 3,
    SHA2_FULL = 4,
    SHA2_WANTS_KEY = 2,
};

struct dialog {
    struct wire *w;
    struct auth *auth;
    struct login login;
};

static int ask(struct dialog *d, struct slice *ret, struct err *err)
{
    int rc = wire_flush(d->w, d->auth->timeout_ms, err);

    return rc < 0 ? rc : wire_read(d->w, HANDSHAKE_MAX_SIZE, d->auth->timeout_ms, ret, err);
}

static int greet(struct dialog *d, struct err *err)
{
    struct greeting g = { .version = d->auth->version,
                          .connection = d->auth->connection,
                          .plugin = d->auth->first_plugin,
                          .tls = d->auth->tls != NULL };
    struct slice answer;
    int rc;

    auth_salt(d->auth->salt, SALT_SIZE);
    memcpy(g.salt, d->auth->salt, SALT_SIZE);
    greeting_build(&g, wire_begin(d->w));
    wire_end(d->w);
    if ((rc = ask(d, &answer, err)) < 0 || (rc = login_parse(answer, &d->login, err)) < 0)
        return rc;
    if (!d->login.tls)
        return 0;
    if (!d->auth->tls)
        return err_set(err, -EBADMSG, "the client asks for TLS, which was not offered");
    rc = wire_start_tls(d->w, d->auth->tls, d->auth->timeout_ms, err);
    if (rc == 0)
        rc = wire_read(d->w, HANDSHAKE_MAX_SIZE, d->auth->timeout_ms, &answer, err);
    if (rc == 0)
        rc = login_parse(answer, &d->login, err);
    if (rc == 0 && d->login.tls)
        rc = err_set(err, -EBADMSG, "the client asks for TLS twice");
    return rc;
}

/* With a plugin that the client can do, and a salt of its own. */
static int ask_anew(struct dialog *d, struct slice *proof, struct err *err)
{
    struct buf *b;

    auth_salt(d->auth->salt, d->auth->plugin->salt_size);
    b = wire_begin(d->w);
    buf_byte(b, (char)ASK_SWITCH);
    buf_add(b, d->auth->plugin->name, strlen(d->auth->plugin->name) + 1);
    buf_add(b, d->auth->salt, d->auth->plugin->salt_size);
    if (d->auth->plugin->salt_size == SALT_SIZE)
        buf_byte(b, 0);
    wire_end(d->w);
    return ask(d, proof, err);
}

static const struct auth_plugin *plugin_of(const struct login *l)
{
    const struct auth_plugin *p = auth_plugin_named(l->plugin);

    return p ? p : auth_plugin_named(slice_str("mysql_native_password"));
}

/* Asked anew unless it answered the greeting with that plugin. */
static int choose(struct dialog *d, struct slice *proof, struct err *err)
{
    const struct auth_plugin *greeted = auth_plugin_named(slice_str(d->auth->first_plugin));

    d->auth->plugin = plugin_of(&d->login);
    *proof = d->login.proof;
    if (d->auth->plugin == greeted && proof->size == d->auth->plugin->proof_size)
        return 0;
    if (d->auth->plugin == greeted && proof->size == 0 && !*d->auth->password)
        return 0;
    return ask_anew(d, proof, err);
}

static void more(struct dialog *d, uint8_t what)
{
    struct buf *b = wire_begin(d->w);

    buf_byte(b, ASK_MORE);
    buf_byte(b, (char)what);
    wire_end(d->w);
}

static bool same_password(const char *password, struct slice given)
{
    size_t size = strlen(password) + 1; /* with its NUL */

    return given.size == size && CRYPTO_memcmp(password, given.data, size) == 0;
}

/* The password itself, xored with the salt, encrypted with our key. */
static bool by_rsa(struct dialog *d, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct slice key, answer;
    struct buf *b;
    bool same;

    if (wire_tls_public_key(d->auth->tls, &key, err) < 0)
        return false;
    b = wire_begin(d->w);
    buf_byte(b, ASK_MORE);
    buf_add(b, key.data, key.size);
    wire_end(d->w);
    if (ask(d, &answer, err) < 0 || wire_tls_decrypt(d->auth->tls, answer, &text, err) < 0)
        return false;
    for (size_t i = 0; i < text.size; i++)
        text.data[i] ^= (char)d->auth->salt[i % SALT_SIZE];
    same = same_password(d->auth->password, slice_of(text.data, text.size));
    OPENSSL_cleanse(text.data, text.size);
    return same;
}

/* caching_sha2_password without a good proof: the password, please. */
static bool full_path(struct dialog *d, struct err *err)
{
    struct slice answer;

    more(d, SHA2_FULL);
    if (ask(d, &answer, err) < 0)
        return false;
    if (d->w->ssl)
        return same_password(d->auth->password, answer);
    return d->auth->tls && answer.size == 1 && answer.data[0] == SHA2_WANTS_KEY && by_rsa(d, err);
}

static bool proved(struct dialog *d, struct slice proof, struct err *err)
{
    bool sha2 = strcmp(d->auth->plugin->name, "caching_sha2_password") == 0;
    bool good = auth_verify(d->auth->plugin, d->auth->password, d->auth->salt, proof);

    if (sha2 && good && proof.size == d->auth->plugin->proof_size)
        more(d, SHA2_FAST_DONE);
    else if (sha2 && !good && proof.size == d->auth->plugin->proof_size)
        good = full_path(d, err);
    return good && slice_eq(d->login.user, slice_str(d->auth->user));
}

static int refuse(struct dialog *d, struct slice proof, const char *user, struct err *err)
{
    SCOPED(freep)
    char *text = xasprintf("Access denied for user '%s' (using password: %s)", user,
                           proof.size ? "YES" : "NO");
    struct err ignored = ERR_INIT;

    packet_err(d->w, PACKET_ACCESS_DENIED, text);
    wire_flush(d->w, d->auth->timeout_ms, &ignored);
    return err_set(err, -EACCES, "%s", text);
}

/* The slices of the login packet end with the next one. */
static char *keep_name(struct dialog *d)
{
    char *name = xstrndup((const char *)d->login.user.data, d->login.user.size);

    d->login.user = slice_str(name);
    snprintf(d->auth->name, sizeof d->auth->name, "%s", name);
    return name;
}

static int decide(struct dialog *d, struct slice proof, const char *name, struct err *err)
{
    char vouch[AUTH_VOUCH_SIZE] = "";

    if (!proved(d, proof, err))
        return refuse(d, proof, name, err);
    if (d->w->ssl)
        auth_vouch(d->auth, wire_tls_fingerprint(d->auth->tls), vouch);
    packet_ok_text(d->w, vouch);
    return wire_flush(d->w, d->auth->timeout_ms, err);
}

int auth_login(struct wire *w, struct auth *a, struct err *err)
{
    struct dialog d = { .w = w, .auth = a };
    SCOPED(freep) char *name = NULL;
    struct slice proof;
    int rc;

    w->exact = true;
    rc = greet(&d, err);
    w->exact = false;
    if (rc < 0)
        return rc;
    name = keep_name(&d);
    a->capabilities = d.login.capabilities;
    rc = choose(&d, &proof, err);
    return rc < 0 ? rc : decide(&d, proof, name, err);
}

int auth_change_user(struct wire *w, struct auth *a, struct slice body, struct err *err)
{
    struct dialog d = { .w = w, .auth = a };
    SCOPED(freep) char *name = NULL;
    struct slice proof;
    int rc = change_user_parse(body, a->capabilities, &d.login, err);

    if (rc < 0) {
        packet_err(w, PACKET_MALFORMED, err->text);
        return rc;
    }
    proof = d.login.proof;
    name = keep_name(&d);
    a->plugin = plugin_of(&d.login);
    if (proof.size != a->plugin->proof_size)
        rc = ask_anew(&d, &proof, err);
    return rc < 0 ? rc : decide(&d, proof, name, err);
}
