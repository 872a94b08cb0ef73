/* conn/capture_file.c - see capture_file.h. */
#include "conn/capture_file.h"

#include <errno.h>
#include <unistd.h>

int cl_capture_file_write(int fd, const uint8_t *p, size_t len)
{
    size_t done = 0;
    int why = 0;
    while (done < len && why == 0) {
        ssize_t n = write(fd, p + done, len - done);
        why = n < 0 && errno != EINTR ? errno : 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (why != 0 && done != 0) {
        off_t end = lseek(fd, 0, SEEK_CUR);
        if (end >= (off_t)done && ftruncate(fd, end - (off_t)done) != 0) {
            return why; /* the reader is told that the last block is cut short */
        }
    }
    return why;
}
