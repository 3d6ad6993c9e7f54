// Which queue of a TUN device the kernel gives a packet to; knows BPF, must not know what queues are for.
#include "steering.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MULTIPLIER ((int32_t)0x9e3779b1u)
#define TCP 6
#define IPV4_PROTOCOL 9
#define IPV4_FRAGMENT 6
#define IPV6_NEXT_HEADER 6
#define IPV6_HEADER 40

#define INSN(c, d, s, o, i) {.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}
// These leave what they loaded in R0, and end the program with 0 beyond the end of the packet.
#define LOAD_BYTE(at) INSN(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, at)
#define LOAD_SHORT(at) INSN(BPF_LD | BPF_ABS | BPF_H, 0, 0, 0, at)
#define LOAD_SHORT_BEHIND(reg, at) INSN(BPF_LD | BPF_IND | BPF_H, 0, reg, 0, at)
#define MOVE(to, from) INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define ADD(to, from) INSN(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0, 0)
#define SET(to, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value)
#define DO(op, reg, value) INSN(BPF_ALU | (op) | BPF_K, reg, 0, 0, value)
#define UNLESS_EQUAL(reg, value, skip) INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, skip, value)
#define IF_EQUAL(reg, value, skip) INSN(BPF_JMP | BPF_JEQ | BPF_K, reg, 0, skip, value)
#define IF_SET(reg, bits, skip) INSN(BPF_JMP | BPF_JSET | BPF_K, reg, 0, skip, bits)
#define SKIP(count) INSN(BPF_JMP | BPF_JA, 0, 0, count, 0)
#define END INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load(uint32_t count) {
  const struct bpf_insn program[] = {
      MOVE(6, 1),                    // the loads want the packet in R6
      LOAD_BYTE(0),
      MOVE(7, 0),
      MOVE(8, 0),
      DO(BPF_RSH, 8, 4),
      IF_EQUAL(8, 6, 8),             // to IPv6
      UNLESS_EQUAL(8, 4, 18),        // to the end
      LOAD_BYTE(IPV4_PROTOCOL),
      UNLESS_EQUAL(0, TCP, 16),
      LOAD_SHORT(IPV4_FRAGMENT),
      IF_SET(0, 0x3fff, 14),
      DO(BPF_AND, 7, 15),
      DO(BPF_LSH, 7, 2),
      SKIP(3),                       // to the ports
      LOAD_BYTE(IPV6_NEXT_HEADER),
      UNLESS_EQUAL(0, TCP, 9),
      SET(7, IPV6_HEADER),
      LOAD_SHORT_BEHIND(7, 0),
      MOVE(8, 0),
      LOAD_SHORT_BEHIND(7, 2),
      ADD(0, 8),
      DO(BPF_MUL, 0, MULTIPLIER),
      DO(BPF_RSH, 0, 16),
      DO(BPF_MOD, 0, (int32_t)count),
      END,
      SET(0, 0),
      END,
  };
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = (uint64_t)(uintptr_t)program;
  attributes.insn_cnt = sizeof program / sizeof *program;
  attributes.license = (uint64_t)(uintptr_t)"MIT";
  return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

int steer(int fd, uint32_t count) {
  int program = load(count);
  if (program < 0) return errno;
  int error = ioctl(fd, TUNSETSTEERINGEBPF, &program) == 0 ? 0 : errno;
  close(program);
  return error;
}
