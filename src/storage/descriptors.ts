// Layout of the descriptors that a device and the stack share. Knows offsets of words; nothing else.

/** Int32 words of one receive descriptor. */
export const RX_STRIDE = 5;
/** Word: offset of the first byte of the IP packet in the arena. */
export const RX_OFFSET = 0;
/** Word: length of the IP packet, bytes (up to 65,535 for a super-segment). */
export const RX_LENGTH = 1;
/** Word: flags, `RX_CHECKSUM_TRUSTED` or 0. */
export const RX_FLAGS = 2;
/** Word: payload bytes of each segment that a super-segment stands for; 0 for an ordinary packet. */
export const RX_GSO_SIZE = 3;
/** Word: arena offset of the data behind the TCP header, where they landed apart from it; else 0. */
export const RX_DATA = 4;
/** The transport checksum need not be verified: the kernel vouches for it (partial or validated). */
export const RX_CHECKSUM_TRUSTED = 1;

/** Int32 words of one transmit descriptor: a header and at most two pieces of payload. */
export const TX_STRIDE = 8;
/** Word: arena offset of the header (IP and transport header, contiguous). */
export const TX_HEADER_OFFSET = 0;
/** Word: length of the header, bytes. */
export const TX_HEADER_LENGTH = 1;
/** Word: arena offset of the first piece of payload. */
export const TX_PIECE1_OFFSET = 2;
/** Word: its length, bytes; 0 for none. */
export const TX_PIECE1_LENGTH = 3;
/** Word: arena offset of the second piece, when the payload wraps around the end of its ring. */
export const TX_PIECE2_OFFSET = 4;
/** Word: its length, bytes; 0 for none. */
export const TX_PIECE2_LENGTH = 5;
/** Word: payload bytes per segment where the packet is a TCP super-segment; 0 for an ordinary packet. */
export const TX_GSO_SIZE = 6;
/**
 * Word: offset of the TCP header within the packet where its checksum field holds only the folded
 * sum of the pseudo-header (the device, or the kernel behind it, completes it); 0 when complete.
 */
export const TX_CHECKSUM_START = 7;

/** Int32 words that a device and the stack tell each other things by. */
export const CONTROL_WORDS = 16;
/** Word: the device will call `settled` before it waits, if `CONTROL_WORK` is set. */
export const CONTROL_SETTLING = 0;
/** Word: the stack has something to send. */
export const CONTROL_WORK = 1;
/**
 * Word: bytes of IP and TCP header, together, of the packet that is expected next; 0 for none. A device
 * may read its data to where they are wanted when it is just the packet expected, and checked.
 */
export const LANDING_HEADER = 2;
/** Word: arena offset at which its data are wanted. */
export const LANDING_OFFSET = 3;
/** Word: room for its data, bytes. */
export const LANDING_ROOM = 4;
/** Word: sequence number of the first of them. */
export const LANDING_SEQ = 5;
/** Word: its family, 4 or 6. */
export const LANDING_FAMILY = 6;
/** Words in network byte order: its source and destination address, both ports. */
export const LANDING_KEY = 7;
