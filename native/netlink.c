// Requests to the kernel's routing tables (rtnetlink(7)); knows messages, not when they are needed.
#include "netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
  struct nlmsghdr header;
  union {
    struct ifinfomsg link;
    struct ifaddrmsg address;
    struct rtmsg route;
    char room[128];
  };
};

int netlink_open(uint32_t groups) {
  int type = SOCK_RAW | SOCK_CLOEXEC | (groups != 0 ? SOCK_NONBLOCK : 0);
  int socket_fd = socket(AF_NETLINK, type, NETLINK_ROUTE);
  if (socket_fd < 0) return -1;
  struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(socket_fd, (struct sockaddr *)&local, sizeof local) == 0) return socket_fd;
  int error = errno;
  close(socket_fd);
  errno = error;
  return -1;
}

static void begin(struct request *request, int type, int flags, size_t body) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_type = (uint16_t)type;
  request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
  request->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

// Appends an attribute and returns it; with no data it can be the start of a nest.
static struct rtattr *append(struct request *request, int type, const void *data, size_t size) {
  size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
  struct rtattr *attribute = (struct rtattr *)((char *)request + at);
  attribute->rta_type = (uint16_t)type;
  attribute->rta_len = (uint16_t)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(attribute), data, size);
  request->header.nlmsg_len = (uint32_t)(at + RTA_ALIGN(attribute->rta_len));
  return attribute;
}

static void end_nest(struct request *request, struct rtattr *nest) {
  char *end = (char *)request + request->header.nlmsg_len;
  nest->rta_len = (uint16_t)(end - (char *)nest);
}

static ssize_t receive(int socket_fd, void *buffer, size_t size) {
  ssize_t length;
  do length = recv(socket_fd, buffer, size, 0);
  while (length < 0 && errno == EINTR);
  return length;
}

static int submit(int socket_fd, struct request *request) {
  return send(socket_fd, request, request->header.nlmsg_len, 0) < 0 ? errno : 0;
}

static int transact(int socket_fd, struct request *request) {
  request->header.nlmsg_flags |= NLM_F_ACK;
  int error = submit(socket_fd, request);
  if (error != 0) return error;
  _Alignas(struct nlmsghdr) char reply[1024];
  ssize_t length = receive(socket_fd, reply, sizeof reply);
  if (length < 0) return errno;
  const struct nlmsghdr *header = (const struct nlmsghdr *)reply;
  if (!NLMSG_OK(header, (size_t)length) || header->nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
}

int netlink_add_address(int socket_fd, int index, int family, const void *address, int prefix) {
  struct request request;
  begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof request.address);
  request.address.ifa_family = (uint8_t)family;
  request.address.ifa_prefixlen = (uint8_t)prefix;
  request.address.ifa_index = (uint32_t)index;
  // There is nobody on a TUN who could have the same address: no need to wait and see.
  request.address.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
  size_t size = family == AF_INET6 ? 16 : 4;
  append(&request, IFA_LOCAL, address, size);
  append(&request, IFA_ADDRESS, address, size);
  return transact(socket_fd, &request);
}

int netlink_disable_link_local(int socket_fd, int index) {
  struct request request;
  uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
  begin(&request, RTM_NEWLINK, 0, sizeof request.link);
  request.link.ifi_index = index;
  struct rtattr *families = append(&request, IFLA_AF_SPEC | NLA_F_NESTED, NULL, 0);
  struct rtattr *ipv6 = append(&request, AF_INET6 | NLA_F_NESTED, NULL, 0);
  append(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
  end_nest(&request, ipv6);
  end_nest(&request, families);
  return transact(socket_fd, &request);
}

bool netlink_is_local(int socket_fd, int family, const void *address) {
  struct request request;
  begin(&request, RTM_GETROUTE, 0, sizeof request.route);
  request.route.rtm_family = (uint8_t)family;
  request.route.rtm_dst_len = family == AF_INET6 ? 128 : 32;
  append(&request, RTA_DST, address, family == AF_INET6 ? 16 : 4);
  if (submit(socket_fd, &request) != 0) return false;
  _Alignas(struct nlmsghdr) char reply[1024];
  ssize_t length = receive(socket_fd, reply, sizeof reply);
  const struct nlmsghdr *header = (const struct nlmsghdr *)reply;
  return length >= 0 && NLMSG_OK(header, (size_t)length) && header->nlmsg_type == RTM_NEWROUTE &&
      ((const struct rtmsg *)NLMSG_DATA(header))->rtm_type == RTN_LOCAL;
}

static bool parse_route(const struct nlmsghdr *header, struct route *route) {
  const struct rtmsg *message = NLMSG_DATA(header);
  if (message->rtm_family != AF_INET && message->rtm_family != AF_INET6) return false;
  *route = (struct route){.family = message->rtm_family,
                          .prefix = message->rtm_dst_len,
                          .type = message->rtm_type,
                          .table = message->rtm_table};
  int room = (int)RTM_PAYLOAD(header);
  for (const struct rtattr *attribute = RTM_RTA(message); RTA_OK(attribute, room);
       attribute = RTA_NEXT(attribute, room)) {
    size_t size = RTA_PAYLOAD(attribute);
    if (attribute->rta_type == RTA_DST && size <= sizeof route->destination) {
      memcpy(route->destination, RTA_DATA(attribute), size);
    } else if (attribute->rta_type == RTA_TABLE && size == sizeof route->table) {
      memcpy(&route->table, RTA_DATA(attribute), size);
    } else if (attribute->rta_type == RTA_OIF && size == sizeof(uint32_t)) {
      uint32_t index;
      memcpy(&index, RTA_DATA(attribute), sizeof index);
      if (if_indextoname(index, route->device) == NULL) route->device[0] = '\0';
    }
  }
  return true;
}

int netlink_routes(int socket_fd, void (*each)(const struct route *, void *), void *context) {
  struct request request;
  begin(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof request.route);
  int error = submit(socket_fd, &request);
  if (error != 0) return error;
  _Alignas(struct nlmsghdr) char reply[32768];
  for (;;) {
    ssize_t received = receive(socket_fd, reply, sizeof reply);
    if (received < 0) return errno;
    size_t length = (size_t)received;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *)reply; NLMSG_OK(header, length);
         header = NLMSG_NEXT(header, length)) {
      struct route route;
      if (header->nlmsg_type == NLMSG_DONE) return 0;
      if (header->nlmsg_type == NLMSG_ERROR) {
        return -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
      }
      if (header->nlmsg_type == RTM_NEWROUTE && parse_route(header, &route)) each(&route, context);
    }
  }
}
