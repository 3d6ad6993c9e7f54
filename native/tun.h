// Moves packets between a TUN device and shared memory; knows libuv, must not know JavaScript.
#ifndef FINWAIT_TUN_H
#define FINWAIT_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

// The layout of descriptors is declared in src/storage/descriptors.ts, that of counters in src/device/native.ts.
enum { RX_OFFSET, RX_LENGTH, RX_FLAGS, RX_GSO_SIZE, RX_DATA, RX_STRIDE };
enum {
  TX_HEADER_OFFSET, TX_HEADER_LENGTH, TX_PIECE1_OFFSET, TX_PIECE1_LENGTH, TX_PIECE2_OFFSET,
  TX_PIECE2_LENGTH, TX_GSO_SIZE, TX_CHECKSUM_START, TX_STRIDE,
};
enum {
  CONTROL_SETTLING, CONTROL_WORK, LANDING_HEADER, LANDING_OFFSET, LANDING_ROOM, LANDING_SEQ,
  LANDING_FAMILY, LANDING_KEY, CONTROL_WORDS = LANDING_KEY + 9,
};
enum {
  RX_PACKETS, RX_BYTES, TX_PACKETS, TX_BYTES, TX_DROPPED, RX_DROPPED, RX_LANDED, RX_ASTRAY,
  RX_WAKEUPS, COUNTERS,
};
#define RX_CHECKSUM_TRUSTED 1

struct parked;

struct tun {
  int fd;
  int watch;  // netlink socket that tells of changes; -1 for a foreign file descriptor
  bool vnet_header;

  uint8_t *memory;
  size_t memory_length;
  uint32_t *slots;
  size_t slot_count, slot_bytes;
  int32_t *rx;
  const int32_t *tx;
  size_t tx_count;
  double *counters;
  int32_t *control;
  uint64_t spin_ns;        // at most so long the device is asked again before the thread sleeps
  uint64_t usual_gap_ns;   // moving average: from the end of one batch to the next packet
  uint64_t idle_since_ns;  // when the last batch was dealt with

  void (*on_receive)(struct tun *, int count);
  void (*on_settled)(struct tun *);            // what a batch made the program do is done
  void (*on_status)(struct tun *, int error);  // 0, ENETDOWN, or EBADFD when it is gone for good
  void (*on_closed)(struct tun *);             // libuv has forgotten it; the struct may be freed

  uv_poll_t poll, watch_poll;
  uv_timer_t retry;
  struct parked *parked_head, *parked_tail;  // packets that the kernel could not take yet, in order
  size_t parked_count, parked_bytes;
  int status;
  int handles;
  bool closing;
};

// Starts reading, unreferenced; returns 0 or an errno. Memory and callbacks must be set.
int tun_attach(struct tun *tun, uv_loop_t *loop);
void tun_transmit(struct tun *tun, size_t count);
// Waits for packets without the event loop, which has ended or cannot go on, and delivers those that come.
void tun_receive(struct tun *tun, int timeout_ms);
void tun_ref(struct tun *tun, bool referenced);
// Idempotent. No on_receive or on_status follows; on_closed does, later, if it was attached.
void tun_close(struct tun *tun);

#endif
