// The public exports of the package; no code.

export { DeviceError } from './device/device-error.js';
export { type ImpairOptions, impair } from './device/impaired.js';
export type { Bursts, Filter, Impairments } from './device/impairment.js';
export { type LinkOptions, MemoryLink } from './device/link.js';
export { withSoftwareOffload } from './device/offload.js';
export {
  type PacketStream,
  PacketStreamDevice,
  type PacketStreamOptions,
} from './device/packet-stream.js';
export { SystemClock } from './device/system-clock.js';
export { TunDevice, type TunOptions } from './device/tun.js';
export { Simulation, VirtualClock } from './device/virtual-clock.js';
export type { SystemError } from './net/errors.js';
export type { OnReadOptions } from './net/intake.js';
export type { NetModule } from './net/module.js';
export type { ListenOptions, Server, ServerOptions } from './net/server.js';
export type { Socket } from './net/socket.js';
export type { SocketConnectOptions, SocketOptions } from './net/socket-options.js';
export { Stack, type StackOptions } from './net/stack.js';
export { type OpenStackOptions, openStack } from './open.js';
export { Listener, type ListenerHandler, StackCore, type StackCoreOptions } from './stack/core.js';
export * from './stack/device.js';
export type { TimeWaitInfo } from './stack/timewaits.js';
export { DEFAULT_TCP_CONFIG, type TcpConfig } from './tcp/config.js';
export {
  type CloseReason,
  Connection,
  type ConnectionHandler,
  IdleHandler,
} from './tcp/connection.js';
export { TcpError } from './tcp/errors.js';
export type { TcpInfo } from './tcp/info.js';
export type { Probe } from './tcp/probe.js';
export { STATE_NAMES, type State } from './tcp/state.js';
export { TRANSITIONS, type Transition, type TransitionEvent } from './tcp/transitions.js';
export { IpAddress, Subnet } from './wire/address.js';
