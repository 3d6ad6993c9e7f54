// Moves packets between a TUN device and shared memory; knows libuv, must not know JavaScript.
#include "tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "interface.h"

// Longest time in one wake-up: enough to amortise the wait, short enough to be fair to the event loop.
#define WAKEUP_NS 500000
// Times that the program may have something to send after a batch before it waits for its turn.
#define SETTLE_ROUNDS 4
// After bulk data so many packets are worth so long a wait for the next one.
#define COMPANY 4
#define COMPANY_NS 10000
#define BULK_BYTES 32768
// About what a core's own cache holds until the program has read it (measured: sockets read a third
// slower with batches of 2 MiB, and with half of this).
#define BATCH_BYTES (768 << 10)
#define PARKED_PACKETS 256
#define PARKED_BYTES (4 << 20)
#define RETRY_MS 1
#define MIN_PACKET 20
#define TCP_CHECKSUM_OFFSET 16
#define TCP_FLAGS_OFFSET 13
#define TCP_MIN_HEADER 20
#define TCP_CWR 0x80
#define TCP_SEQUENCE_OFFSET 4
#define TCP_HEADER_LENGTH_OFFSET 12
#define IP_MAX 65535
#define IPPROTO_TCP_BYTE 6

struct parked {
  struct parked *next;
  size_t overhead, length;
  uint8_t bytes[];
};

struct packet {
  struct virtio_net_hdr vnet;
  struct iovec parts[4];
  int count;
  size_t overhead, length;  // bytes of the vnet header (0 without), bytes of the packet
};

static void set_status(struct tun *tun, int status);

// --- from the kernel ---

static uint32_t load32(const uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, sizeof word);
  return ntohl(word);
}

// Where the data of the packet that is expected next will be wanted; `header` is 0 when none is.
struct landing {
  uint32_t header, offset, room, seq;
};

static struct landing next_landing(const struct tun *tun) {
  const int32_t *control = tun->control;
  struct landing landing = {(uint32_t)control[LANDING_HEADER], (uint32_t)control[LANDING_OFFSET],
                            (uint32_t)control[LANDING_ROOM], (uint32_t)control[LANDING_SEQ]};
  bool within = landing.offset <= tun->memory_length &&
      landing.room <= tun->memory_length - landing.offset;
  uint32_t smallest = (control[LANDING_FAMILY] == 4 ? 20 : 40) + TCP_MIN_HEADER;
  bool sane = landing.header >= smallest && landing.header < tun->slot_bytes;
  if (!tun->vnet_header || !within || !sane || landing.room < IP_MAX) landing.header = 0;
  return landing;
}

// Whether a packet is the one that was expected: the next data of one connection, with a header of
// just this length. Anything in doubt is not.
static bool is_expected(const struct tun *tun, const struct landing *landing, const uint8_t *packet) {
  const int32_t *control = tun->control;
  bool ipv4 = control[LANDING_FAMILY] == 4;
  size_t ip = ipv4 ? 20 : 40;
  const uint8_t *tcp = packet + ip;
  if (ipv4 ? packet[0] != 0x45 || packet[9] != IPPROTO_TCP_BYTE
           : packet[0] >> 4 != 6 || packet[6] != IPPROTO_TCP_BYTE) {
    return false;
  }
  if (ipv4 && (load32(packet + 4) & 0x3fff) != 0) return false;  // a fragment
  if ((size_t)(tcp[TCP_HEADER_LENGTH_OFFSET] >> 4) * 4 != landing->header - ip) return false;
  // Addresses and ports stand side by side.
  return memcmp(packet + (ipv4 ? 12 : 8), &control[LANDING_KEY], ipv4 ? 12 : 36) == 0 &&
      load32(tcp + TCP_SEQUENCE_OFFSET) == landing->seq;
}

// The data of a packet were read to where they were expected. If it was another packet, they are
// brought behind its header.
static void settle_landing(struct tun *tun, struct landing *landing, uint8_t *packet, size_t length,
                           bool trusted, int32_t *descriptor) {
  uint32_t data = (uint32_t)length - landing->header;
  if (trusted && is_expected(tun, landing, packet)) {
    descriptor[RX_DATA] = (int32_t)landing->offset;
    landing->offset += data;
    landing->room -= data;
    landing->seq += data;
    if (landing->room < IP_MAX) landing->header = 0;
    tun->counters[RX_LANDED]++;
    return;
  }
  memcpy(packet + landing->header, tun->memory + landing->offset, data);
  tun->counters[RX_ASTRAY]++;
}

