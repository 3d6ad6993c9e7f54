// The kernel's side of a benchmark: plain sockets in C, so that the client is never the limit. Knows
// loads and figures; must not know which stack answers.
//
//   load [-f FROM,FROM...] KIND ADDRESS PORT AMOUNT [SIZE]
//
//   send, receive    bulk, one connection, AMOUNT seconds: bytes, seconds, and our CPU seconds
//   pingpong         round trips of SIZE bytes, one connection, AMOUNT seconds
//   crc              connect, request, response, close, SIZE at once, AMOUNT seconds
//   close            AMOUNT times: from close() to the end on both sides
//   idle             AMOUNT connections that say nothing, held until our input ends
//   finished         AMOUNT connections, one after the other, which the far side closes first
//
// One line of JSON on stdout. FROM are our addresses, taken in turns, so that ports do not run out.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define MAX_SAMPLES 2000000
#define MAX_PARALLEL 1024
#define REQUEST 64
#define MAX_SOURCES 64

static struct sockaddr_storage address;
static socklen_t address_length;
static struct in_addr sources[MAX_SOURCES];
static int source_count;
static char buffer[CHUNK];
static float *samples;
static size_t sample_count;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void parse_address(const char *text, int port) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    address_length = sizeof *v4;
  } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    address_length = sizeof *v6;
  } else {
    fprintf(stderr, "load: '%s' is not an IP address\n", text);
    exit(2);
  }
}

static void parse_sources(char *list) {
  for (char *text = strtok(list, ","); text != NULL; text = strtok(NULL, ",")) {
    if (source_count < MAX_SOURCES && inet_pton(AF_INET, text, &sources[source_count]) == 1) {
      source_count++;
      continue;
    }
    fprintf(stderr, "load: '%s' is not an IPv4 address, or one too many\n", text);
    exit(2);
  }
}

// The port is chosen by connect(), which knows the far side: it may be used again for another one.
static void bind_source(int fd) {
  static int next;
  if (source_count == 0) return;
  int one = 1;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = sources[next++ % source_count]};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) fail("bind");
}

static int open_socket(int flags) {
  int fd = socket(address.ss_family, SOCK_STREAM | flags, 0);
  if (fd < 0) fail("socket");
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  // The namespace may not choose its default; where the kernel has no CUBIC, it keeps its own.
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
  bind_source(fd);
  return fd;
}

static int connect_socket(void) {
  int fd = open_socket(0);
  if (connect(fd, (struct sockaddr *)&address, address_length) < 0) fail("connect");
  return fd;
}

static void note(double seconds) {
  if (sample_count < MAX_SAMPLES) samples[sample_count++] = (float)(seconds * 1e6);
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static double percentile(double p) {
  if (sample_count == 0) return 0;
  size_t index = (size_t)(p * (double)(sample_count - 1));
  return (double)samples[index];
}

static void print_samples(const char *unit, double count, double seconds) {
  qsort(samples, sample_count, sizeof *samples, compare);
  printf("{\"%s\":%.0f,\"seconds\":%.6f,\"p50us\":%.1f,\"p99us\":%.1f,\"maxus\":%.1f,\"percentiles\":[", unit,
         count, seconds, percentile(0.5), percentile(0.99), percentile(1));
  for (int i = 0; i < 100; i++) printf("%s%.1f", i > 0 ? "," : "", percentile(i / 100.0));
  printf("]}\n");
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void bulk(int sending, double seconds) {
  int fd = connect_socket();
  double bytes = 0, start = now(), end = start + seconds, at = start;
  while (at < end) {
    for (int i = 0; i < 16; i++) {
      ssize_t n = sending ? write(fd, buffer, CHUNK) : read(fd, buffer, CHUNK);
      if (n < 0) fail(sending ? "write" : "read");
      if (n == 0) goto done;
      bytes += (double)n;
    }
    at = now();
  }
done:
  printf("{\"bytes\":%.0f,\"seconds\":%.6f,\"cpu\":%.6f}\n", bytes, now() - start, cpu_seconds());
  close(fd);
}

static void exchange(int fd, size_t size) {
  if (write(fd, buffer, size) != (ssize_t)size) fail("write");
  for (size_t got = 0; got < size;) {
    ssize_t n = read(fd, buffer, size - got);
    if (n <= 0) fail("read");
    got += (size_t)n;
  }
}

static void pingpong(double seconds, size_t size) {
  int fd = connect_socket();
  double start = now(), end = start + seconds, at = start, count = 0;
  while (at < end) {
    exchange(fd, size);
    double after = now();
    note(after - at);
    at = after;
    count++;
  }
  print_samples("roundtrips", count, at - start);
  close(fd);
}

// Each slot: connect, send a request, read the echo, close, begin again.
enum phase { CONNECTING, WAITING };
struct slot {
  int fd;
  enum phase phase;
  size_t got;
  double began;
};

static void begin(int epoll, struct slot *slot) {
  slot->fd = open_socket(SOCK_NONBLOCK);
  slot->phase = CONNECTING;
  slot->got = 0;
  slot->began = now();
  if (connect(slot->fd, (struct sockaddr *)&address, address_length) < 0 && errno != EINPROGRESS)
    fail("connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = slot};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, slot->fd, &event) < 0) fail("epoll_ctl");
}

// Answers whether the slot's connection is over.
static int advance(int epoll, struct slot *slot) {
  if (slot->phase == CONNECTING) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
      errno = error;
      fail("connect");
    }
    if (write(slot->fd, buffer, REQUEST) != REQUEST) fail("write");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = slot};
    epoll_ctl(epoll, EPOLL_CTL_MOD, slot->fd, &event);
    slot->phase = WAITING;
    return 0;
  }
  ssize_t n = read(slot->fd, buffer, REQUEST);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("read");
  slot->got += (size_t)n;
  if (slot->got < REQUEST) return 0;
  close(slot->fd);
  note(now() - slot->began);
  return 1;
}

