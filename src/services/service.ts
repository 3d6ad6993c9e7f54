// What a service is, and how one is started and stopped. Knows the shape of node:net; must not know whose it is.

import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpInfo } from '../tcp/info.js';

/** A socket of `node:net`, or one of ours, which can say more about itself. */
export interface ServiceSocket extends Duplex {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  resetAndDestroy(): unknown;
  tcpInfo?(): TcpInfo | null;
}

/** The part of a server of `node:net` that a service needs. */
export interface ServiceServer {
  listen(options: { port: number; host?: string }): unknown;
  close(done?: (error?: Error) => void): unknown;
  address(): AddressInfo | string | null;
  once(event: 'listening', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** The part of `node:net` that a service needs. */
export interface Network {
  createServer(
    options: { allowHalfOpen?: boolean; noDelay?: boolean },
    onConnection: (socket: ServiceSocket) => void,
  ): ServiceServer;
}

/** A service: what it does with each connection. */
export interface Service {
  readonly name: string;
  /** The port that everybody knows it by. */
  readonly port: number;
  /** Whether it goes on sending after the peer's FIN. */
  readonly allowHalfOpen: boolean;
  onConnection(socket: ServiceSocket): void;
  /** Ends one connection in order: what it still owes is sent, then our FIN. */
  endConnection(socket: ServiceSocket): void;
}

/** A service that listens. */
export class RunningService {
  readonly service: Service;
  private readonly server: ServiceServer;
  private readonly sockets = new Set<ServiceSocket>();

  private constructor(service: Service, server: ServiceServer) {
    this.service = service;
    this.server = server;
  }

  /** Starts to listen; rejects with the error of `listen` (EADDRINUSE and others). */
  static start(
    network: Network,
    service: Service,
    where: { port?: number; host?: string } = {},
  ): Promise<RunningService> {
    return new Promise((resolve, reject) => {
      const options = { allowHalfOpen: service.allowHalfOpen, noDelay: true };
      const server = network.createServer(options, (socket) => running.serve(socket));
      const running = new RunningService(service, server);
      server.once('error', reject);
      server.once('listening', () => {
        server.off('error', reject);
        resolve(running);
      });
      server.listen({ ...where, port: where.port ?? service.port });
    });
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.sockets.size;
  }

  /**
   * Accepts no more, ends every connection in order, and after `graceMs` milliseconds resets those
   * whose peer has not closed. Resolves when all are gone.
   */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) this.service.endConnection(socket);
    const timer = setTimeout(() => this.reset(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  /** Resets every connection that is left. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  private serve(socket: ServiceSocket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // A connection that breaks concerns its own peer only; 'close' follows.
    socket.on('error', () => {});
    this.service.onConnection(socket);
  }
}