// Reads one packet into a slot; returns 1, 0 for a packet that was thrown away, or -1 at the end.
static int read_packet(struct tun *tun, uint32_t slot, struct landing *landing,
                       int32_t *descriptor) {
  struct virtio_net_hdr vnet = {0};
  uint8_t excess, *packet = tun->memory + slot;
  size_t overhead = tun->vnet_header ? sizeof vnet : 0;
  size_t header = landing->header;
  struct iovec parts[] = {{&vnet, overhead},
                          {packet, header != 0 ? header : tun->slot_bytes},
                          {tun->memory + landing->offset, header != 0 ? tun->slot_bytes - header : 0},
                          {&excess, sizeof excess}};
  ssize_t result;
  do result = readv(tun->fd, parts, 4);
  while (result < 0 && errno == EINTR);
  if (result < 0 && errno == EAGAIN) return -1;
  if (result < 0 && errno == EBADFD) {
    set_status(tun, EBADFD);
    return -1;
  }
  size_t length = result < (ssize_t)overhead ? 0 : (size_t)result - overhead;
  if (length < MIN_PACKET || length > tun->slot_bytes) {
    tun->counters[RX_DROPPED]++;
    return 0;
  }
  bool trusted =
      (vnet.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) != 0;
  int gso = vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
  bool super = gso == VIRTIO_NET_HDR_GSO_TCPV4 || gso == VIRTIO_NET_HDR_GSO_TCPV6;
  descriptor[RX_OFFSET] = (int32_t)slot;
  descriptor[RX_LENGTH] = (int32_t)length;
  descriptor[RX_FLAGS] = trusted ? RX_CHECKSUM_TRUSTED : 0;
  descriptor[RX_GSO_SIZE] = super ? vnet.gso_size : 0;
  descriptor[RX_DATA] = 0;
  if (header != 0 && length > header) {
    settle_landing(tun, landing, packet, length, trusted, descriptor);
  }
  tun->counters[RX_PACKETS]++;
  tun->counters[RX_BYTES] += (double)length;
  return 1;
}

// As many packets as wait, and fit, and are not too many bytes at once. After bulk data more of them are awaited for a moment: a few
// super-segments that share an ACK cost much less than each with its own.
static int read_batch(struct tun *tun) {
  struct landing landing = next_landing(tun);
  uint64_t last = 0;
  size_t count = 0, bytes = 0;
  while (count < tun->slot_count && bytes < BATCH_BYTES) {
    int32_t *descriptor = tun->rx + count * RX_STRIDE;
    int result = read_packet(tun, tun->slots[count], &landing, descriptor);
    if (tun->closing) return 0;
    bool awaited = count > 0 && count < COMPANY && tun->spin_ns > 0;
    if (result < 0 && !(awaited && uv_hrtime() - last < COMPANY_NS)) break;
    if (result <= 0) continue;
    bytes += (size_t)descriptor[RX_LENGTH];
    last = descriptor[RX_LENGTH] >= BULK_BYTES && descriptor[RX_DATA] != 0 ? uv_hrtime() : 0;
    count++;
  }
  return (int)count;
}

// Hands a batch over, and then lets go out what the program has made of it.
static void deliver(struct tun *tun, int count) {
  int32_t *control = tun->control;
  control[CONTROL_WORK] = 0;
  control[CONTROL_SETTLING] = 1;
  tun->on_receive(tun, count);
  for (int round = 1; !tun->closing && control[CONTROL_WORK] != 0; round++) {
    control[CONTROL_WORK] = 0;
    // In the last round the program makes its own arrangements.
    if (round == SETTLE_ROUNDS) control[CONTROL_SETTLING] = 0;
    tun->on_settled(tun);
  }
  if (!tun->closing) control[CONTROL_SETTLING] = 0;
}

// Spinning pays when packets usually follow each other sooner than a sleeping thread wakes up. A long
// pause counts as a short one, so that one of them does not end it for long.
static void note_gap(struct tun *tun, uint64_t gap) {
  uint64_t longest = 4 * tun->spin_ns;
  if (gap > longest) gap = longest;
  tun->usual_gap_ns = (3 * tun->usual_gap_ns + gap) / 4;
}

// Not while the program has other things to do at once (then libuv would not wait either).
static bool may_spin(const struct tun *tun) {
  return tun->usual_gap_ns < 2 * tun->spin_ns && uv_backend_timeout(tun->poll.loop) != 0;
}

static void receive(struct tun *tun) {
  uint64_t start = uv_hrtime(), now = start, idle_since = tun->idle_since_ns;
  tun->counters[RX_WAKEUPS]++;
  while (now - start < WAKEUP_NS) {
    int count = read_batch(tun);
    if (tun->closing) return;
    if (count > 0) {
      note_gap(tun, now - idle_since);
      deliver(tun, count);
      if (tun->closing) return;
      idle_since = uv_hrtime();
    } else if (now - idle_since >= tun->spin_ns || !may_spin(tun)) {
      break;
    }
    now = uv_hrtime();
  }
  tun->idle_since_ns = idle_since;
}

