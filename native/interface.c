// Opens and configures network interfaces; knows Linux, must not know Node-API or libuv.
#include "interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"
#include "steering.h"

bool fail(struct failure *failure, const char *step, const char *subject) {
  failure->error = errno;
  failure->step = step;
  snprintf(failure->subject, sizeof failure->subject, "%s", subject);
  return false;
}

// What is to be done in another namespace, and how it went.
struct visit {
  const char *netns;
  bool (*work)(void *context, struct failure *failure);
  void *context;
  struct failure *failure;
  bool done;
};

static void *visit(void *argument) {
  struct visit *visit = argument;
  int target = open(visit->netns, O_RDONLY | O_CLOEXEC);
  bool entered = target >= 0 && setns(target, CLONE_NEWNET) == 0;
  if (!entered) fail(visit->failure, target < 0 ? "open" : "setns", visit->netns);
  if (target >= 0) close(target);
  visit->done = entered && visit->work(visit->context, visit->failure);
  return NULL;
}

// Does the work in a namespace, or (NULL) where we are. A thread of its own goes there and ends there:
// in a user namespace of our own we may enter networks that belong to it, but not come back to one that
// does not. What was opened there stays usable.
static bool work_in(const char *netns, bool (*work)(void *context, struct failure *failure),
                    void *context, struct failure *failure) {
  if (netns == NULL) return work(context, failure);
  struct visit task = {.netns = netns, .work = work, .context = context, .failure = failure};
  pthread_t thread;
  errno = pthread_create(&thread, NULL, visit, &task);
  if (errno != 0) return fail(failure, "pthread_create", netns);
  pthread_join(thread, NULL);
  return task.done;
}

static bool set_offload(int fd, bool wanted, unsigned *abilities) {
  static const struct { unsigned flags, abilities; } offers[] = {
      {TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN, ABLE_CHECKSUM | ABLE_TSO4 | ABLE_TSO6},
      {TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6, ABLE_CHECKSUM | ABLE_TSO4 | ABLE_TSO6},
      {TUN_F_CSUM | TUN_F_TSO4, ABLE_CHECKSUM | ABLE_TSO4},
      {TUN_F_CSUM, ABLE_CHECKSUM},
  };
  for (size_t i = 0; wanted && i < sizeof offers / sizeof *offers; i++) {
    if (ioctl(fd, TUNSETOFFLOAD, offers[i].flags) == 0) {
      *abilities |= offers[i].abilities;
      return true;
    }
  }
  // A persistent interface may remember the offloads of its last owner.
  return ioctl(fd, TUNSETOFFLOAD, 0) == 0;
}

// Whether it is a TUN device that somebody is attached to: its carrier comes and goes with that.
static bool is_in_use(const char *name) {
  struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
  struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
  struct ifreq request = {.ifr_data = (void *)&driver};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool is_tun = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0 && strcmp(driver.driver, "tun") == 0;
  request.ifr_data = (void *)&link;
  bool known = is_tun && ioctl(fd, SIOCETHTOOL, &request) == 0;
  if (fd >= 0) close(fd);
  return known && link.data != 0;
}

// A first queue must not join the interface of another program: that has its own already, or is
// persistent and waits for its next owner.
static bool claim_first(int fd, struct ifreq *request) {
  struct ifreq own = *request;
  own.ifr_flags |= (short)IFF_TUN_EXCL;
  if (ioctl(fd, TUNSETIFF, &own) == 0) {
    *request = own;
    return true;
  }
  if (errno != EBUSY) return false;
  if (is_in_use(request->ifr_name)) {
    errno = EBUSY;
    return false;
  }
  if (ioctl(fd, TUNSETIFF, request) != 0) return false;
  if (ioctl(fd, TUNGETIFF, &own) == 0 && (own.ifr_flags & IFF_PERSIST) != 0) return true;
  errno = EBUSY;
  return false;
}

// A further queue joins the interface that the first one has made. A persistent interface for several
// queues serves whoever wants one as well.
static bool claim(int fd, struct ifreq *request, int queue, int queues) {
  if (queues > 1) request->ifr_flags |= IFF_MULTI_QUEUE;
  if (queue > 0) return ioctl(fd, TUNSETIFF, request) == 0;
  if (queues > 1) return claim_first(fd, request);
  if (ioctl(fd, TUNSETIFF, request) == 0) return true;
  if (errno != EINVAL) return false;
  request->ifr_flags |= IFF_MULTI_QUEUE;
  return if_nametoindex(request->ifr_name) != 0 && claim_first(fd, request);
}

