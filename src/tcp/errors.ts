// Errors that a call to TCP can end with. Knows codes and words; must not know errno numbers.

/** A call that cannot be carried out; `code` is the errno name that `node:net` users know. */
export class TcpError extends Error {
  constructor(
    /** Name of the error: `EADDRINUSE`, `EPIPE` … (errno(3)). */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'TcpError';
  }
}