// --- to the kernel ---

static bool add_part(const struct tun *tun, struct packet *packet, int32_t offset, int32_t length) {
  if (length == 0) return true;
  size_t from = (uint32_t)offset, size = (uint32_t)length;
  if (from > tun->memory_length || size > tun->memory_length - from) return false;
  packet->parts[packet->count++] = (struct iovec){tun->memory + from, size};
  packet->length += size;
  return true;
}

static bool describe_offload(const struct tun *tun, const int32_t *descriptor,
                             struct packet *packet) {
  uint32_t start = (uint32_t)descriptor[TX_CHECKSUM_START];
  uint32_t gso_size = (uint32_t)descriptor[TX_GSO_SIZE];
  size_t header_length = packet->parts[1].iov_len;
  if (start == 0) return gso_size == 0;
  if (!tun->vnet_header || start > header_length || header_length - start < TCP_MIN_HEADER) {
    return false;
  }
  packet->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  packet->vnet.csum_start = (uint16_t)start;
  packet->vnet.csum_offset = TCP_CHECKSUM_OFFSET;
  if (gso_size == 0) return true;
  if (gso_size > UINT16_MAX) return false;
  const uint8_t *header = packet->parts[1].iov_base;
  packet->vnet.gso_type =
      header[0] >> 4 == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
  // Congestion window reduced: of the segments only the first may say so (RFC 3168 §6.1.2).
  if ((header[start + TCP_FLAGS_OFFSET] & TCP_CWR) != 0) {
    packet->vnet.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
  }
  packet->vnet.gso_size = (uint16_t)gso_size;
  packet->vnet.hdr_len = (uint16_t)header_length;
  return true;
}

// A descriptor comes from JavaScript: nothing in it is believed.
static bool describe(const struct tun *tun, const int32_t *descriptor, struct packet *packet) {
  memset(&packet->vnet, 0, sizeof packet->vnet);
  packet->overhead = tun->vnet_header ? sizeof packet->vnet : 0;
  packet->parts[0] = (struct iovec){&packet->vnet, packet->overhead};
  packet->count = 1;
  packet->length = 0;
  return descriptor[TX_HEADER_LENGTH] != 0 &&
      add_part(tun, packet, descriptor[TX_HEADER_OFFSET], descriptor[TX_HEADER_LENGTH]) &&
      add_part(tun, packet, descriptor[TX_PIECE1_OFFSET], descriptor[TX_PIECE1_LENGTH]) &&
      add_part(tun, packet, descriptor[TX_PIECE2_OFFSET], descriptor[TX_PIECE2_LENGTH]) &&
      describe_offload(tun, descriptor, packet);
}

// 0 or an errno; TUN devices take a packet whole or not at all.
static int write_parts(int fd, const struct iovec *parts, int count) {
  ssize_t length;
  do length = writev(fd, parts, count);
  while (length < 0 && errno == EINTR);
  return length < 0 ? errno : 0;
}

