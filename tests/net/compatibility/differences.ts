// Every known difference between stack.net and node:net, with its reason. Data only: what is named here
// must be a difference, and every difference must be named here.

export interface Difference {
  /** A few words, for headings. */
  readonly title: string;
  /** A sentence or two, in Markdown. */
  readonly why: string;
  /** `section: name` of the rows that it explains. */
  readonly rows: readonly string[];
}

const members = (section: string, names: string) =>
  names.split(' ').map((name) => `${section}: ${name}`);

export const DIFFERENCES: readonly Difference[] = [
  {
    title: 'More than node:net',
    why: `What sockets of the kernel never tell. \`tcpState\`, \`tcpInfo()\` and the event 'tcpstate' (to, from) show the connection as RFC 9293 has it, also after 'close', while TCP goes on. \`closeReason\` says how it ended, \`error.tcp\` in which state, by which segment, and what to look at next. \`setLinger\`, \`setMsl\`, \`setCongestionControl\` and the options \`linger\` and \`tcp\` are for one connection, or for all of a server. Node takes options that it does not know in silence.`,
    rows: [
      ...members(
        'Members of Socket',
        'closeReason setCongestionControl setLinger setMsl tcpInfo tcpState',
      ),
      'Fields of a new Server: linger',
      'Options of new Socket: linger',
      ...members('Options of createServer', 'linger tcp'),
      'Options of connect: tcp',
      'Events that differ: tcpState, tcpInfo and tcpstate',
      'Events that differ: error.tcp of a refused connection',
      'Events that differ: error.tcp of a reset connection',
      'Events that differ: error.tcp of a port that is taken',
      'Events that differ: the option tcp: congestion control and MSL of one connection',
    ],
  },
  {
    title: 'No handle of the kernel',
    why: 'Behind a socket of Node stands a handle of libuv (`_handle`), and these private members are about it: none of them is documented. Behind ours stands a connection of the stack. So our sockets cannot be sent to other processes, and the cluster module cannot share our servers. A program that needs handles runs over the stack by `finwait run`, where the sockets are Node’s own.',
    rows: [
      ...members('Exports', '_createServerHandle _setSimultaneousAccepts'),
      ...members(
        'Members of Socket',
        '_bytesDispatched _getpeername _getsockname _handle _unrefTimer _writeGeneric _reset _onTimeout',
      ),
      'Fields of a new Socket: _sockname',
      ...members('Members of Server', '_listen2 _setupWorker'),
      ...members('Fields of a new Server', '_handle _usingWorkers _workers'),
    ],
  },
  {
    title: 'Private members of Node',
    why: 'Notes that Node’s own code keeps in fields with an underscore; ours are in private fields. `_connecting` and `_connections` have public names: `connecting` and `getConnections()`.',
    rows: [
      'Exports: _normalizeArgs',
      'Members of Socket: _connecting',
      ...members(
        'Fields of a new Socket',
        '_closeAfterHandlingError _hadError _host _parent _pendingData _pendingEncoding _server',
      ),
      'Members of Server: _emitCloseIfDrained',
      ...members('Fields of a new Server', '_connections _listeningId _unref'),
    ],
  },
  {
    title: 'Private members of ours',
    why: 'Methods by which the classes that a socket is made of speak with each other. Not for programs: they may change.',
    rows: members('Members of Socket', '_forgetPeer _isAttached _latest _reason _transport'),
  },
  {
    title: 'No pipes and no descriptors',
    why: 'Unix sockets, Windows pipes and open descriptors are not TCP and belong to the kernel. They are refused with ERR_INVALID_ARG_VALUE, rather than taken for something else; use `node:net` for them.',
    rows: [
      ...members('Options of new Socket', 'fd handle'),
      'Options of connect: path',
      ...members('Options of listen', 'fd path'),
    ],
  },
  {
    title: 'Classes of their own',
    why: 'A socket of the stack is a `Duplex`, and an instance of `stack.net.Socket`, not of the `Socket` of `node:net`, whose constructor would want a handle. Libraries seldom ask; for those that do, `finwait run` and `finwait/register` keep Node’s classes.',
    rows: [
      "Identity: new net.Socket() instanceof require('node:net').Socket",
      "Identity: new net.Server() instanceof require('node:net').Server",
    ],
  },
  {
    title: 'Classes by syntax',
    why: 'Our classes have private fields, which cannot be given to an object that exists already: a function that inherits and calls `net.Socket.call(this)`, as before 2015, throws and says what to write instead. `class extends net.Socket`, and calling without `new`, work. Methods and getters of a class are not enumerable, so that `for (… in socket)` does not list most of them.',
    rows: [
      'Identity: net.Socket.call(this) in a function that inherits',
      'Identity: for (… in socket) lists the methods',
      'Identity: for (… in socket) lists the addresses',
    ],
  },
  {
    title: 'The error behind the data',
    why: 'When a RST arrives behind data that nobody has read, our socket gives the data and then the error. Over `node:net` it is the end of the stream like any other: libuv takes a hang-up after a short read for one (`uv__read` in `src/unix/stream.c`), and the program never learns that the peer gave up.',
    rows: ['Events that differ: a reset behind data that nobody has read yet'],
  },
  {
    title: 'The context of accepted sockets',
    why: 'Events of an accepted socket run in the context in which its server was told to listen. In Node they run in none at all, though the event `connection` before them does: the handle is made before the context is entered. What a server wants to know everywhere is still known in its sockets here.',
    rows: ['Events that differ: the contexts of AsyncLocalStorage at an accepted socket'],
  },
  {
    title: 'One name for an IPv4 address',
    why: 'A server on all addresses (`::`) serves IPv6 and IPv4. Node shows its IPv4 peers as `::ffff:10.9.0.1`, family IPv6, which is how a socket of the kernel for both families calls them; here an IPv4 address has one name, `10.9.0.1`, family IPv4, whoever asks. A program that takes `::ffff:` away works with both.',
    rows: ['Events that differ: an IPv4 peer of a server on all addresses'],
  },
  {
    title: 'No performance entries',
    why: 'Node offers nobody else a way to add entries of the type `net` to its performance timeline. The channels `finwait:connection:open` and `finwait:connection:established` tell the same, with the round-trip time in `connection.info()`.',
    rows: ['Events that differ: entries of PerformanceObserver'],
  },
];
