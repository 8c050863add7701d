/**
 * One process of the limits race: asks for withdrawals, many at a time as a server would, gives some up again, and prints
 * what was decided. It waits for a line on its input, so that all begin together.
 */
import { once } from 'node:events'
import { argv, stdin, stdout } from 'node:process'
import { sat, type WalletId, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { approve, judge, type PolicySubject, release, reserve } from '@kaccy/bitcoin/policy'
import { type Meeting, openMeeting } from './store.ts'

export interface PayerErrand {
  readonly meeting: Meeting
  readonly name: string
  readonly count: number
  /** Milliseconds since the epoch: all requests are of this moment. */
  readonly at: number
  /** One in so many is given up at once; 0: none. */
  readonly giveUp: number
}
export interface Asked {
  readonly withdrawal: string
  readonly user: string
  readonly decision: string
  readonly givenUp: boolean
}
export interface PayerReport {
  readonly asked: readonly Asked[]
  /** Of the request that everybody approves at once: who was told that it is complete. */
  readonly completed: readonly string[]
  readonly approved: readonly string[]
}

const AT_A_TIME = 8
const SHARED = 'wdr_shared' as WithdrawalId

async function run({ meeting, name, count, at, giveUp }: PayerErrand): Promise<void> {
  const { store, close } = await openMeeting(meeting)
  const asked: Asked[] = []
  const completed: string[] = []
  const approved: string[] = []
  let next = 0
  const ask = async (n: number) => {
    const user = `u${n % 5}`
    const subject: PolicySubject = {
      withdrawal: `wdr_${name}_${n}` as WithdrawalId,
      wallet: `wal_${n % 3}` as WalletId,
      amount: sat(100n),
      maxFee: sat(0n),
      address: 'x',
      script: Uint8Array.of(n % 7),
      user,
      initiator: 'api:1',
      at,
      metadata: {},
    }
    const { decision } = await store.transact(async (tx) => {
      const verdict = await judge(tx, subject)
      if (verdict.decision !== 'deny') await reserve(tx, subject)
      return verdict
    })
    const givenUp = decision !== 'deny' && giveUp > 0 && n % giveUp === 0
    if (givenUp) await store.transact((tx) => release(tx, subject.withdrawal, at))
    asked.push({ withdrawal: subject.withdrawal, user, decision, givenUp })
  }
  /** The same ten people in both processes: each counts once, and one of them is the last that was needed. */
  const approveShared = async (person: number) => {
    const by = `operator:p${person}`
    const answer = await store.transact(async (tx) => {
      const digest = (await tx.policy.decision(SHARED))?.verdict.digest ?? ''
      return approve(tx, { withdrawal: SHARED, digest, by, at })
    })
    if (!answer.ok) return
    approved.push(by)
    if (answer.value.complete && answer.value.have === answer.value.need) completed.push(by)
  }
  const client = async (id: number) => {
    for (let n = next++; n < count; n = next++) {
      await ask(n)
      if (n % 10 === 0) await approveShared((n / 10) % 10)
    }
    await approveShared(id)
  }

  stdout.write('ready\n')
  await once(stdin, 'data')
  await Promise.all(Array.from({ length: AT_A_TIME }, (_, id) => client(id)))
  await close()
  const report: PayerReport = { asked, completed, approved }
  stdout.write(`${JSON.stringify(report)}\n`, () => stdin.destroy())
}

await run(JSON.parse(argv[2] ?? '{}'))
