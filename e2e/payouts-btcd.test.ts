import { assert, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { decodeTransaction, type Transaction, weightOf } from '@kaccy/bitcoin/protocol/transaction'
import type { VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBitcoind, startBitcoind } from '../test/counterparts/bitcoind.ts'
import { findBtcd, startBtcd } from '../test/counterparts/btcd.ts'
import { reasonToSkip, type TestNode } from '../test/counterparts/node.ts'
import { NodeDesk, type WalletKind } from '../test/payouts/node-desk.ts'
import { RegtestChain } from '../tools/regtest/chain.ts'
import { Strangers } from '../tools/regtest/strangers.ts'

/** Bitcoin Core is in no registry, so it is promised only where `BITCOIND` names it. */
const NODES = [
  // It deletes a regtest chain whenever it starts, so its restart is the end of the world and no story.
  { name: 'btcd', found: await findBtcd(), promised: true, start: startBtcd, keepsChain: false },
  {
    name: 'Bitcoin Core',
    found: await findBitcoind(),
    promised: process.env['BITCOIND'] !== undefined,
    start: startBitcoind,
    keepsChain: true,
  },
]
const KINDS: readonly WalletKind[] = ['p2wpkh', 'p2tr', 'wsh(sortedmulti)']
const STORIES = {
  'sent, thrown out by another block, and mined again': isMinedAgain,
  'bumped, and then the original is mined': isBumped,
  'cancelled by a conflicting spend': isCancelled,
  'cancelled, and paid after all': isPaidAfterAll,
  'mined and spent unseen, and sent again': isSentAgain,
}
const COINS_PER_STORY = 3
const CASES = KINDS.flatMap((kind) =>
  Object.entries(STORIES).map(([story, tell]) => [kind, story, tell] as const),
)

for (const { name, found, promised, start, keepsChain } of NODES) {
  const missing = reasonToSkip(name, found, promised)
  describe.skipIf(missing !== undefined)(`payouts on ${name}, really signed`, () => {
    let node: TestNode
    let chain: RegtestChain
    const strangers = new Strangers('payouts')
    beforeAll(async () => {
      node = await start()
      const now = () => Math.floor(Date.now() / 1000)
      chain = new RegtestChain({ rpc: (...call) => node.rpc(...call), strangers, now })
      await chain.prepare(COINS_PER_STORY * (CASES.length + 1))
    })
    afterAll(async () => {
      await node.stop()
    })
    const play = async (
      kind: WalletKind,
      story: string,
      tell: (desk: NodeDesk) => Promise<void>,
    ) => {
      const desk = await NodeDesk.open({ node, chain, strangers, kind, story })
      try {
        await tell(desk)
        expect(await desk.alerts()).toEqual([])
        expect((await desk.engine.ledger.verify()).differences).toEqual([])
        expect((await desk.engine.audit.verify()).ok).toBe(true)
      } finally {
        await desk.close()
      }
    }
    test.each(CASES)('%s: %s', play)
    if (keepsChain)
      test('the node is restarted while a payout waits', () =>
        play('p2wpkh', 'restart', (desk) => survivesRestart(desk, node)))
  })
}

/** Whatever the node remembers, the payout is out again soon. */
async function survivesRestart(d: NodeDesk, node: TestNode): Promise<void> {
  await d.fund(300_000)
  const asked = await d.pay(100_000)
  const sent = await expectAsPlanned(d, asked)
  await node.restart()
  await d.turn()
  await d.wait()
  expect(await d.inMempool(sent.txid)).toBeDefined()
  await d.mine()
  await d.bury()
  await expectPaidOnce(d, asked)
}

/** Two people paid by one transaction, of several coins where each needs one signature. */
async function isMinedAgain(d: NodeDesk): Promise<void> {
  const isSingle = d.kind !== 'wsh(sortedmulti)'
  await (isSingle ? d.fund(60_000, 70_000, 80_000) : d.fund(210_000))
  const asked = await d.pay(90_000, 70_000)
  const sent = await expectAsPlanned(d, asked)
  expect(sent.transaction.inputs.length).toBe(isSingle ? 3 : 1)
  expect(await d.statuses(asked)).toEqual(['sending', 'sending'])
  await d.mine()
  expect(await d.statuses(asked)).toEqual(['mined', 'mined'])

  await d.chain.reorg(1, [[]])
  await d.turn()
  expect(await d.statuses(asked)).toEqual(['sending', 'sending'])
  await d.wait()
  expect(await d.inMempool(sent.txid)).toBeDefined()
  await d.mine()
  expect(await d.statuses(asked)).toEqual(['mined', 'mined'])
  await d.bury()
  await expectPaidOnce(d, asked)
}

/** The bump needs another coin, where that does not need more signatures than planned here; another block has the original. */
async function isBumped(d: NodeDesk): Promise<void> {
  const needsMore = d.kind !== 'wsh(sortedmulti)'
  await d.fund(needsMore ? 101_000 : 300_000)
  const asked = await d.payWithin(100_000, 1_000)
  const first = await expectAsPlanned(d, asked)
  if (needsMore) await d.fund(50_000)
  const second = await bump(d, only(asked), 15_000n)
  expect(await d.inMempool(first.txid)).toBeUndefined()
  expect(second.transaction.inputs.length).toBe(needsMore ? 2 : 1)
  const third = await bump(d, only(asked), 20_000n)
  await d.mine()
  expect(await d.get(only(asked).id)).toMatchObject({ status: 'mined', txid: third.txid })

  await d.chain.reorg(1, [[transactionOf(first)]])
  await d.turn()
  expect(await d.get(only(asked).id)).toMatchObject({ status: 'mined', txid: first.txid })
  await d.bury()
  await expectPaidOnce(d, asked)
  const { leases, frozen } = await d.engine.coins.holds(third.transaction.inputs)
  expect([leases, frozen]).toEqual([[], []])
}
async function bump(d: NodeDesk, asked: WithdrawalRecord, rate: bigint): Promise<VersionRecord> {
  const before = await d.current(asked.id)
  const speed = { kind: 'rate', rate: satPerKvB(rate) } as const
  const bumped = await d.engine.withdrawals.bump(
    asked.id,
    { speed, maxFee: sat(20_000n) },
    'operator:test',
  )
  assert(bumped.ok, bumped.ok ? '' : bumped.error.message)
  await d.turn()
  const version = await expectAsPlanned(d, [asked])
  expect(version).toMatchObject({ number: before.number + 1, kind: 'bump' })
  expect(version.fee > before.fee).toBe(true)
  return version
}

/** Sent, then given up: nothing ends before the conflicting spend is buried. */
async function isCancelled(d: NodeDesk): Promise<void> {
  const { asked } = await cancelledBeforeMined(d)
  await d.mine()
  expect(await d.statuses(asked)).not.toEqual(['cancelled'])
  await d.bury()
  expect(await d.statuses(asked)).toEqual(['cancelled'])
  expect(d.paidTo(only(asked).script).times).toBe(0)
}
/** Another block has the payment instead of the spend that was to cancel it. */
async function isPaidAfterAll(d: NodeDesk): Promise<void> {
  const { asked, first } = await cancelledBeforeMined(d)
  await d.mine()
  await d.chain.reorg(1, [[transactionOf(first)]])
  await d.turn()
  expect(await d.statuses(asked)).toEqual(['mined'])
  await d.bury()
  await expectPaidOnce(d, asked)
}
async function cancelledBeforeMined(d: NodeDesk) {
  await d.fund(300_000)
  const asked = await d.pay(50_000)
  const first = await expectAsPlanned(d, asked)
  const reason = 'changed our mind'
  const done = await d.engine.withdrawals.cancel(only(asked).id, reason, 'operator:test')
  assert(done.ok, done.ok ? '' : done.error.message)
  await d.turn()
  const second = await expectAsPlanned(d, asked)
  expect(second).toMatchObject({ number: 2, kind: 'cancel' })
  expect(await d.inMempool(first.txid)).toBeUndefined()
  return { asked, first }
}

/**
 * The node says that it is mined; then, when all of its outputs are spent, that its inputs are missing. Neither is the end of a
 * payout.
 */
async function isSentAgain(d: NodeDesk): Promise<void> {
  await d.fund(150_500)
  const asked = await d.payWithin(150_000, 500)
  const sent = await expectAsPlanned(d, asked)
  expect(sent.transaction.outputs.length).toBe(1)
  await d.chain.mine([transactionOf(sent)])
  await d.sendAgain(sent)
  expect((await d.current(only(asked).id)).lastSend).toMatchObject({ answer: 'already_known' })
  await d.chain.mine([d.spentByPayee(transactionOf(sent))])
  await d.sendAgain(sent)
  const { lastSend, sends } = await d.current(only(asked).id)
  expect([lastSend?.answer, sends]).toEqual(['refused', 3])
  expect(await d.statuses(asked)).toEqual(['sending'])
  await d.bury()
  await expectPaidOnce(d, asked)
}

type Asked = readonly WithdrawalRecord[]
function only([first]: Asked): WithdrawalRecord {
  assert(first, 'a withdrawal')
  return first
}
async function expectPaidOnce(d: NodeDesk, asked: Asked): Promise<void> {
  for (const { id, script, amount } of asked) {
    expect((await d.get(id)).status).toBe('settled')
    expect(d.paidTo(script)).toEqual({ times: 1, amount })
  }
}

function transactionOf({ raw }: VersionRecord): Transaction {
  const decoded = raw && decodeTransaction(raw)
  assert(decoded?.ok, 'final bytes')
  return decoded.value
}
/** The longest ECDSA signature with its hash type, which is planned. */
const LONGEST = 72
/** What the signatures are shorter than planned. */
const spared = ({ inputs }: Transaction): number =>
  inputs
    .flatMap(({ witness = [] }) => witness)
    // DER begins with a sequence; nothing else in these witnesses has that length and this beginning.
    .filter((item) => item[0] === 0x30 && item.length > 66 && item.length <= LONGEST)
    .reduce((sum, { length }) => sum + LONGEST - length, 0)

/** The version that is out now: the node has it with exactly the planned fee, and with the planned weight but for short signatures. */
async function expectAsPlanned(d: NodeDesk, asked: Asked): Promise<VersionRecord> {
  const version = await d.current(only(asked).id)
  for (const { id } of asked) expect((await d.current(id)).id).toBe(version.id)
  expect(version.status).toBe('broadcast')
  const transaction = transactionOf(version)
  const actual = weightOf(transaction)
  expect(await d.inMempool(version.txid)).toEqual({ fee: version.fee, weight: actual })
  expect(version.weight - actual).toBe(spared(transaction))
  expect(Math.ceil(version.weight / 4) - Math.ceil(actual / 4)).toBeLessThanOrEqual(1)
  expect(transaction.inputs.every(({ sequence }) => sequence === 0xffff_fffd)).toBe(true)
  return version
}
