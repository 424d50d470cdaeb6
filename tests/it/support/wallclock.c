/* LD_PRELOAD: CLOCK_REALTIME, gettimeofday() and time() tell what the file named by WALLCLOCK_FILE says; every
   other clock is the machine's. The file holds four 64-bit words: sequence number (odd while it is written),
   monotonic nanoseconds at which the hand was set, nanoseconds since 1970 shown then, nanoseconds per second. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *hand;
static int (*machine)(clockid_t, struct timespec *);

__attribute__((constructor)) static void open_clock(void) {
  const char *name = getenv("WALLCLOCK_FILE");
  int file;
  machine = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  if (!name || (file = open(name, O_RDONLY | O_CLOEXEC)) < 0) return;
  void *page = mmap(0, 32, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) hand = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  if (!machine) open_clock();
  if (!hand || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return machine(clock, out);
  struct timespec now;
  int64_t seq, mono, shown, rate;
  do {
    seq = hand[0];
    __sync_synchronize();
    mono = hand[1]; shown = hand[2]; rate = hand[3];
    __sync_synchronize();
  } while (seq != hand[0] || (seq & 1));
  machine(CLOCK_MONOTONIC, &now);
  __int128 passed = (__int128)(now.tv_sec * 1000000000LL + now.tv_nsec - mono) * rate / 1000000000LL;
  int64_t total = shown + (int64_t)passed;
  out->tv_sec = total / 1000000000LL;
  out->tv_nsec = total % 1000000000LL;
  if (out->tv_nsec < 0) { out->tv_nsec += 1000000000L; out->tv_sec -= 1; }
  return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
