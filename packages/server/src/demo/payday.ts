import type { Engine } from '@kaccy/bitcoin'
import type { Broadcaster } from '@kaccy/bitcoin/broadcast'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { sat, satPerKvB, toHex } from '@kaccy/bitcoin/kernel'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { orThrow } from '../failure.ts'
import { satText } from '../view/amount.ts'
import type { Session } from '../watch/session.ts'
import type { World } from './world.ts'

const ACTOR = 'operator:demo'
const PAID = 110_000
const TAKEN_BACK = 10_000
const RATE = satPerKvB(2_000n)
const HIGHER = satPerKvB(10_000n)
/** Deep enough that a payout, or what takes it back, is for good. */
const SETTLED = 6

/** What the demo pays out, and where it is: each part may be asked again after a stop, and goes on. */
export interface Payday {
  readonly world: World
  readonly engine: Engine
  readonly session: Session
  readonly order: OrderRecord
  readonly signal: AbortSignal
}
interface Part {
  readonly id: string
  readonly title: string
  readonly text: readonly string[]
  play(payday: Payday): Promise<void>
}

export const PAYDAY: readonly Part[] = [
  {
    id: 'payout',
    title: 'The shop pays out',
    text: [
      `${satText(PAID)} leave: planned and written down first, then signed by a process that`,
      'believes nothing without a receipt, looked at once more, stored, and only then sent.',
    ],
    async play(payday) {
      const paid = await request(payday, 'demo-payout-1', PAID)
      await turnUntil(payday, paid, ({ status }) => isOut(status))
    },
  },
  {
    id: 'bump',
    title: 'The fee was low: a second version',
    text: [
      'It pays more, keeps the payout, and spends a coin in common with the first one:',
      'consensus itself lets at most one of them be mined. A block takes it.',
    ],
    async play(payday) {
      const paid = await request(payday, 'demo-payout-1', PAID)
      const { status, spend } = await current(payday, paid)
      const versions = spend === undefined ? 0 : await versionsOf(payday, spend)
      if (status === 'sending' && versions === 1) {
        const wish = { speed: { kind: 'rate', rate: HIGHER } } as const
        orThrow(await payday.engine.withdrawals.bump(paid.id, wish, ACTOR))
      }
      await sendAll(payday, paid)
      await mine(payday, 'payday.mined', 1)
      await turnUntil(payday, paid, ({ status: now }) => now === 'mined' || now === 'settled')
    },
  },
  {
    id: 'cancel',
    title: 'Another payout is taken back',
    text: [
      'It was signed already, so nobody can forget it: a transaction that pays only',
      'ourselves takes its coin, and it counts as cancelled when that one is buried.',
    ],
    async play(payday) {
      const taken = await request(payday, 'demo-payout-2', TAKEN_BACK)
      await turnUntil(
        payday,
        taken,
        ({ status, cancelAsked }) => isOut(status) || cancelAsked !== undefined,
      )
      const { cancelAsked, status } = await current(payday, taken)
      if (!cancelAsked && status === 'sending')
        orThrow(await payday.engine.withdrawals.cancel(taken.id, 'a change of mind', ACTOR))
      await sendAll(payday, taken)
      await mine(payday, 'payday.buried', SETTLED)
      await turnUntil(payday, taken, ({ status: now }) => now === 'cancelled')
    },
  },
]

const OUT: readonly WithdrawalRecord['status'][] = ['sending', 'mined', 'settled', 'cancelled']
const isOut = (status: WithdrawalRecord['status']): boolean => OUT.includes(status)

/** The same request gives the same withdrawal, however often the demo was stopped. */
async function request(
  { engine, order }: Payday,
  externalId: string,
  amount: number,
): Promise<WithdrawalRecord> {
  const input = {
    wallet: order.wallet,
    address: STRANGER,
    amount: sat(BigInt(amount)),
    externalId,
    customer: order.id,
    speed: { kind: 'rate', rate: RATE },
  } as const
  return orThrow(await engine.withdrawals.request(input, ACTOR)).withdrawal
}
/** Somebody who is not us. */
const STRANGER = 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9'

const current = async ({ engine }: Payday, { id }: WithdrawalRecord) =>
  (await engine.withdrawals.get(id)) as WithdrawalRecord
const versionsOf = async ({ engine }: Payday, id: NonNullable<WithdrawalRecord['spend']>) =>
  (await engine.spends.get(id))?.versions.length ?? 0

async function turn({ engine, session }: Payday): Promise<void> {
  for (const step of ['plan', 'sign', 'send'] as const) await engine.payouts[step]()
  await session.until(() => true)
}
async function turnUntil(
  payday: Payday,
  withdrawal: WithdrawalRecord,
  reached: (now: WithdrawalRecord) => boolean,
): Promise<void> {
  while (!payday.signal.aborted && !reached(await current(payday, withdrawal))) await turn(payday)
}
/** Until nothing of its spend waits for a signature or for being sent. */
async function sendAll(payday: Payday, withdrawal: WithdrawalRecord): Promise<void> {
  const { engine, signal } = payday
  for (;;) {
    const { spend: id } = await current(payday, withdrawal)
    const spend = id === undefined ? undefined : await engine.spends.get(id)
    const version = spend?.versions.at(-1)
    const waits = ['created', 'partially_signed', 'signed', 'finalized']
    if (signal.aborted || !version || !waits.includes(version.status)) return
    await turn(payday)
  }
}
async function mine({ world, session, signal }: Payday, id: string, blocks: number) {
  if (signal.aborted) return
  if (!world.done.includes(id)) world.perform(id, { do: 'mine', blocks })
  await session.until(() => true)
}

/** Writes down what the engine sends before the node has it: after a stop the chain is made again with it. */
export function remembering(broadcaster: Broadcaster, world: World): Broadcaster {
  return {
    ...broadcaster,
    send(token, maxRate) {
      const id = `relayed.${token.txid}`
      if (!world.done.includes(id)) world.perform(id, { do: 'relay', raw: toHex(token.bytes) })
      return broadcaster.send(token, maxRate)
    },
  }
}
