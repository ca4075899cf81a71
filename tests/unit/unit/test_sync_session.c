#include <criterion/criterion.h>

#include "base/scope.h"
#include "unit/sync/sync_session.h"

static void is_set(unsigned client, unsigned connection, unsigned server, enum flavor from,
                   enum flavor to, const char *want)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    struct query_context ctx = { .has_charset = true,
                                 .client_charset = (uint16_t)client,
                                 .connection_collation = (uint16_t)connection,
                                 .server_collation = (uint16_t)server,
                                 .explicit_defaults_for_timestamp = -1 };

    session_sql(&ctx, 7, from, to, NULL, &out);
    cr_expect_eq(strncmp(out.data, "SET SESSION timestamp=7.000000", 30), 0);
    cr_expect_str_eq(out.data + 30, want, "%s", out.data);
}

Test(sync_session, numbers_of_collations_go_over_as_they_are_logged)
{
    is_set(33, 192, 8, FLAVOR_MARIADB, FLAVOR_MARIADB,
           ",character_set_client=33,collation_connection=192,collation_server=8");
    is_set(255, 255, 255, FLAVOR_MYSQL, FLAVOR_MYSQL,
           ",character_set_client=255,collation_connection=255,collation_server=255");
}

/* utf8mb4_uca1400_ai_ci, utf8mb3_uca1400_ai_ci: the default from MariaDB 11.5 on. */
Test(sync_session, a_client_s_charset_is_no_uca1400_collation)
{
    is_set(2304, 2304, 2304, FLAVOR_MARIADB, FLAVOR_MARIADB,
           ",character_set_client=45,collation_connection=2304,collation_server=2304");
    is_set(2048, 2048, 2304, FLAVOR_MARIADB, FLAVOR_MARIADB,
           ",character_set_client=33,collation_connection=2048,collation_server=2304");
    is_set(2304, 2304, 2304, FLAVOR_MARIADB, FLAVOR_MYSQL,
           ",character_set_client=45,collation_connection=utf8mb4_bin");
}

/* Else text in the client's charset would be read in another. */
Test(sync_session, between_flavours_one_that_the_other_lacks_does_not_change_the_rest)
{
    is_set(8, 8, 2304, FLAVOR_MARIADB, FLAVOR_MYSQL,
           ",character_set_client=8,collation_connection=8");
    is_set(255, 255, 8, FLAVOR_MYSQL, FLAVOR_MARIADB,
           ",character_set_client=utf8mb4,collation_connection=utf8mb4_bin,collation_server=8");
}
