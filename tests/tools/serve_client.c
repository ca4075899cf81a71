/*
 * serve_client.c - what no stock client does to a binlog server.
 *
 *     serve_client change_user PORT USER PASSWORD
 *         logs in anew on an open connection (COM_CHANGE_USER), as pools do.  Prints a line a step:
 *         a user variable before and after a change with the right password, that the connection is
 *         of use, and the error's number with a wrong one
 *     serve_client dump PORT USER PASSWORD CAPABILITY
 *         asks for the binlog as a MariaDB replica of that capability ("" does not say one); prints
 *         the error's number and text, or "event"
 */
#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_variable(MYSQL *db)
{
    MYSQL_RES *res;
    MYSQL_ROW row;

    if (mysql_query(db, "SELECT @a") != 0 || !(res = mysql_store_result(db))) {
        printf("error %u\n", mysql_errno(db));
        return;
    }
    row = mysql_fetch_row(res);
    printf("%s\n", row && row[0] ? row[0] : "NULL");
    mysql_free_result(res);
}

static void change_user(MYSQL *db, const char *user, const char *password)
{
    mysql_query(db, "SET @a = 'before'");
    show_variable(db);
    if (mysql_change_user(db, user, password, NULL) != 0)
        printf("error %u: %s\n", mysql_errno(db), mysql_error(db));
    show_variable(db);
    printf("%s\n", mysql_query(db, "SET @a = 'again'") == 0 ? "good" : mysql_error(db));
    show_variable(db);
    mysql_change_user(db, user, "wrong", NULL);
    printf("%u\n", mysql_errno(db));
}

static int read_all(int fd, unsigned char *to, size_t size)
{
    for (ssize_t n; size > 0; to += n, size -= (size_t)n)
        if ((n = read(fd, to, size)) <= 0)
            return -1;
    return 0;
}

static void dump(MYSQL *db, const char *capability)
{
    static const unsigned char ask[] = { 4, 0, 0, 0, 2, 0, 77, 0, 0, 0 };
    unsigned char head[4], body[4096];
    char sql[64];
    size_t size;

    mysql_query(db, "SET @master_binlog_checksum='CRC32'");
    snprintf(sql, sizeof sql, "SET @mariadb_slave_capability=%s", capability);
    if (*capability)
        mysql_query(db, sql);
    db->methods->db_command(db, COM_BINLOG_DUMP, (const char *)ask, sizeof ask, 1, NULL);
    if (read_all((int)mysql_get_socket(db), head, 4) < 0)
        return;
    size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (size < 9 || size >= sizeof body || read_all((int)mysql_get_socket(db), body, size) < 0)
        return;
    body[size] = '\0';
    if (body[0] == 0xff) /* its number, '#' and the state, its text */
        printf("%u %s\n", body[1] | body[2] << 8, (const char *)body + 9);
    else
        printf("event\n");
}

int main(int argc, char **argv)
{
    MYSQL *db = mysql_init(NULL);
    my_bool no = 0;

    if (argc < 5)
        return 2;
    mysql_optionsv(db, MYSQL_OPT_SSL_ENFORCE, &no);
    mysql_optionsv(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    if (!mysql_real_connect(db, "127.0.0.1", argv[3], argv[4], NULL,
                            (unsigned)strtoul(argv[2], NULL, 10), NULL, 0)) {
        fprintf(stderr, "serve_client: %s\n", mysql_error(db));
        return 1;
    }
    if (strcmp(argv[1], "change_user") == 0)
        change_user(db, argv[3], argv[4]);
    else
        dump(db, argc > 5 ? argv[5] : "");
    mysql_close(db);
    return 0;
}
