/* Moves the wall clock of a process (LD_PRELOAD), by as many seconds as stand in the file CLOCK_SHIFT names,
 * as a number of 8 bytes, at any time. CLOCK_SHIFT_ONLY: only of programs whose name begins so. What counts
 * durations (CLOCK_MONOTONIC) is left alone, as it is when somebody sets a clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t shift(void) {
    static volatile int64_t *seconds;
    static int looked;
    if (!looked) {
        looked = 1;
        const char *path = getenv("CLOCK_SHIFT"), *only = getenv("CLOCK_SHIFT_ONLY");
        if (path && (!only || !strncmp(program_invocation_short_name, only, strlen(only)))) {
            int file = open(path, O_RDONLY | O_CLOEXEC);
            if (file >= 0) {
                void *found = mmap(0, sizeof *seconds, PROT_READ, MAP_SHARED, file, 0);
                close(file);
                if (found != MAP_FAILED) seconds = found;
            }
        }
    }
    return seconds ? *seconds : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec time;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &time)) return -1;
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