static bool open_tun(const struct interface_options *options, struct interface *out,
                     struct failure *failure) {
  static const char path[] = "/dev/net/tun";
  out->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (out->fd < 0) return fail(failure, "open", path);
  unsigned features = 0;
  if (ioctl(out->fd, TUNGETFEATURES, &features) != 0) features = IFF_TUN | IFF_NO_PI;
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  if (options->offload && (features & IFF_VNET_HDR) != 0) {
    request.ifr_flags |= IFF_VNET_HDR;
    out->abilities |= ABLE_VNET_HEADER;
  }
  snprintf(request.ifr_name, IFNAMSIZ, "%s", options->name);
  bool claimed = claim(out->fd, &request, options->queue, options->queues);
  if (!claimed) return fail(failure, "TUNSETIFF", options->name);
  snprintf(out->name, IFNAMSIZ, "%s", request.ifr_name);
  if ((out->abilities & ABLE_VNET_HEADER) != 0) {
    int size = sizeof(struct virtio_net_hdr);
    if (ioctl(out->fd, TUNSETVNETHDRSZ, &size) != 0) {
      return fail(failure, "TUNSETVNETHDRSZ", out->name);
    }
  }
  if (!set_offload(out->fd, (out->abilities & ABLE_VNET_HEADER) != 0, &out->abilities)) {
    return fail(failure, "TUNSETOFFLOAD", out->name);
  }
  bool steers = options->queues > 1 && options->queue == 0;
  if (steers && steer(out->fd, (uint32_t)options->queues) == 0) out->abilities |= ABLE_STEERING;
  return true;
}

// Values that are right already are left alone, so that an unprivileged owner of a persistent
// interface, which an administrator has configured, can open it.
static bool set_value(int socket, const char *name, bool is_mtu, int value,
                      struct failure *failure) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
  int *field = is_mtu ? &request.ifr_mtu : &request.ifr_qlen;
  if (ioctl(socket, is_mtu ? SIOCGIFMTU : SIOCGIFTXQLEN, &request) == 0 && *field == value) {
    return true;
  }
  *field = value;
  if (ioctl(socket, is_mtu ? SIOCSIFMTU : SIOCSIFTXQLEN, &request) == 0) return true;
  return fail(failure, is_mtu ? "SIOCSIFMTU" : "SIOCSIFTXQLEN", name);
}

// Of an interface that was up already the kernel notices in the background that somebody has come to it,
// and drops what it is to send until then; on a busy machine that takes a while.
static void await_carrier(int socket, struct ifreq *request) {
  const struct timespec pause = {.tv_nsec = 1000000};
  for (int tries = 0; tries < 1500 && (request->ifr_flags & IFF_RUNNING) == 0; tries++) {
    nanosleep(&pause, NULL);
    if (ioctl(socket, SIOCGIFFLAGS, request) != 0) return;
  }
}

static bool set_up(int socket, const char *name, struct failure *failure) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
  if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return fail(failure, "SIOCGIFFLAGS", name);
  if ((request.ifr_flags & IFF_UP) != 0) {
    await_carrier(socket, &request);
    return true;
  }
  // Without a link-local address no router solicitation is sent; where IPv6 is off, no matter.
  netlink_disable_link_local(socket, (int)if_nametoindex(name));
  request.ifr_flags |= IFF_UP;
  return ioctl(socket, SIOCSIFFLAGS, &request) == 0 || fail(failure, "SIOCSIFFLAGS", name);
}

struct address {
  int family;
  int prefix;
  uint8_t bytes[16];
};

static bool parse_address(const char *text, struct address *out) {
  char host[INET6_ADDRSTRLEN];
  const char *slash = strchr(text, '/');
  if (slash == NULL || (size_t)(slash - text) >= sizeof host) return false;
  memcpy(host, text, (size_t)(slash - text));
  host[slash - text] = '\0';
  out->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
  char *end;
  long prefix = strtol(slash + 1, &end, 10);
  if (end == slash + 1 || *end != '\0') return false;
  if (prefix < 0 || prefix > (out->family == AF_INET6 ? 128 : 32)) return false;
  out->prefix = (int)prefix;
  return inet_pton(out->family, host, out->bytes) == 1;
}

