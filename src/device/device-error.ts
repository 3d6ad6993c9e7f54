// Says what failed at a device, why, and what mends it; must not open anything.

interface Details {
  code: string;
  syscall: string;
  cause?: unknown;
}

/** A device could not be opened or has failed. The message says what, why and one way to mend it. */
export class DeviceError extends Error {
  /** `DeviceError` */
  override readonly name = 'DeviceError';
  /** As in errno(3), for example `EPERM`. */
  readonly code: string;
  /** The system call or request that failed, for example `TUNSETIFF`. */
  readonly syscall: string;
  /** One way to mend it, in a sentence; empty when none is known. */
  readonly hint: string;

  constructor(what: string, hint: string, { code, syscall, cause }: Details) {
    super(hint === '' ? what : `${what}; ${hint}`, { cause });
    this.code = code;
    this.syscall = syscall;
    this.hint = hint;
  }
}

/** What the addon throws. */
export interface SystemError extends Error {
  code: string;
  syscall: string;
  /** What the system call was about: a path, an interface, an address. */
  subject: string;
}

type Explanation = [why: string, hint: string];

const MISSING_DRIVER: Explanation = [
  '/dev/net/tun is missing, so this kernel or container offers no TUN devices',
  'load the driver with `sudo modprobe tun`, or start the container with `--device /dev/net/tun`',
];

/** Nobody gets an interface, made by root or not, who may not open the device. */
const CLOSED_DRIVER: Explanation = [
  'no permission to open /dev/net/tun',
  'run as root, or once: `sudo chmod 0666 /dev/net/tun`',
];

function denied(name: string, action: string): Explanation {
  const own = name.replace('%d', '0');
  const then = own === name ? ' and set it up' : ', set it up and open it by that name';
  return [
    `no permission to ${action}`,
    'run as root or within `npx finwait shell`, or let root make the interface for you once: ' +
      `\`sudo ip tuntap add ${own} mode tun user $USER\`, then give it its addresses${then}`,
  ];
}

function explainOpen(error: SystemError): Explanation | null {
  const { code, subject } = error;
  if (subject === '/dev/net/tun') {
    if (/^(ENOENT|ENODEV|ENXIO|ENOTDIR)$/.test(code)) return MISSING_DRIVER;
    if (/^(EACCES|EPERM)$/.test(code)) return CLOSED_DRIVER;
  }
  if (code === 'ENOENT') {
    return [`there is no network namespace ${subject}`, '`ip netns list` shows those with a name'];
  }
  return null;
}

function explainName(error: SystemError, name: string, queues: number): Explanation | null {
  switch (error.code) {
    case 'EPERM':
      return denied(name, 'create a network interface (CAP_NET_ADMIN)');
    case 'EBUSY':
      return [
        'another program is using an interface of that name',
        'end that program or choose another name',
      ];
    case 'EINVAL':
      if (queues > 1) {
        return [
          'an interface of that name exists and is no TUN device with several queues',
          `choose another name, or make it with \`ip tuntap add ${name} mode tun multi_queue\``,
        ];
      }
      return ['an interface of that name exists and is no TUN device', 'choose another name'];
    default:
      return null;
  }
}

function explain(error: SystemError, name: string, queues: number): Explanation | null {
  const { code, syscall, subject } = error;
  if (syscall === 'open') return explainOpen(error);
  if (syscall === 'TUNSETIFF') return explainName(error, name, queues);
  if (syscall === 'setns') {
    return code === 'EINVAL'
      ? [`${subject} is not a network namespace`, 'give a path such as /run/netns/NAME']
      : [`no permission to enter the network namespace ${subject}`, 'run as root (CAP_SYS_ADMIN)'];
  }
  if (code === 'EPERM' || code === 'EACCES') {
    return denied(name, `configure it (${syscall} ${subject}, CAP_NET_ADMIN)`);
  }
  if (syscall === 'RTM_NEWADDR') {
    return [`the kernel refused the address ${subject} (${code})`, 'choose another address'];
  }
  return null;
}

/** Turns what the addon threw while it opened `name`, one of `queues`, into an explanation. */
export function explainSystemError(error: SystemError, name: string, queues: number): DeviceError {
  const [why, hint] = explain(error, name, queues) ?? [error.message, ''];
  return new DeviceError(`Cannot open the TUN device ${name}: ${why}`, hint, {
    code: error.code,
    syscall: error.syscall,
    cause: error,
  });
}
