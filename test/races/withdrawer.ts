/**
 * One process of the withdrawal races: makes all its requests at once, and takes whole turns of paying out beside them where it is
 * told to. It waits for a line on its input, so that all begin together, and prints what it was answered.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { argv, stdin, stdout } from 'node:process'
import { createEngine, type Engine, type Store } from '@kaccy/bitcoin'
import {
  createBitcoindBroadcaster,
  createBitcoindMempool,
  createBitcoindSource,
} from '@kaccy/bitcoin/adapters/bitcoind'
import type { Once } from '@kaccy/bitcoin/idempotency'
import { Secret, sat, satPerKvB, type WalletId } from '@kaccy/bitcoin/kernel'
import { createReceiptKey } from '@kaccy/bitcoin/signing'
import { digest } from '@kaccy/bitcoin/testing'
import type { RequestedWithdrawal } from '@kaccy/bitcoin/withdrawals'
import { signersAt } from '../../tools/kills/payouts-asking.ts'
import { type Meeting, openMeeting } from './store.ts'

export interface Wish {
  readonly externalId: string
  readonly address: string
  readonly amount: number
  readonly customer?: string
  /** Its idempotency key. */
  readonly key?: string
}
export interface Place {
  readonly meeting: Meeting
  readonly node: { readonly url: string; readonly cookieFile: string }
  readonly signers: string
}
export interface Errand extends Place {
  readonly wallet: WalletId
  readonly wishes: readonly Wish[]
  readonly pays: boolean
}
/** The id of a withdrawal, or the code of a refusal. */
export interface Answered {
  readonly wish: Wish
  readonly answer: string
}

const AT_A_TIME = 4
const MOST_LATE_MS = 40

/** An engine as every process of these races has it. @param now milliseconds since the epoch */
export function openPayer(store: Store, { node, signers }: Place, now = Date.now): Promise<Engine> {
  const source = createBitcoindSource({ url: node.url, auth: { cookieFile: node.cookieFile } })
  return createEngine({
    network: 'regtest',
    store,
    source,
    clock: { now: () => now() },
    entropy: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    payouts: {
      broadcaster: createBitcoindBroadcaster(source),
      mempool: createBitcoindMempool(source),
      signersOf: () => signersAt(signers),
      receiptKey: createReceiptKey(new Secret(new Uint8Array(32).fill(7))),
      fixedFeeRate: satPerKvB(5_000n),
    },
  })
}

/** What a server does with a request: its answer, or the code of a refusal. */
export async function askFor(engine: Engine, wallet: WalletId, wish: Wish): Promise<string> {
  const { externalId, address, amount, customer, key } = wish
  const once: Once<RequestedWithdrawal> | undefined =
    key === undefined
      ? undefined
      : {
          request: { scope: 'key_1', key, digest: digest(amount), isForEver: true },
          answer: ({ withdrawal }) => ({ status: 201, body: withdrawal.id }),
        }
  const made = await engine.withdrawals.request(
    {
      wallet,
      externalId,
      address,
      amount: sat(BigInt(amount)),
      speed: { kind: 'priority', priority: 'high' },
      ...(customer === undefined ? {} : { customer }),
    },
    'api:key_1',
    once,
  )
  if (made.ok) return made.value.withdrawal.id
  if (made.error.code !== 'IDEMPOTENCY_ANSWERED' || !once) return made.error.code
  const found = await engine.idempotency.find(once.request)
  return found.ok ? (found.value?.body ?? 'nothing') : found.error.code
}

/** The store behind a slow line: what was read is old by the time that something is written. */
const late = (store: Store): Store => ({
  ...store,
  transact: async (work) => {
    await new Promise((resolve) => setTimeout(resolve, randomInt(MOST_LATE_MS)))
    return store.transact(work)
  },
})

async function run(errand: Errand): Promise<void> {
  const { store, close } = await openMeeting(errand.meeting)
  const engine = await openPayer(errand.pays ? late(store) : store, errand)
  stdout.write('ready\n')
  await once(stdin, 'data')
  const answered: Answered[] = []
  const { wallet, wishes, pays } = errand
  const isAsking = () => answered.length < wishes.length
  // The last turn begins when the last answer is there: then both processes plan what is left.
  const again = async (turn: () => Promise<unknown>) => {
    for (let more = pays; more; ) {
      more = isAsking()
      await turn()
      // Another process has to come in between.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const plan = () => engine.payouts.plan()
  const pay = async () => {
    for (const step of ['sign', 'send', 'bump'] as const) await engine.payouts[step]()
    await engine.sync()
  }
  let next = 0
  const client = async () => {
    for (let wish = wishes[next++]; wish; wish = wishes[next++])
      answered.push({ wish, answer: await askFor(engine, wallet, wish) })
  }
  // All at once, or so few at a time that plans come between them.
  const clients = Array.from({ length: pays ? AT_A_TIME : wishes.length }, client)
  await Promise.all([...clients, again(plan), again(pay)])
  await close()
  stdout.write(`${JSON.stringify(answered)}\n`, () => process.exit(0))
}

if (import.meta.main) await run(JSON.parse(argv[2] ?? '{}'))
