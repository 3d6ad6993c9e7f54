// lwIP as a contender: its raw API on a TUN device that exists already. Echo on 7, discard on 9, chargen
// on 19. Says "ready" and ends with its input. Knows lwIP and a TUN; must not know what is measured.
//
//   lwip DEVICE ADDRESS NETMASK
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#define MTU 1500
#define TEXT (64 * 1024)
// Packets that are taken at once before timers and input are looked at again.
#define BATCH 64

static int device;
static char text[TEXT];
static struct netif netif;

static void fail(const char *what) {
  fprintf(stderr, "lwip: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void open_device(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (device < 0) fail("/dev/net/tun");
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (ioctl(device, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
}

static err_t output(struct netif *interface, struct pbuf *packet, const ip4_addr_t *next) {
  (void)interface;
  (void)next;
  char copy[MTU];
  const void *bytes = packet->payload;
  if (packet->next != NULL) {
    pbuf_copy_partial(packet, copy, sizeof copy, 0);
    bytes = copy;
  }
  return write(device, bytes, packet->tot_len) < 0 ? ERR_WOULDBLOCK : ERR_OK;
}

static err_t set_up(struct netif *interface) {
  interface->name[0] = 'l';
  interface->name[1] = 'w';
  interface->mtu = MTU;
  interface->output = output;
  return ERR_OK;
}

// Whether there was a packet.
static int take_packet(void) {
  char bytes[MTU];
  ssize_t length = read(device, bytes, sizeof bytes);
  if (length <= 0) return 0;
  struct pbuf *packet = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_RAM);
  if (packet == NULL) return 1;
  pbuf_take(packet, bytes, (u16_t)length);
  if (netif.input(packet, &netif) != ERR_OK) pbuf_free(packet);
  return 1;
}

static err_t end(struct tcp_pcb *pcb) {
  tcp_recv(pcb, NULL);
  tcp_sent(pcb, NULL);
  return tcp_close(pcb);
}

static err_t echo(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)context;
  if (data == NULL || error != ERR_OK) return end(pcb);
  for (struct pbuf *piece = data; piece != NULL; piece = piece->next)
    if (tcp_write(pcb, piece->payload, piece->len, TCP_WRITE_FLAG_COPY) != ERR_OK) return ERR_MEM;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return tcp_output(pcb);
}

static err_t discard(void *context, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)context;
  if (data == NULL || error != ERR_OK) return end(pcb);
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

// The text does not change, so it need not be copied.
static err_t pour(void *context, struct tcp_pcb *pcb, u16_t acknowledged) {
  (void)context;
  (void)acknowledged;
  for (;;) {
    u16_t room = LWIP_MIN(tcp_sndbuf(pcb), TEXT - 1);
    if (room < TCP_MSS || tcp_write(pcb, text, room, 0) != ERR_OK) break;
  }
  return tcp_output(pcb);
}

static err_t accept_echo(void *context, struct tcp_pcb *pcb, err_t error) {
  (void)context;
  if (error != ERR_OK) return error;
  tcp_nagle_disable(pcb);
  tcp_recv(pcb, echo);
  return ERR_OK;
}

static err_t accept_discard(void *context, struct tcp_pcb *pcb, err_t error) {
  (void)context;
  if (error != ERR_OK) return error;
  tcp_recv(pcb, discard);
  return ERR_OK;
}

static err_t accept_chargen(void *context, struct tcp_pcb *pcb, err_t error) {
  if (error != ERR_OK) return error;
  tcp_recv(pcb, discard);
  tcp_sent(pcb, pour);
  return pour(context, pcb, 0);
}

static void serve(u16_t port, tcp_accept_fn accepted) {
  struct tcp_pcb *pcb = tcp_new();
  if (tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK) fail("tcp_bind");
  tcp_accept(tcp_listen_with_backlog(pcb, 255), accepted);
}

static int timeout(void) {
  u32_t ms = sys_timeouts_sleeptime();
  return ms > 1000 ? 1000 : (int)ms;
}

int main(int argc, char **argv) {
  ip4_addr_t address, mask, none = {0};
  if (argc != 4 || !ip4addr_aton(argv[2], &address) || !ip4addr_aton(argv[3], &mask)) {
    fprintf(stderr, "usage: lwip DEVICE ADDRESS NETMASK\n");
    return 2;
  }
  memset(text, 'l', sizeof text);
  open_device(argv[1]);
  // Without tcpip_init there is no other thread, and no lock to take.
  lwip_init();
  netif_add(&netif, &address, &mask, &none, NULL, set_up, ip_input);
  netif_set_default(&netif);
  netif_set_up(&netif);
  netif_set_link_up(&netif);
  serve(7, accept_echo);
  serve(9, accept_discard);
  serve(19, accept_chargen);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd ready[] = {{.fd = device, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    poll(ready, 2, timeout());
    if (ready[1].revents != 0) return 0;
    for (int i = 0; i < BATCH && take_packet(); i++) {
    }
    sys_check_timeouts();
  }
}
