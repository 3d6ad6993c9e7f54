// What each state means to people who look at one. Words only; the rules stand in tcp/transitions.ts.

/** One state, explained. */
export interface StateNote {
  /** What it says about the connection. */
  meaning: string;
  /** Who has to act, and how, before it is left; null where nobody has to. */
  waitsFor: string | null;
  /** How long it may last, and what ends it if nobody acts. */
  lasts: string;
  /** In which states the other end may be meanwhile. */
  peer: string;
  /** What people usually get wrong about it. */
  mistake: string;
}

/** As RFC 9293 has them. */
export type StateName =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'CLOSE-WAIT'
  | 'FIN-WAIT-1'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'FIN-WAIT-2'
  | 'TIME-WAIT';

/** In the order in which a connection that is closed here first may go through them. */
export const STATE_NOTES: Readonly<Record<StateName, StateNote>> = {
  CLOSED: {
    meaning:
      'There is no connection: nothing is remembered, and no control block exists. The RFC calls it a state so that the diagram has a beginning and an end.',
    waitsFor: null,
    lasts: 'For ever, until a program opens a connection or listens.',
    peer: 'Anything: whatever it still sends, but a RST, is answered with a RST.',
    mistake:
      'A connection that has vanished from a list of sockets was not necessarily closed in order: a RST leads here from almost every state.',
  },
  LISTEN: {
    meaning:
      'A program waits on a port for whoever calls. This is no connection yet: each SYN makes a new one beside it, and the listener stays.',
    waitsFor: 'somebody who calls',
    lasts: 'As long as the program listens; there is no timer.',
    peer: 'None: a listener has no other end.',
    mistake:
      'Closing the listener does not close the connections that came through it, and a connection that has been accepted does not need it any more.',
  },
  'SYN-SENT': {
    meaning:
      'Our program has called, our SYN is out, and nothing has come back. Nobody knows yet whether there is anybody at the other end.',
    waitsFor: 'the peer, to answer our SYN with its own',
    lasts:
      'The SYN is repeated, each time after a longer wait, for three minutes or what the program allows; a RST ends it at once (ECONNREFUSED).',
    peer: 'LISTEN or CLOSED while the SYN is under way, SYN-RECEIVED once it has arrived; SYN-SENT when both call each other.',
    mistake:
      'A connection that stays here gets no answer at all: a firewall drops the SYN, or the address is dead. A port without a listener answers at once.',
  },
  'SYN-RECEIVED': {
    meaning:
      'A SYN has arrived and was answered with a SYN and an ACK in one segment. Whoever is called believes in the connection only when that is acknowledged, as anybody can forge a first segment.',
    waitsFor: 'the peer, to acknowledge our SYN',
    lasts:
      'The SYN,ACK is repeated as a SYN is; a RST ends it, without a word to a program that listens, with ECONNREFUSED for one that has called.',
    peer: 'SYN-SENT, or already ESTABLISHED when its ACK is under way; SYN-RECEIVED when both call each other.',
    mistake:
      'Many of these at once are a flood of forged SYNs or a way back that loses our answers; the program is not to blame, it has not seen these connections yet.',
  },
  ESTABLISHED: {
    meaning:
      'Both ends know that both want the connection, and data flow in both directions. It says nothing about whether the other end is still alive.',
    waitsFor: 'either program, to close',
    lasts:
      'For ever: TCP sends nothing while nobody writes, and has no timer, unless keep-alive is on.',
    peer: 'ESTABLISHED; SYN-RECEIVED a moment earlier; FIN-WAIT-1 while its FIN has not arrived.',
    mistake:
      'An idle connection whose other end has lost its power stays ESTABLISHED until somebody writes, or keep-alive asks.',
  },
  'FIN-WAIT-1': {
    meaning:
      'Our program has closed first. Our FIN is queued behind what is still to be sent, or sent; in any case it is not acknowledged.',
    waitsFor: 'the peer, to acknowledge our FIN and all data before it',
    lasts:
      'A round trip, if all is well. Data and FIN are repeated with growing waits, for a quarter of an hour at most; behind a closed window it lasts as long as the peer answers probes and does not read.',
    peer: 'ESTABLISHED until the FIN arrives, CLOSE-WAIT or already LAST-ACK then; FIN-WAIT-1 or CLOSING when both close at once.',
    mistake:
      'It does not mean that the FIN was sent: with data before it and no window for them it waits in the queue.',
  },
  'FIN-WAIT-2': {
    meaning:
      'The peer has acknowledged our FIN: it knows that we have no more to say. It may go on sending for as long as it likes, and we read and acknowledge what comes.',
    waitsFor: 'the peer, whose program has to close',
    lasts:
      'As long as the program there pleases. Only when our own program is gone, too, does the orphan end after a timeout, 60 s by default.',
    peer: 'CLOSE-WAIT, or LAST-ACK while its FIN is under way.',
    mistake:
      'One that stays here and brings no data shows a defect of the other end: look there for a connection in CLOSE-WAIT, and for the program that forgets to close it.',
  },
  CLOSING: {
    meaning:
      "Both have closed at once and the FINs have crossed. We have acknowledged the peer's, and the ACK of our own has not come yet.",
    waitsFor: 'the peer, to acknowledge our FIN',
    lasts: 'A round trip; our FIN is repeated until its ACK comes.',
    peer: 'FIN-WAIT-1 until our FIN has arrived, CLOSING then, and TIME-WAIT once our ACK has.',
    mistake:
      'It is rare because the FINs must cross within a round trip, not because something has gone wrong.',
  },
  'TIME-WAIT': {
    meaning:
      "All is closed and acknowledged, and the program is done. We stay to acknowledge the peer's FIN again should our last ACK be lost, and so that late segments of this connection cannot be taken for those of a new one.",
    waitsFor: null,
    lasts:
      'Two maximum segment lifetimes, 60 s by default, counted anew with each FIN that arrives. A newer SYN from the same port may end it earlier; a RST may not (RFC 1337), though Linux obeys one unless tcp_rfc1337 is set.',
    peer: 'LAST-ACK until our ACK arrives, CLOSED then; CLOSING and TIME-WAIT when both have closed at once.',
    mistake:
      'Many of these are no leak and cost next to nothing: they show who closes first. A server that cannot listen again because of them should ask for address reuse, not for a shorter wait.',
  },
  'CLOSE-WAIT': {
    meaning:
      'The peer has closed first: nothing more will come from it. Our half works as before, and our program may send what it still has to say, and must then close.',
    waitsFor: 'our own program, which has to close',
    lasts:
      'For ever: no timer ends it, for TCP cannot know that the program has nothing to say any more.',
    peer: 'FIN-WAIT-1 until our ACK arrives, FIN-WAIT-2 then; CLOSED when it has lost its patience.',
    mistake:
      'Connections that pile up here are a defect of the program on this side, which does not close what it has read to the end; neither the network nor the kernel is to blame, and no setting helps.',
  },
  'LAST-ACK': {
    meaning:
      'The peer has closed, then our program; our FIN is out, and only its acknowledgment is missing. Then all is forgotten at once: whoever closes second needs no TIME-WAIT.',
    waitsFor: 'the peer, to acknowledge our FIN',
    lasts:
      'A round trip; our FIN is repeated until its ACK comes, or the peer has been silent for too long.',
    peer: 'FIN-WAIT-1 or FIN-WAIT-2 until our FIN arrives, TIME-WAIT then, ready to acknowledge it again.',
    mistake:
      'One that stays here talks to a peer that is gone, or behind a firewall that has forgotten the connection; the program has done its part.',
  },
};

/** What a connection waits for that may stay in its state as long as somebody pleases; in few words. */
export const WAITED_FOR: Readonly<Record<string, string>> = {
  'CLOSE-WAIT': 'the application has not closed',
  'FIN-WAIT-2': 'the peer has not closed',
};