static bool has_address(const char *name, const struct address *address) {
  struct ifaddrs *list;
  if (getifaddrs(&list) != 0) return false;
  bool found = false;
  for (struct ifaddrs *entry = list; entry != NULL && !found; entry = entry->ifa_next) {
    if (entry->ifa_addr == NULL || strcmp(entry->ifa_name, name) != 0) continue;
    if (entry->ifa_addr->sa_family != address->family) continue;
    const void *bytes = address->family == AF_INET6
        ? (const void *)&((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr
        : (const void *)&((struct sockaddr_in *)entry->ifa_addr)->sin_addr;
    found = memcmp(bytes, address->bytes, address->family == AF_INET6 ? 16 : 4) == 0;
  }
  freeifaddrs(list);
  return found;
}

static bool add_addresses(int socket, const struct interface_options *options,
                          struct interface *out, struct failure *failure) {
  int index = (int)if_nametoindex(out->name);
  for (size_t i = 0; i < options->address_count; i++) {
    const char *text = options->addresses[i];
    struct address address;
    if (!parse_address(text, &address)) {
      errno = EINVAL;
      return fail(failure, "inet_pton", text);
    }
    int error =
        netlink_add_address(socket, index, address.family, address.bytes, address.prefix);
    bool disabled = error == EACCES || error == EAFNOSUPPORT || error == EOPNOTSUPP;
    if (address.family == AF_INET6 && disabled) {
      out->skipped |= UINT64_C(1) << i;
    } else if (error != 0 && !(error == EPERM && has_address(out->name, &address))) {
      errno = error;
      return fail(failure, "RTM_NEWADDR", text);
    }
  }
  return true;
}

// The kernel readies IPv6 addresses in the background, within a millisecond where it need not look
// for duplicates. Before that, packets to them are lost and nobody can bind to them.
static void await_addresses(int socket, const struct interface_options *options,
                            const struct interface *interface) {
  const struct timespec pause = {.tv_nsec = 500000};
  for (size_t i = 0; i < options->address_count; i++) {
    struct address address;
    bool skipped = (interface->skipped >> i & 1) != 0;
    if (skipped || !parse_address(options->addresses[i], &address)) continue;
    for (int tries = 0; tries < 400; tries++) {
      if (netlink_is_local(socket, address.family, address.bytes)) break;
      nanosleep(&pause, NULL);
    }
  }
}

static bool configure(const struct interface_options *options, struct interface *out,
                      struct failure *failure) {
  out->watch = netlink_open(RTMGRP_LINK);
  int socket = out->watch < 0 ? -1 : netlink_open(0);
  if (socket < 0) return fail(failure, "socket", "NETLINK_ROUTE");
  bool done = set_value(socket, out->name, true, options->mtu, failure) &&
      set_value(socket, out->name, false, options->queue_length, failure) &&
      set_up(socket, out->name, failure) && add_addresses(socket, options, out, failure);
  if (done) await_addresses(socket, options, out);
  close(socket);
  return done;
}

struct opening {
  const struct interface_options *options;
  struct interface *out;
};

static bool open_here(void *context, struct failure *failure) {
  struct opening *opening = context;
  return open_tun(opening->options, opening->out, failure) &&
      configure(opening->options, opening->out, failure);
}

bool interface_open(const struct interface_options *options, struct interface *out,
                    struct failure *failure) {
  *out = (struct interface){.fd = -1, .watch = -1};
  struct opening opening = {.options = options, .out = out};
  if (work_in(options->netns, open_here, &opening, failure)) return true;
  if (out->fd >= 0) close(out->fd);
  if (out->watch >= 0) close(out->watch);
  return false;
}

int interface_status(int fd, int watch) {
  struct ifreq request = {0};
  // The interface may have been renamed: its own file descriptor knows its name.
  if (ioctl(fd, TUNGETIFF, &request) != 0) return EBADFD;
  if (ioctl(watch, SIOCGIFFLAGS, &request) != 0) return ENETDOWN;
  return (request.ifr_flags & IFF_UP) != 0 ? 0 : ENETDOWN;
}

// Routes are kept until we are back: whoever takes them may be bound to our thread.
struct route_store {
  struct route *routes;
  size_t count, room;
  bool full;
};

static void keep_route(const struct route *route, void *context) {
  struct route_store *store = context;
  if (store->count == store->room) {
    size_t room = store->room == 0 ? 64 : store->room * 2;
    struct route *grown = realloc(store->routes, room * sizeof *grown);
    if (grown == NULL) {
      store->full = true;
      return;
    }
    store->routes = grown;
    store->room = room;
  }
  store->routes[store->count++] = *route;
}

static bool read_routes_here(void *context, struct failure *failure) {
  struct route_store *store = context;
  int socket = netlink_open(0);
  errno = socket < 0 ? errno : netlink_routes(socket, keep_route, store);
  if (errno == 0 && store->full) errno = ENOMEM;
  bool done = errno == 0 || fail(failure, "RTM_GETROUTE", "routes");
  if (socket >= 0) close(socket);
  return done;
}

bool interface_routes(const char *netns, void (*each)(const struct route *, void *), void *context,
                      struct failure *failure) {
  struct route_store store = {0};
  bool done = work_in(netns, read_routes_here, &store, failure);
  for (size_t i = 0; done && i < store.count; i++) each(&store.routes[i], context);
  free(store.routes);
  return done;
}
