# Prepares what Node.js can't: system calls that fail, sockets that are full. Then becomes a command.
#   launch.py no-tso|no-vnet-header|full-socket|full-interface COMMAND...
import ctypes, fcntl, os, platform, socket, struct, sys

TUNGETFEATURES, TUNSETIFF, TUNSETOFFLOAD = 0x800454CF, 0x400454CA, 0x400454D0
TSO = 0x02 | 0x04


def deny_ioctl(request, argument_bits):
    """Makes ioctl(_, request, argument) fail with EINVAL when any of the bits is set (0: always)."""
    ioctl = {"x86_64": 16, "aarch64": 29}[platform.machine()]
    load, equal, has, ret = 0x20, 0x15, 0x45, 0x06
    allow, einval = 0x7FFF0000, 0x00050000 | 22
    program = [
        (load, 0, 0, 0), (equal, 0, 5, ioctl),
        (load, 0, 0, 24), (equal, 0, 3, request),
        (load, 0, 0, 32), (has, 0, 1, argument_bits) if argument_bits else (equal, 0, 0, 0),
        (ret, 0, 0, einval), (ret, 0, 0, allow),
    ]
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    head = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    assert libc.prctl(38, ctypes.c_ulong(1), zero, zero, zero) == 0
    assert libc.prctl(22, ctypes.c_ulong(2), head, zero, zero) == 0


def pass_on(sender, reader):
    """The child writes to descriptor 3 and reads what came out of it from 4."""
    copies = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (sender, reader)]
    for fd, copy in zip((3, 4), copies):
        os.dup2(copy, fd, inheritable=True)
    os.set_blocking(4, False)


def full_socket():
    """Datagrams that nobody has read fill the sender's small buffer: EAGAIN."""
    sender, reader = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    pass_on(sender.detach(), reader.detach())


def full_interface():
    """An interface with room for two packets, past its queue discipline: ENOBUFS."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"full0", 0x1001))
    assert os.system("ip link set full0 txqueuelen 2 up addrgenmode none") == 0
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    sender.setsockopt(263, 20, 1)
    sender.bind(("full0", 0x0800))
    pass_on(sender.detach(), tun)


mode, command = sys.argv[1], sys.argv[2:]
if mode == "no-tso":
    deny_ioctl(TUNSETOFFLOAD, TSO)
elif mode == "no-vnet-header":
    deny_ioctl(TUNGETFEATURES, 0)
elif mode == "full-socket":
    full_socket()
elif mode == "full-interface":
    full_interface()
os.execvp(command[0], command)
