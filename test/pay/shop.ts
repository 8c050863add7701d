import type { AddressInfo } from 'node:net'
import { systemTimers } from '@kaccy/bitcoin/adapters/system'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type PayOptions, payRoutes } from '@kaccy/bitcoin-server/pay'
import fastify, { type FastifyInstance } from 'fastify'
import { Till, type TillOptions } from '../deposits/till.ts'

export interface Shop {
  readonly till: Till
  readonly origin: string
  /** The page of an order. */
  url(order: Pick<OrderRecord, 'id'>, query?: string): string
  close(): Promise<void>
  /** After `close`: the same shop at the same place. */
  reopen(): Promise<void>
}

/** An engine over a devnet, on virtual time, with its checkout page on a real socket. */
export async function openShop(
  options: Partial<PayOptions> = {},
  till: TillOptions = {},
): Promise<Shop> {
  const open = await Till.open(till)
  const start = async (port: number): Promise<FastifyInstance> => {
    const app = fastify()
    await app.register(payRoutes, {
      engine: open.engine,
      head: () => open.store.read((tx) => tx.events.head()),
      clock: { now: () => open.now },
      timers: systemTimers,
      pollMs: 20,
      ...options,
    })
    await app.listen({ host: '127.0.0.1', port })
    return app
  }
  let app = await start(0)
  const { port } = app.server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    till: open,
    origin,
    url: ({ id }, query = '') => `${origin}/pay/${id}${query === '' ? '' : `?${query}`}`,
    close: () => app.close(),
    async reopen() {
      app = await start(port)
    },
  }
}
