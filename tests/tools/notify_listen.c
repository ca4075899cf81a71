/* notify_listen.c - stands for systemd: prints what is sent to the socket at argv[1], a line each,
 * until it is killed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char text[512];
    ssize_t n;

    if (argc < 2 || snprintf(a.sun_path, sizeof a.sun_path, "%s", argv[1]) < 1 || fd < 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        perror("notify_listen");
        return 1;
    }
    while ((n = recv(fd, text, sizeof text - 1, 0)) > 0) {
        printf("%.*s\n", (int)n, text);
        fflush(stdout);
    }
    return 0;
}
