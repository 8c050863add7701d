import { PassThrough } from 'node:stream'
import type { Clock, OrderId, Timers } from '@kaccy/bitcoin/kernel'
import { type PayView, payJson } from './view.ts'
import type { PayWatch } from './watch.ts'

export interface PayStreamOptions {
  readonly watch: PayWatch
  readonly clock: Clock
  readonly timers: Timers
  /** Pause between two signs of life, milliseconds. */
  readonly heartbeatMs: number
  /** After this the browser has to connect again, which it does by itself. Milliseconds. */
  readonly lifetimeMs: number
}
/** One browser that listens to one order. */
export type PayStream =
  | { readonly stream: PassThrough }
  | { readonly refused: 'unknown order' | 'too many' }

/** A page whose browser takes less than this is slow; it is cut off and comes back, rather than filling our memory. */
const BUFFER = 64 * 1024
const RETRY_MS = 2_000

/**
 * An order's status as server-sent events: `status` at once and after every change, `time` as a sign of life, `end` when
 * nothing more will come. Source: HTML, 9.2.
 */
export async function openPayStream(options: PayStreamOptions, id: OrderId): Promise<PayStream> {
  const { watch, clock, timers, heartbeatMs, lifetimeMs } = options
  const stream = new PassThrough({ highWaterMark: BUFFER })
  const write = (text: string): void => {
    if (stream.writable && !stream.write(text)) stream.destroy()
  }
  const onView = (view: PayView): void => {
    write(
      `event: status\nid: ${payJson(view).revision}\ndata: ${JSON.stringify(payJson(view))}\n\n`,
    )
    if (!view.final) return
    write('event: end\ndata: {}\n\n')
    stream.end()
  }
  write(`retry: ${RETRY_MS}\n\n`)
  const watching = await watch.add(id, onView)
  if ('refused' in watching) {
    stream.destroy()
    return watching
  }
  let cancelBeat = (): void => undefined
  const beat = (): void => {
    write(`event: time\ndata: {"server_time":"${new Date(clock.now()).toISOString()}"}\n\n`)
    cancelBeat = timers.after(heartbeatMs, beat)
  }
  cancelBeat = timers.after(heartbeatMs, beat)
  const cancelLife = timers.after(lifetimeMs, () => stream.end())
  stream.once('close', () => {
    cancelBeat()
    cancelLife()
    watching.end()
  })
  return { stream }
}
