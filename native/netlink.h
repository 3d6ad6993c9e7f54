// Requests to the kernel's routing tables (rtnetlink(7)); knows messages, not when they are needed.
#ifndef FINWAIT_NETLINK_H
#define FINWAIT_NETLINK_H

#include "interface.h"

// A request socket (groups 0) or a socket that hears multicast groups; -1 and errno on failure.
int netlink_open(uint32_t groups);

// These return 0 or an errno.
int netlink_add_address(int socket, int index, int family, const void *address, int prefix);
int netlink_disable_link_local(int socket, int index);
int netlink_routes(int socket, void (*each)(const struct route *, void *), void *context);

// Whether packets to the address are for this machine, as they are once it is ready for use.
bool netlink_is_local(int socket, int family, const void *address);

#endif
