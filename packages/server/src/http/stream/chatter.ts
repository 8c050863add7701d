import type { Socket } from 'node:net'
import type { WebSocket } from '@fastify/websocket'
import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { Clock } from '@kaccy/bitcoin/kernel'
import type { StreamSettings } from './policy.ts'

/** What may come at once after silence, in seconds of the rate. */
const BURST_S = 4
/** Bytes of a masked frame around its payload (RFC 6455, 5.2), and how long one may be before the length takes more. */
const OVERHEAD = 6
const SHORT = 125

const LONG_LENGTH = 2
const frameBytes = (payload: number): number =>
  OVERHEAD + (payload > SHORT ? LONG_LENGTH : 0) + payload

export interface ChatterOptions {
  readonly socket: WebSocket
  /** The connection under it. */
  readonly raw: Socket
  readonly clock: Clock
  readonly settings: Pick<StreamSettings, 'messagesPerSecond' | 'unfinishedMs'>
  readonly cut: (why: string) => void
}

/**
 * Bounds what a client says: nothing is expected of it but pongs and a close. Pings are answered within the bound; an
 * unbounded answer would let a client that never reads fill our memory.
 */
export function boundChatter({ socket, raw, clock, settings, cut }: ChatterOptions): void {
  const burst = settings.messagesPerSecond * BURST_S
  let allowance = burst
  let at = clock.now()
  const isTooMuch = (): boolean => {
    const now = clock.now()
    const regained = (Math.max(0, now - at) / 1000) * settings.messagesPerSecond
    allowance = Math.min(burst, allowance + regained) - 1
    at = now
    if (allowance >= 0) return false
    cut('too many messages')
    return true
  }
  const unfinished = boundUnfinished(raw, settings.unfinishedMs, cut)
  socket.on('message', (data: Buffer) => {
    unfinished(frameBytes(data.length))
    isTooMuch()
  })
  socket.on('ping', (data: Buffer) => {
    unfinished(frameBytes(data.length))
    if (!isTooMuch() && socket.readyState === socket.OPEN) socket.pong(data)
  })
  socket.on('pong', (data: Buffer) => {
    unfinished(frameBytes(data.length))
    isTooMuch()
  })
}

/**
 * Ends a connection on which a message was begun and not finished in time: every byte that came belongs to a frame that
 * ended, or one is open. Who sends a message in pieces, which nobody asked for, counts as not finishing it.
 */
function boundUnfinished(
  raw: Socket,
  unfinishedMs: number,
  cut: (why: string) => void,
): (bytes: number) => void {
  let open = 0
  let cancel: (() => void) | undefined
  // Before the reader of frames sees them.
  raw.prependListener('data', (chunk: Buffer) => {
    open += chunk.length
    cancel ??= systemTimers.after(unfinishedMs, () => cut('message not finished'))
  })
  raw.once('close', () => cancel?.())
  return (bytes) => {
    open -= bytes
    if (open !== 0) return
    cancel?.()
    cancel = undefined
  }
}
