// Which queue of a TUN device the kernel gives a packet to; knows BPF, must not know what queues are for.
#ifndef FINWAIT_STEERING_H
#define FINWAIT_STEERING_H

#include <stdint.h>

// Gives the packets of a TCP flow to one of `count` queues, by both ports, as src/device/steering.ts
// does; all other packets to the first queue. Returns 0, or an errno where the kernel does not allow it.
int steer(int fd, uint32_t count);

#endif
