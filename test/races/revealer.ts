/**
 * One process of the address race: asks for addresses, eight requests at a time as a server would, releases some that it
 * never showed, and prints what it was given. It waits for a line on its input, so that all begin together.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { argv, stdin, stdout } from 'node:process'
import type { OrderId, WalletId } from '@kaccy/bitcoin/kernel'
import { createWallets, releaseAddress } from '@kaccy/bitcoin/wallet'
import { type Meeting, openMeeting } from './store.ts'

export interface Errand {
  readonly meeting: Meeting
  readonly wallet: WalletId
  readonly name: string
  readonly count: number
}
export interface Given {
  readonly index: number
  readonly address: string
  readonly order: string
}

const AT_A_TIME = 8

async function run({ meeting, wallet: id, name, count }: Errand): Promise<void> {
  const { store, close } = await openMeeting(meeting)
  const entropy = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
  const wallets = createWallets({
    store,
    clock: { now: () => Date.now() },
    entropy,
    network: 'regtest',
  })
  const wallet = await wallets.wallet(id)
  if (!wallet) throw new TypeError(`no wallet ${id}`)
  const given: Given[] = []
  let next = 0

  const ask = async (order: OrderId, shown: boolean) => {
    wallets.prepare(wallet)
    const answer = await store.transact((tx) =>
      wallets.revealAddress(tx, { wallet: id, order, at: Date.now(), shown }),
    )
    if (!answer.ok) throw new TypeError(answer.error.message)
    return answer.value
  }
  const client = async () => {
    for (let n = next++; n < count; n = next++) {
      // One in ten is reserved, dropped, and asked for anew: what was dropped must go to exactly one other.
      if (n % 10 === 3) {
        const order = `${name}-${n}-dropped` as OrderId
        const reserved = await ask(order, false)
        const released = await store.transact((tx) => releaseAddress(tx, { ...reserved, order }))
        if (!released.ok) throw new TypeError(released.error.message)
      }
      const order = `${name}-${n}` as OrderId
      const { index, address } = await ask(order, true)
      given.push({ index, address, order })
    }
  }

  stdout.write('ready\n')
  await once(stdin, 'data')
  await Promise.all(Array.from({ length: AT_A_TIME }, client))
  await close()
  stdout.write(`${JSON.stringify(given)}\n`, () => stdin.destroy())
}

await run(JSON.parse(argv[2] ?? '{}'))
