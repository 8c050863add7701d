import { strict as assert } from 'node:assert'
import type { SendOutcome, Verdict } from '@kaccy/bitcoin/adapters/bitcoind'
import type { BlockHash, Txid } from '@kaccy/bitcoin/kernel'
import { type Bench, NOBODY, point, sameBytes } from './bench.ts'
import { OWN_SCRIPT, pay } from './build.ts'
import type { Check } from './check.ts'

const FEE = 10_000n

/** Mempool, coins and publishing. */
export const MONEY_CHECKS: readonly Check[] = [
  {
    name: 'a payment enters the mempool with its exact bytes and amounts',
    run: async (bench) => {
      const coin = await bench.coin()
      const odd = 123_457n
      const payment = pay({ coins: [coin], amounts: [odd, coin.amount - odd - FEE] })
      await bench.accept(payment)
      assert.equal(await bench.isInMempool(payment), true)
      const txid = payment.txid as Txid
      const raws = await bench.source.mempoolTransactions([NOBODY, txid, NOBODY])
      assert.equal(raws.length, 3)
      assert.equal(raws[0] ?? raws[2], undefined)
      sameBytes(raws[1], payment.raw)
      const [first, second, third] = await bench.source.coins(
        [0, 1, 2].map((vout) => ({ txid, vout })),
      )
      assert.equal(first?.amount, odd)
      assert.equal(first?.confirmations, 0)
      assert.equal(first?.coinbase, false)
      sameBytes(first?.script, OWN_SCRIPT)
      assert.equal(second?.amount, coin.amount - odd - FEE)
      assert.equal(third, undefined)
    },
  },
  {
    name: 'a coin that the mempool spends is spent',
    run: async (bench) => {
      const coin = await bench.coin()
      assert.equal((await bench.source.coins([point(coin)]))[0]?.amount, coin.amount)
      await bench.accept(pay({ coins: [coin], amounts: [coin.amount - FEE] }))
      assert.deepEqual(await bench.source.coins([point(coin)]), [undefined])
    },
  },
  {
    name: 'a mined coin has its confirmations, and is known as a coinbase',
    run: async (bench) => {
      const { coin } = await bench.mine()
      await bench.mine()
      const [found] = await bench.source.coins([point(coin)])
      assert.equal(found?.confirmations, 2)
      assert.equal(found?.coinbase, true)
      assert.equal(found?.amount, coin.amount)
    },
  },
  {
    name: 'order and gaps survive several batches',
    run: async (bench) => {
      const { coin } = await bench.mine()
      const asked = Array.from({ length: 250 }, (_, i) =>
        i % 10 === 7 ? point(coin) : { txid: NOBODY, vout: i },
      )
      const found = await bench.source.coins(asked)
      assert.deepEqual(
        found.map((one) => one !== undefined),
        asked.map(({ txid }) => txid !== NOBODY),
      )
    },
  },
  {
    name: 'the bytes of a transaction come from the mempool, and from its block without any index',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE] })
      const txid = payment.txid as Txid
      assert.equal(await bench.source.transaction?.(txid), undefined)
      await bench.accept(payment)
      sameBytes(await bench.source.transaction?.(txid), payment.raw)
      const { height, hash } = await bench.mine([payment])
      const ref = { height, hash: hash as BlockHash }
      sameBytes(await bench.source.transaction?.(txid, ref), payment.raw)
      assert.equal(await bench.source.transaction?.(NOBODY, ref), undefined)
    },
  },
  {
    name: 'the same bytes again do no harm',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE] })
      await bench.accept(payment)
      assert.match((await bench.send(payment)).status, /^(accepted|already_known)$/)
      await bench.mine([payment])
      assert.equal(await bench.isInMempool(payment), false)
      assert.equal((await bench.send(payment)).status, 'already_known')
    },
  },
  {
    name: 'a mined payment whose outputs are spent is never taken for failed',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE] })
      const change = { txid: payment.txid, vout: 0, amount: coin.amount - FEE }
      const next = pay({ coins: [change], amounts: [change.amount - FEE] })
      await bench.mine([payment, next])
      const outcome = await bench.send(payment)
      if (outcome.status !== 'already_known') refused(outcome, 'retry_same')
    },
  },
  {
    name: 'a conflict that pays less is refused, one that pays more replaces',
    run: replaces,
  },
  {
    name: 'a test of a payment changes nothing',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE] })
      const [verdict] = await bench.client.testMempoolAccept([payment.raw])
      assert.equal(verdict?.allowed, true, verdict?.rejectReason)
      assert.equal(verdict?.fee, FEE)
      assert.equal(await bench.isInMempool(payment), false)
    },
  },
  {
    name: 'bytes that are no transaction will never be one',
    run: async (bench) =>
      refused(await bench.send({ txid: NOBODY, raw: Uint8Array.of(0, 255), fee: 0n }), 'never'),
  },
  {
    name: 'a broken signature is not taken',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE], broken: true })
      refused(await bench.send(payment), 'never', 'ask_human')
    },
  },
  {
    name: 'unknown inputs are waited for',
    run: async (bench) => {
      const payment = pay({
        coins: [{ txid: NOBODY, vout: 0, amount: 50_000n }],
        amounts: [40_000n],
      })
      refused(await bench.send(payment), 'retry_same')
    },
  },
  {
    name: 'a young coinbase is waited for',
    run: async (bench) => {
      const { coin } = await bench.mine()
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE] })
      refused(await bench.send(payment), 'retry_same')
    },
  },
  {
    name: 'a payment that is not final yet is waited for',
    run: async (bench) => {
      const coin = await bench.coin()
      const lockTime = (await bench.source.info()).tip.height + 50
      const payment = pay({ coins: [coin], amounts: [coin.amount - FEE], lockTime })
      const outcome = await bench.send(payment)
      if (outcome.status === 'accepted') return 'this node holds such payments in its mempool'
      refused(outcome, 'retry_same')
      return undefined
    },
  },
  {
    name: 'more out than in is never taken',
    run: async (bench) => {
      const coin = await bench.coin()
      const lie = { ...coin, amount: coin.amount + FEE }
      const payment = pay({ coins: [lie], amounts: [coin.amount + 1n] })
      refused(await bench.send(payment), 'never', 'ask_human')
    },
  },
  {
    name: 'one life of the node has one name, and its mempool is loaded',
    run: async ({ source }) => {
      const first = await source.mempool()
      const second = await source.mempool()
      assert.equal(first.epoch, second.epoch)
      assert.equal(second.loaded, true)
    },
  },
]

async function replaces(bench: Bench): Promise<void> {
  const coin = await bench.coin()
  const old = pay({ coins: [coin], amounts: [coin.amount - 3n * FEE] })
  const less = pay({ coins: [coin], amounts: [coin.amount - 2n * FEE] })
  const more = pay({ coins: [coin], amounts: [coin.amount - 6n * FEE] })
  await bench.accept(old)
  refused(await bench.send(less), 'replace')
  await bench.accept(more)
  assert.equal(await bench.isInMempool(old), false)
  assert.equal(await bench.isInMempool(more), true)
}

function refused(outcome: SendOutcome, ...verdicts: readonly Verdict[]): void {
  const said = JSON.stringify(outcome)
  assert.equal(outcome.status, 'refused', said)
  assert.ok('verdict' in outcome && verdicts.includes(outcome.verdict), said)
}
