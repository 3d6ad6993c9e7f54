// The kernel's own TCP as a contender: echo on 7, discard on 9, chargen on 19, one thread, plain epoll.
// Says "ready" and ends with its input. Must not know what is measured.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define EVENTS 256

enum service { ECHO = 7, DISCARD = 9, CHARGEN = 19 };

// What an event belongs to, in 64 bits: descriptor, service, and whether it listens.
struct tag {
  int32_t fd;
  int16_t service;
  int16_t listening;
};

static char buffer[CHUNK];
static char text[CHUNK];
static int epoll;

static void fail(const char *what) {
  fprintf(stderr, "epoll-server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void watch(struct tag tag, uint32_t events) {
  struct epoll_event event = {.events = events};
  memcpy(&event.data, &tag, sizeof tag);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, tag.fd, &event) < 0) fail("epoll_ctl");
}

static void serve(int service) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)service)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Accepted sockets inherit it; where the kernel has no CUBIC, it keeps its own.
  setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(fd, 4096) < 0) fail("listen");
  watch((struct tag){fd, (int16_t)service, 1}, EPOLLIN);
}

static void accept_all(struct tag listener) {
  for (;;) {
    int fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch((struct tag){fd, listener.service, 0},
          listener.service == CHARGEN ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

// The echo waits for a peer that does not read; loads read what they have sent before they go on.
static int write_all(int fd, const char *from, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, from, length);
    if (n < 0 && errno == EAGAIN) continue;
    if (n <= 0) return 0;
    from += n;
    length -= (size_t)n;
  }
  return 1;
}

static void attend(struct tag tag, uint32_t events) {
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    ssize_t n = read(tag.fd, buffer, CHUNK);
    int over = n == 0 || (n < 0 && errno != EAGAIN);
    if (n > 0 && tag.service == ECHO) over = !write_all(tag.fd, buffer, (size_t)n);
    if (over) {
      close(tag.fd);
      return;
    }
  }
  if (tag.service == CHARGEN && (events & EPOLLOUT)) {
    if (write(tag.fd, text, CHUNK) < 0 && errno != EAGAIN) close(tag.fd);
  }
}

int main(void) {
  memset(text, 'k', sizeof text);
  epoll = epoll_create1(0);
  serve(ECHO);
  serve(DISCARD);
  serve(CHARGEN);
  watch((struct tag){STDIN_FILENO, 0, 0}, EPOLLIN);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct tag tag;
      memcpy(&tag, &events[i].data, sizeof tag);
      if (tag.fd == STDIN_FILENO) return 0;
      if (tag.listening) accept_all(tag);
      else attend(tag, events[i].events);
    }
  }
}
