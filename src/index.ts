// The public exports of the package; no code.

/**
 * The library: stacks and their sockets, devices, the core without I/O, and what draws and records.
 * @module finwait
 */

export { DeviceError } from './device/device-error.js';
export { type ImpairedDevice, type ImpairOptions, impair } from './device/impaired.js';
export type {
  Bursts,
  Filter,
  Impairments,
  Path as ImpairedPath,
  PathCounters,
} from './device/impairment.js';
export { type LinkOptions, MemoryLink } from './device/link.js';
export { withSoftwareOffload } from './device/offload.js';
export {
  type PacketStream,
  PacketStreamDevice,
  type PacketStreamOptions,
} from './device/packet-stream.js';
export { connectShares, ownsFlow, type Share, SharedDevice } from './device/shared.js';
export { SystemClock, type SystemClockOptions } from './device/system-clock.js';
export { type TunCounters, TunDevice, type TunOptions } from './device/tun.js';
export { Simulation, VirtualClock } from './device/virtual-clock.js';
export type { ConnectionMessage, TraceMessage } from './net/diagnostics.js';
export type { SystemError } from './net/errors.js';
export type {
  DropArgument,
  Emit,
  Listen,
  ServerEvents,
  SocketError,
  SocketEvents,
} from './net/events.js';
export type { OnReadOptions } from './net/intake.js';
export type { Connect, CreateServer, NetModule, ServerClass, SocketClass } from './net/module.js';
export type { ConnectionListener, ListenOptions, Server, ServerOptions } from './net/server.js';
export type { Socket } from './net/socket.js';
export type { SocketAddress, SocketConnectOptions, SocketOptions } from './net/socket-options.js';
export { Stack, type StackOptions } from './net/stack.js';
export type { TcpTrouble } from './net/trouble.js';
export { type OpenStackOptions, openStack } from './open.js';
export { HandDevice } from './stack/by-hand.js';
export {
  type ConnectOptions as CoreConnectOptions,
  Listener,
  type ListenerHandler,
  type ListenOptions as CoreListenOptions,
  StackCore,
  type StackCoreOptions,
} from './stack/core.js';
export type { StackCounters } from './stack/counters.js';
export * from './stack/device.js';
export type { TimeWaitInfo } from './stack/timewaits.js';
export { Arena } from './storage/arena.js';
export { PacketBatch } from './storage/packet-batch.js';
export { TcpClock } from './tcp/clock.js';
export { DEFAULT_TCP_CONFIG, type TcpConfig } from './tcp/config.js';
export type { CongestionControl } from './tcp/congestion.js';
export {
  type CloseReason,
  Connection,
  type ConnectionHandler,
  IdleHandler,
} from './tcp/connection.js';
export { TcpError } from './tcp/errors.js';
export type { Host, Path } from './tcp/host.js';
export type { TcpInfo } from './tcp/info.js';
export { newReno } from './tcp/newreno.js';
export type { Probe } from './tcp/probe.js';
export { STATE_NAMES, type State } from './tcp/state.js';
export type { ReceiveSpace, SendSpace, Tcb } from './tcp/tcb.js';
export type { TimerId } from './tcp/timers.js';
export { TRANSITIONS, type Transition, type TransitionEvent } from './tcp/transitions.js';
export { Capture, type CaptureOptions } from './trace/capture.js';
export type {
  CallEvent,
  CongestionEvent,
  Direction,
  DropEvent,
  End,
  EventPlace,
  FaultEvent,
  KernelView,
  NewEvent,
  NewsEvent,
  Origin,
  ReleaseEvent,
  SampleEvent,
  SegmentEvent,
  SegmentFields,
  StateEvent,
  TcbSnapshot,
  TimerEvent,
  TimerState,
  TraceEvent,
} from './trace/event.js';
export type {
  BothStates,
  CrossingRung,
  EndNames,
  Ladder,
  LadderOptions,
  Rung,
  RunRung,
  SegmentRung,
  SideRung,
  StateRung,
  TextRung,
  WaitingSegment,
} from './trace/ladder.js';
export { type LadderData, ladderJson } from './trace/ladder-json.js';
export { ladderMermaid } from './trace/ladder-mermaid.js';
export { ladderSvg } from './trace/ladder-svg.js';
export { type LadderTextOptions, ladderText } from './trace/ladder-text.js';
export { bothProbes } from './trace/probes.js';
export { Recorder, type RecorderOptions } from './trace/recorder.js';
export { decodeSegment, describeSegment, type Relative } from './trace/segment.js';
export { Timeline } from './trace/timeline.js';
export { IpAddress, Subnet } from './wire/address.js';
export { IpHeader, parseIp } from './wire/ip.js';
export { parseTcp, TcpSegment } from './wire/tcp.js';
