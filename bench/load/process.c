/* bench/load/process.c - what a process has used and holds, out of /proc. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "load.h"

/* The first number of a thread's schedstat is the time it ran, in nanoseconds. */
static bool add_threads(pid_t pid, double *seconds)
{
    char path[300];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return false;
    }
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
        unsigned long long ns;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, d->d_name);
        FILE *f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (f != NULL && fscanf(f, "%llu", &ns) == 1) {
            *seconds += (double)ns / 1e9;
        }
        if (f != NULL) {
            fclose(f);
        }
    }
    closedir(dir);
    return true;
}

bool load_process_read(pid_t pid, struct load_process *out)
{
    char line[256];
    *out = (struct load_process){0};
    if (!add_threads(pid, &out->cpu_seconds)) {
        return false;
    }
    snprintf(line, sizeof(line), "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(line, "re");
    if (f == NULL) {
        return false;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned long long kib;
        if (sscanf(line, "Rss: %llu kB", &kib) == 1) {
            out->resident = kib * 1024;
        } else if (sscanf(line, "Private_Dirty: %llu kB", &kib) == 1) {
            out->private_set = kib * 1024;
        }
    }
    fclose(f);
    return true;
}
