/* fuzz/replay.c - runs a fuzz target over the files of a folder, and over some mutations of each.
 *
 * The driver that stands in for libFuzzer in the test suite. For every file: the file itself, every
 * truncation of it (of long files, at evenly spread lengths), and MUTATIONS copies with a few bytes
 * changed by a fixed generator: a failure comes back on the next run. The input lies at the end of
 * its allocation, so that sanitizers and valgrind see the first byte read beyond it.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 32 mutations and 64 lengths a file: a second or so for a corpus of fifty files under sanitizers
 */
#define MUTATIONS   32
#define TRUNCATIONS 64
/* 1 MiB: corpora are small by rule; a larger file is there by mistake */
#define MAX_FILE    (1 << 20)

static uint64_t random_state;

/* xorshift64: good enough to choose bytes, the same everywhere. */
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_mutations(uint8_t *data, size_t len)
{
    for (int i = 0; len > 0 && i < MUTATIONS; i++) {
        size_t at[3];
        uint8_t was[3];
        for (int k = 0; k < 3; k++) {
            at[k] = next_random() % len;
            was[k] = data[at[k]];
            data[at[k]] = (uint8_t)next_random();
        }
        run(data, len);
        for (int k = 2; k >= 0; k--) {
            data[at[k]] = was[k];
        }
    }
}

static bool run_file(const char *path, uint8_t *room)
{
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(room, 1, MAX_FILE, file) : 0;
    bool ok = file != NULL && feof(file) && !ferror(file);
    if (file != NULL) {
        fclose(file);
    }
    if (!ok) {
        fprintf(stderr, "%s: cannot be read, or is larger than 1 MiB\n", path);
        return false;
    }
    size_t step = len / TRUNCATIONS + 1;
    for (size_t shorter = 0; shorter < len; shorter += step) {
        run(room, shorter);
    }
    run(room, len);
    run_mutations(room, len);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    struct dirent **entries = NULL;
    int num = scandir(argv[1], &entries, NULL, alphasort);
    uint8_t *room = malloc(MAX_FILE);
    int files = 0, failures = 0;
    for (int i = 0; i < num && room != NULL; i++) {
        char path[PATH_MAX];
        if (entries[i]->d_name[0] != '.') {
            random_state = 0x9e3779b97f4a7c15; /* each file alone decides what happens to it */
            snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
            failures += run_file(path, room) ? 0 : 1;
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    free(room);
    printf("%d files replayed\n", files);
    return files > 0 && failures == 0 ? 0 : 1;
}