static void connections(double seconds, int parallel) {
  static struct slot slots[MAX_PARALLEL];
  struct epoll_event events[64];
  int epoll = epoll_create1(0);
  double start = now(), end = start + seconds, count = 0;
  for (int i = 0; i < parallel; i++) begin(epoll, &slots[i]);
  while (now() < end) {
    int ready = epoll_wait(epoll, events, 64, 1000);
    for (int i = 0; i < ready; i++) {
      struct slot *slot = events[i].data.ptr;
      if (!advance(epoll, slot)) continue;
      count++;
      begin(epoll, slot);
    }
  }
  print_samples("connections", count, now() - start);
}

static void closes(int count) {
  double start = now();
  for (int i = 0; i < count; i++) {
    int fd = connect_socket();
    exchange(fd, REQUEST);
    double at = now();
    shutdown(fd, SHUT_WR);
    while (read(fd, buffer, CHUNK) > 0) {
    }
    note(now() - at);
    close(fd);
  }
  print_samples("closes", count, now() - start);
}

static void idle(int count) {
  double start = now();
  for (int i = 0; i < count; i++) connect_socket();
  printf("{\"connections\":%d,\"seconds\":%.6f}\n", count, now() - start);
  fflush(stdout);
  while (read(STDIN_FILENO, buffer, CHUNK) > 0) {
  }
}

static void finished(int count) {
  double start = now();
  for (int i = 0; i < count; i++) {
    int fd = connect_socket();
    while (read(fd, buffer, CHUNK) > 0) {
    }
    close(fd);
  }
  printf("{\"connections\":%d,\"seconds\":%.6f}\n", count, now() - start);
}

static int usage(void) {
  fprintf(stderr, "usage: load [-f FROM,FROM...] send|receive|pingpong|crc|close|idle|finished "
                  "ADDRESS PORT AMOUNT [SIZE]\n");
  return 2;
}

int main(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "f:")) != -1;) {
    if (option != 'f') return usage();
    parse_sources(optarg);
  }
  argc -= optind;
  argv += optind;
  if (argc < 4) return usage();
  const char *kind = argv[0];
  parse_address(argv[1], atoi(argv[2]));
  double amount = atof(argv[3]);
  int size = argc > 4 ? atoi(argv[4]) : REQUEST;
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  if (samples == NULL) fail("malloc");
  if (strcmp(kind, "send") == 0) bulk(1, amount);
  else if (strcmp(kind, "receive") == 0) bulk(0, amount);
  else if (strcmp(kind, "pingpong") == 0) pingpong(amount, (size_t)size);
  else if (strcmp(kind, "crc") == 0) connections(amount, size < 1 ? 1 : size > MAX_PARALLEL ? MAX_PARALLEL : size);
  else if (strcmp(kind, "close") == 0) closes((int)amount);
  else if (strcmp(kind, "idle") == 0) idle((int)amount);
  else if (strcmp(kind, "finished") == 0) finished((int)amount);
  else return usage();
  return 0;
}
