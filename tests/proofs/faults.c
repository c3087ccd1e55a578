/* A disk that fails on request: preloaded, it stands before the calls of the C library that write files.

The environment variable FAULTS names a file of six numbers, which all processes share: whether to look at all, how many
calls there were, the number of the call that fails, how it fails (0 once, 1 it and all after it, 2 the process is killed
before it), the error, and how many failed. Only calls on paths below the folder FAULTS_BELOW count. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct state { int armed, count, fails, how, error, failed; };
enum { ONCE, FROM_THEN_ON, KILL };

static struct state *state;
static const char *below;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS");
    below = getenv("FAULTS_BELOW");
    int descriptor = path && below ? REAL(open)(path, O_RDWR) : -1;
    if (descriptor < 0) return;
    void *found = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    REAL(close)(descriptor);
    if (found != MAP_FAILED) state = found;
}

/* Whether the call on this path is to fail; errno says how. */
static int path_fails(const char *path) {
    if (!state || !state->armed || strncmp(path, below, strlen(below))) return 0;
    int number = __sync_fetch_and_add(&state->count, 1);
    if (number < state->fails || state->fails < 0) return 0;
    if (number > state->fails && state->how == ONCE) return 0;
    __sync_fetch_and_add(&state->failed, 1);
    if (state->how == KILL) kill(getpid(), SIGKILL);
    errno = state->error;
    return 1;
}

static int descriptor_fails(int descriptor) {
    char link[64], path[4096];
    if (!state || !state->armed) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = before;
    if (size < 0) return 0;
    path[size] = 0;
    return path_fails(path);
}

/* The path that a call with the descriptor of a folder means. */
static int path_at_fails(int folder, const char *path) {
    char link[64], full[8192];
    if (path[0] == '/' || !state || !state->armed) return path_fails(path);
    if (folder == AT_FDCWD) {
        if (!getcwd(full, 4096)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, full, 4095);
        if (size < 0) return 0;
        full[size] = 0;
    }
    strncat(full, "/", 2);
    strncat(full, path, 4000);
    return path_fails(full);
}

#define MODE(last) va_list list; va_start(list, last); mode_t mode = va_arg(list, mode_t); va_end(list)

int open(const char *path, int flags, ...) {
    MODE(flags);
    return path_at_fails(AT_FDCWD, path) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags);
    return path_at_fails(AT_FDCWD, path) ? -1 : REAL(open64)(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return path_at_fails(folder, path) ? -1 : REAL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags);
    return path_at_fails(folder, path) ? -1 : REAL(openat64)(folder, path, flags, mode);
}
FILE *fopen(const char *path, const char *mode) {
    return path_at_fails(AT_FDCWD, path) ? NULL : REAL(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) {
    return path_at_fails(AT_FDCWD, path) ? NULL : REAL(fopen64)(path, mode);
}
ssize_t write(int descriptor, const void *bytes, size_t size) {
    return descriptor_fails(descriptor) ? -1 : REAL(write)(descriptor, bytes, size);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at) {
    return descriptor_fails(descriptor) ? -1 : REAL(pwrite)(descriptor, bytes, size, at);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at) {
    return descriptor_fails(descriptor) ? -1 : REAL(pwrite64)(descriptor, bytes, size, at);
}
ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
    return descriptor_fails(descriptor) ? -1 : REAL(writev)(descriptor, pieces, count);
}
size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file) {
    return descriptor_fails(fileno(file)) ? 0 : REAL(fwrite)(bytes, size, count, file);
}
int fsync(int descriptor) { return descriptor_fails(descriptor) ? -1 : REAL(fsync)(descriptor); }
int fdatasync(int descriptor) { return descriptor_fails(descriptor) ? -1 : REAL(fdatasync)(descriptor); }
int ftruncate(int descriptor, off_t size) {
    return descriptor_fails(descriptor) ? -1 : REAL(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    return descriptor_fails(descriptor) ? -1 : REAL(ftruncate64)(descriptor, size);
}
int close(int descriptor) { /* as on Linux: it is closed, whatever was reported */
    int fails = descriptor_fails(descriptor), error = errno, done = REAL(close)(descriptor);
    if (!fails) return done;
    errno = error;
    return -1;
}
int rename(const char *from, const char *to) {
    return path_at_fails(AT_FDCWD, from) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return path_at_fails(from_folder, from) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
int mkdir(const char *path, mode_t mode) { return path_at_fails(AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode); }
int unlink(const char *path) { return path_at_fails(AT_FDCWD, path) ? -1 : REAL(unlink)(path); }
int unlinkat(int folder, const char *path, int flags) {
    return path_at_fails(folder, path) ? -1 : REAL(unlinkat)(folder, path, flags);
}
