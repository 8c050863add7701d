import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type PayOptions, payRoutes } from '@kaccy/bitcoin-server/pay'
import fastify, { type FastifyInstance } from 'fastify'
import { Till, type TillOptions } from '../deposits/till.ts'

export interface Shop {
  readonly till: Till
  readonly app: FastifyInstance
  readonly origin: string
  /** The page of an order. */
  url(order: Pick<OrderRecord, 'id'>, query?: string): string
  close(): Promise<void>
}

/** An engine over a devnet, on virtual time, with its checkout page on a real socket. */
export async function openShop(
  options: Partial<PayOptions> = {},
  till: TillOptions = {},
): Promise<Shop> {
  const open = await Till.open(till)
  const app = fastify()
  await app.register(payRoutes, {
    engine: open.engine,
    head: () => open.store.read((tx) => tx.events.head()),
    clock: { now: () => open.now },
    timers: systemTimers,
    pollMs: 20,
    ...options,
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    till: open,
    app,
    origin,
    url: ({ id }, query = '') => `${origin}/pay/${id}${query === '' ? '' : `?${query}`}`,
    close: () => app.close(),
  }
}
