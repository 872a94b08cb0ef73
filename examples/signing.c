/* signing.c - see signing.h. */
#include "signing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int signing_socket(const char *path, int listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
        errno = fd < 0 ? errno : ENAMETOOLONG;
    } else {
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (listening) {
            unlink(path);
        }
        const struct sockaddr *at = (const struct sockaddr *)&address;
        int failed = listening ? bind(fd, at, sizeof(address)) != 0 || listen(fd, 4) != 0
                               : connect(fd, at, sizeof(address)) != 0;
        if (!failed) {
            return fd;
        }
    }
    perror(path);
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}
