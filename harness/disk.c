/*
 * A disk that refuses: preloaded into a process (LD_PRELOAD), it lets calls on the files of one directory fail.
 *
 * A page shared through a file ($DISK_CONTROL) says what to do and counts what is done, so the test can turn failing on
 * and off while the process runs. Only files under $DISK_DIRECTORY are concerned.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE, SYNC, OPEN, TRUNCATE, RENAME, KINDS };
enum { NEVER, ONCE, FROM_THEN_ON };

struct control {
    long mode;        /* NEVER, ONCE: the call `at` fails; FROM_THEN_ON: it and all after it */
    long at;          /* counts down calls of the kinds in `mask` */
    long mask;        /* bit per kind */
    long error;       /* errno; 0 with WRITE: half of what was to be written is written */
    long failed;      /* how many calls failed */
    long calls[KINDS];
    long bytes_written;
};

static struct control *control;
static char directory[PATH_MAX];
static char concerned[65536];  /* by descriptor */

__attribute__((constructor)) static void begin(void) {
    const char *page = getenv("DISK_CONTROL"), *where = getenv("DISK_DIRECTORY");
    if (page == NULL || where == NULL) return;
    int (*really_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int file = really_open(page, O_RDWR);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) return;
    snprintf(directory, sizeof directory, "%s", where);
    control = mapped;
}

/* Whether this call fails; counts it either way. */
static int fails(enum kind kind) {
    __atomic_add_fetch(&control->calls[kind], 1, __ATOMIC_SEQ_CST);
    long mode = __atomic_load_n(&control->mode, __ATOMIC_SEQ_CST);
    if (mode == NEVER || !(control->mask >> kind & 1)) return 0;
    long left = __atomic_sub_fetch(&control->at, 1, __ATOMIC_SEQ_CST);
    if (left == 0 || (left < 0 && mode == FROM_THEN_ON)) {
        __atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
        return 1;
    }
    return 0;
}

static int is_ours(const char *path) {
    if (control == NULL || path == NULL) return 0;
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int is_ours_open(int file) { return control != NULL && file >= 0 && file < 65536 && concerned[file]; }

#define REALLY(type, name, ...) static type (*really)(__VA_ARGS__) = NULL; \
    if (really == NULL) really = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REALLY(int, #name, const char *, int, ...); \
        va_list rest; va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        int ours = is_ours(path); \
        if (ours && fails(OPEN)) { errno = (int)control->error ? (int)control->error : EIO; return -1; } \
        int file = really(path, flags, mode); \
        if (file >= 0 && file < 65536) concerned[file] = (char)ours; \
        return file; \
    }
OPENING(open)
OPENING(open64)

int close(int file) {
    REALLY(int, "close", int);
    if (file >= 0 && file < 65536) concerned[file] = 0;
    return really(file);
}

#define WRITING(name, offset_type) \
    ssize_t name(int file, const void *content, size_t count, offset_type offset) { \
        REALLY(ssize_t, #name, int, const void *, size_t, offset_type); \
        if (!is_ours_open(file)) return really(file, content, count, offset); \
        if (fails(WRITE)) { \
            if (control->error == 0 && count > 1) return really(file, content, count / 2, offset); \
            errno = (int)control->error ? (int)control->error : EIO; \
            return -1; \
        } \
        __atomic_add_fetch(&control->bytes_written, (long)count, __ATOMIC_SEQ_CST); \
        return really(file, content, count, offset); \
    }
WRITING(pwrite, off_t)
WRITING(pwrite64, off64_t)

ssize_t write(int file, const void *content, size_t count) {
    REALLY(ssize_t, "write", int, const void *, size_t);
    if (!is_ours_open(file)) return really(file, content, count);
    if (fails(WRITE)) {
        if (control->error == 0 && count > 1) return really(file, content, count / 2);
        errno = (int)control->error ? (int)control->error : EIO;
        return -1;
    }
    return really(file, content, count);
}

#define SIMPLE(name, kind) \
    int name(int file) { \
        REALLY(int, #name, int); \
        if (is_ours_open(file) && fails(kind)) { errno = (int)control->error ? (int)control->error : EIO; return -1; } \
        return really(file); \
    }
SIMPLE(fsync, SYNC)
SIMPLE(fdatasync, SYNC)

#define CUTTING(name, size_type) \
    int name(int file, size_type size) { \
        REALLY(int, #name, int, size_type); \
        if (is_ours_open(file) && fails(TRUNCATE)) { errno = (int)control->error ? (int)control->error : EIO; return -1; } \
        return really(file, size); \
    }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    REALLY(int, "rename", const char *, const char *);
    if (is_ours(to) && fails(RENAME)) { errno = (int)control->error ? (int)control->error : EIO; return -1; }
    return really(from, to);
}
