/* LD_PRELOAD: writing to files whose path has DISK_MATCH in it fails as the first byte of the file named by DISK_FILE
   says: 0 works, 1 no room (ENOSPC), 2 I/O error (EIO), 3 I/O error when it is to reach the disk (fsync), 4 opened for
   reading only (EROFS), 5 the same, but only where the path ends in DISK_MATCH (EACCES). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const volatile char *mode;

__attribute__((constructor)) static void open_disk(void) {
  const char *name = getenv("DISK_FILE");
  int file;
  if (!name || (file = open(name, O_RDONLY | O_CLOEXEC)) < 0) return;
  void *page = mmap(0, 1, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) mode = page;
  close(file);
}

static int ours(int fd) {
  char link[64], path[4096];
  const char *match = getenv("DISK_MATCH");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0 || !match) return 0;
  path[size] = 0;
  return strstr(path, match) != 0;
}

static int fails(int fd, int flush) {
  char now = mode ? *mode : 0;
  if (!now || now > 3 || (now == 3) != flush || !ours(fd)) return 0;
  errno = now == 1 ? ENOSPC : EIO;
  return 1;
}

static int refused(const char *path, int flags) {
  char now = mode ? *mode : 0;
  const char *match = getenv("DISK_MATCH");
  const char *at = match && now >= 4 && (flags & (O_WRONLY | O_RDWR | O_CREAT)) ? strstr(path, match) : 0;
  if (!at || (now == 5 && strcmp(at, match))) return 0;
  errno = now == 4 ? EROFS : EACCES;
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *from, size_t size) { return fails(fd, 0) ? -1 : NEXT(write)(fd, from, size); }
ssize_t pwrite(int fd, const void *from, size_t size, off_t at) { return fails(fd, 0) ? -1 : NEXT(pwrite)(fd, from, size, at); }
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) { return fails(fd, 0) ? -1 : NEXT(pwrite64)(fd, from, size, at); }
int fsync(int fd) { return fails(fd, 1) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails(fd, 1) ? -1 : NEXT(fdatasync)(fd); }

#define OPEN(name)                                                                      \
  int name(const char *path, int flags, ...) {                                          \
    va_list more;                                                                       \
    va_start(more, flags);                                                              \
    mode_t permissions = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;       \
    va_end(more);                                                                       \
    return refused(path, flags) ? -1 : ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, permissions); \
  }

OPEN(open)
OPEN(open64)