static bool is_transient(int error) {
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

static void count_sent(struct tun *tun, int error, size_t length) {
  if (error != 0) {
    tun->counters[TX_DROPPED]++;
    return;
  }
  tun->counters[TX_PACKETS]++;
  tun->counters[TX_BYTES] += (double)length;
}

// --- packets that wait ---

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_retry(uv_timer_t *timer);

// A full queue announces itself as writable again; for want of memory only time can tell.
static void wait_for_room(struct tun *tun, int error) {
  uv_poll_start(&tun->poll, error == EAGAIN ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
  if (error != EAGAIN) uv_timer_start(&tun->retry, on_retry, RETRY_MS, 0);
}

static void park(struct tun *tun, const struct packet *packet) {
  size_t size = packet->overhead + packet->length;
  bool room = tun->parked_count < PARKED_PACKETS && size <= PARKED_BYTES - tun->parked_bytes;
  struct parked *parked = room ? malloc(sizeof *parked + size) : NULL;
  if (parked == NULL) {
    tun->counters[TX_DROPPED]++;
    return;
  }
  parked->next = NULL;
  parked->overhead = packet->overhead;
  parked->length = packet->length;
  size_t at = 0;
  for (int i = 0; i < packet->count; i++) {
    memcpy(parked->bytes + at, packet->parts[i].iov_base, packet->parts[i].iov_len);
    at += packet->parts[i].iov_len;
  }
  if (tun->parked_head == NULL) tun->parked_head = parked;
  else tun->parked_tail->next = parked;
  tun->parked_tail = parked;
  tun->parked_count++;
  tun->parked_bytes += size;
}

static void unpark(struct tun *tun) {
  struct parked *parked = tun->parked_head;
  tun->parked_head = parked->next;
  tun->parked_count--;
  tun->parked_bytes -= parked->overhead + parked->length;
  free(parked);
}

static void forget_parked(struct tun *tun) {
  while (tun->parked_head != NULL) {
    tun->counters[TX_DROPPED]++;
    unpark(tun);
  }
}

static void drain(struct tun *tun) {
  while (tun->parked_head != NULL) {
    struct parked *parked = tun->parked_head;
    struct iovec part = {parked->bytes, parked->overhead + parked->length};
    int error = write_parts(tun->fd, &part, 1);
    if (is_transient(error)) {
      wait_for_room(tun, error);
      return;
    }
    count_sent(tun, error, parked->length);
    unpark(tun);
  }
  uv_poll_start(&tun->poll, UV_READABLE, on_poll);
}

void tun_transmit(struct tun *tun, size_t count) {
  if (count > tun->tx_count) count = tun->tx_count;
  for (size_t i = 0; i < count; i++) {
    struct packet packet;
    if (!describe(tun, tun->tx + i * TX_STRIDE, &packet)) {
      tun->counters[TX_DROPPED]++;
      continue;
    }
    bool waiting = tun->parked_head != NULL;
    int error = waiting ? EAGAIN : write_parts(tun->fd, packet.parts, packet.count);
    if (!is_transient(error)) {
      count_sent(tun, error, packet.length);
      continue;
    }
    park(tun, &packet);
    if (!waiting) wait_for_room(tun, error);
  }
}

// --- events ---

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct tun *tun = poll->data;
  // POLLERR: the interface is no more (the tun driver raises it for nothing else).
  if (status < 0) {
    set_status(tun, EBADFD);
    return;
  }
  if ((events & UV_WRITABLE) != 0) drain(tun);
  if ((events & UV_READABLE) != 0) receive(tun);
}

void tun_receive(struct tun *tun, int timeout_ms) {
  if (tun->slots == NULL) return; // not attached
  struct pollfd ready = {.fd = tun->fd, .events = POLLIN};
  if (poll(&ready, 1, timeout_ms) > 0 && (ready.revents & POLLIN) != 0) receive(tun);
}

static void on_retry(uv_timer_t *timer) {
  drain(timer->data);
}

// What the messages say does not matter, nor whether some were lost: the kernel is asked.
static void on_link_change(uv_poll_t *poll, int status, int events) {
  struct tun *tun = poll->data;
  char message[4096];
  (void)status;
  (void)events;
  while (read(tun->watch, message, sizeof message) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
  set_status(tun, interface_status(tun->fd, tun->watch));
}

static void set_status(struct tun *tun, int status) {
  if (status == tun->status || tun->status == EBADFD) return;
  tun->status = status;
  if (status != 0) {
    forget_parked(tun);
    uv_timer_stop(&tun->retry);
  }
  if (status == EBADFD) {
    uv_poll_stop(&tun->poll);
    if (tun->watch >= 0) uv_poll_stop(&tun->watch_poll);
  }
  tun->on_status(tun, status);
}

static void on_handle_closed(uv_handle_t *handle) {
  struct tun *tun = handle->data;
  if (--tun->handles == 0) tun->on_closed(tun);
}

static void adopt(struct tun *tun, uv_handle_t *handle) {
  handle->data = tun;
  uv_unref(handle);
  tun->handles++;
}

int tun_attach(struct tun *tun, uv_loop_t *loop) {
  int error = uv_poll_init(loop, &tun->poll, tun->fd);
  if (error != 0) return -error;
  adopt(tun, (uv_handle_t *)&tun->poll);
  uv_timer_init(loop, &tun->retry);
  adopt(tun, (uv_handle_t *)&tun->retry);
  uv_poll_start(&tun->poll, UV_READABLE, on_poll);
  if (tun->watch < 0) return 0;
  error = uv_poll_init(loop, &tun->watch_poll, tun->watch);
  if (error != 0) return -error;
  adopt(tun, (uv_handle_t *)&tun->watch_poll);
  uv_poll_start(&tun->watch_poll, UV_READABLE, on_link_change);
  return 0;
}

void tun_ref(struct tun *tun, bool referenced) {
  if (tun->handles == 0) return;
  if (referenced) uv_ref((uv_handle_t *)&tun->poll);
  else uv_unref((uv_handle_t *)&tun->poll);
}

void tun_close(struct tun *tun) {
  if (tun->closing) return;
  tun->closing = true;
  forget_parked(tun);
  if (tun->handles > 0) {
    if (tun->handles > 2) uv_close((uv_handle_t *)&tun->watch_poll, on_handle_closed);
    uv_close((uv_handle_t *)&tun->retry, on_handle_closed);
    uv_close((uv_handle_t *)&tun->poll, on_handle_closed);
  }
  close(tun->fd);
  if (tun->watch >= 0) close(tun->watch);
}
