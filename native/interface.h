// Opens and configures network interfaces; knows Linux, must not know Node-API or libuv.
#ifndef FINWAIT_INTERFACE_H
#define FINWAIT_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What went wrong: an errno, the system call or request that said so, and what it was about.
struct failure {
  int error;
  const char *step;
  char subject[160];
};

// Abilities that the kernel granted, as bits.
#define ABLE_VNET_HEADER 1
#define ABLE_CHECKSUM 2
#define ABLE_TSO4 4
#define ABLE_TSO6 8
#define ABLE_STEERING 16

struct interface_options {
  const char *name;   // may hold one %d, which the kernel fills in
  const char *netns;  // path of a network namespace, or NULL for the thread's own
  int mtu;
  int queue_length;
  bool offload;
  int queue, queues;  // which of how many; the first one makes the interface, the others attach to it
  const char **addresses;  // "IP/prefix" each
  size_t address_count;
};

struct interface {
  int fd;     // the TUN device, non-blocking
  int watch;  // netlink socket that becomes readable when any link of the namespace changes
  char name[IFNAMSIZ];
  unsigned abilities;
  uint64_t skipped;  // bit i: address i was left out, because IPv6 is disabled
};

// Both return false and describe the failure when they can't do all of it; nothing stays open.
bool interface_open(const struct interface_options *options, struct interface *out,
                    struct failure *failure);

// 0 when the interface is up, ENETDOWN when it is down, EBADFD when it is gone.
int interface_status(int fd, int watch);

struct route {
  int family;
  uint8_t destination[16];
  int prefix;
  int type;             // RTN_UNICAST, RTN_LOCAL, ...
  uint32_t table;       // RT_TABLE_MAIN, RT_TABLE_LOCAL, ...
  char device[IFNAMSIZ];  // empty for a route without a device (blackhole, multipath)
};

// Calls `each` for every IPv4 and IPv6 route of the namespace.
bool interface_routes(const char *netns, void (*each)(const struct route *, void *), void *context,
                      struct failure *failure);

bool fail(struct failure *failure, const char *step, const char *subject);

#endif
