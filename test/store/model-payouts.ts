import type { SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import { sat } from '@kaccy/bitcoin/kernel'
import type { StoreTx } from '@kaccy/bitcoin/testing'
import {
  blockOf,
  freezeOf,
  leaseOf,
  paymentOf,
  pointOf,
  psbtIdOf,
  spendIdOf,
  spendOf,
  txidOf,
  versionOf,
  walletIdOf,
  withdrawalIdOf,
  withdrawalOf,
} from '@kaccy/bitcoin/testing'

interface Numbers {
  readonly a: number
  readonly b: number
  readonly c: number
}
type Play = (tx: StoreTx, numbers: Numbers) => Promise<unknown>

const some = <K extends string, V>(key: K, on: boolean, value: V) =>
  (on ? { [key]: value } : {}) as { [P in K]?: V }
const pick = <T>(list: readonly [T, ...T[]], number: number): T =>
  list[number % list.length] ?? list[0]

/** Outputs that the model's payments have. */
const coinAt = (a: number, b: number) => pointOf(a, b * 5)

const spendFor = (a: number, b: number, c: number): SpendRecord =>
  spendOf(a, {
    wallet: walletIdOf(b % 2),
    purpose: pick(['payout', 'consolidation', 'child'], b),
    status: pick(['open', 'mined', 'settled', 'dropped', 'lost'], c),
    versions: b,
    ...some('bumpAt', b > 2, c),
    ...some('mined', c > 0 && c < 4, {
      psbt: psbtIdOf(a),
      txid: txidOf(b),
      block: blockOf(b),
    }),
  })
const versionFor = (a: number, b: number, c: number): VersionRecord =>
  versionOf(a, {
    spend: spendIdOf(b % 3),
    number: c,
    wallet: walletIdOf(b % 2),
    status: pick(['created', 'finalized', 'broadcast'], c),
    ...some('txid', b > 1, txidOf(b)),
    ...some('nextAt', c > 1, b),
    ...some('claimedUntil', b > 3, c),
    ...some('raw', c === 5, Uint8Array.of(a, b, c)),
  })
const withdrawalFor = (a: number, b: number, c: number): WithdrawalRecord =>
  withdrawalOf(a, {
    wallet: walletIdOf(b % 2),
    metadata: { k: `v${b}` },
    status: pick(['requested', 'approved', 'sending'], c),
    ...some('externalId', b > 3, `ext${b}`),
    ...some('customer', b > 2, `cus${b % 2}`),
    ...some('user', b === 1, 'usr'),
    ...some('planAt', c > 0, b),
    ...some('spend', c > 2, spendIdOf(b)),
  })

const COINS: Record<string, Play> = {
  /** Money as coins are: credited, or change whose transaction decides. */
  coin: ({ deposits }, { a, b, c }) =>
    deposits.savePayments([
      paymentOf(a, b * 5, {
        wallet: walletIdOf(b % 2),
        amount: sat(10n ** BigInt(b)),
        purpose: c % 2 === 0 ? 'change' : 'order',
        ...some('spender', c === 5, txidOf(c)),
        booked: c > 2 ? { state: 'credited', block: blockOf(c) } : { state: 'none' },
      }),
    ]),
  lease: ({ coins }, { a, b, c }) => coins.lease([leaseOf(coinAt(a, b), c)]),
  leaseTwo: ({ coins }, { a, b, c }) =>
    coins.lease([leaseOf(coinAt(b, a), c), leaseOf(coinAt(a, c), c, { wallet: walletIdOf(0) })]),
  release: ({ coins }, { a, b, c }) =>
    coins.release(spendIdOf(c), c > 3 ? undefined : [coinAt(a, b), coinAt(b, a)]),
  freeze: ({ coins }, { a, b, c }) =>
    coins.freeze([freezeOf(coinAt(a, b), { wallet: walletIdOf(b % 2), at: c })]),
  thaw: ({ coins }, { a, b }) => coins.unfreeze([coinAt(a, b), coinAt(b, b)]),
  fund: async ({ coins }, { a, b }) => {
    const funds = await coins.lockFunds(walletIdOf(a % 2))
    await coins.saveFunds({ ...funds, queued: sat(BigInt(b)), fence: funds.fence + 1 })
  },
  coins: async ({ coins }, { a, b, c }) => [
    await coins.funds(walletIdOf(a % 2)),
    await coins.freeCoins({
      wallet: walletIdOf(b % 2),
      ownChange: c > 1,
      limit: a + 1,
      ...some('after', c > 3, paymentOf(a, b * 5).id),
    }),
    await coins.coins([coinAt(a, b), coinAt(b, c), coinAt(a, b)]),
    await coins.encumbered(walletIdOf(b % 2)),
    await coins.ownChange(walletIdOf(b % 2)),
    await coins.leases([coinAt(a, b), coinAt(b, a)]),
    await coins.leasesOf(spendIdOf(c)),
    await coins.frozen([coinAt(a, b), coinAt(b, b)]),
    await coins.listFrozen(walletIdOf(b % 2), undefined, c),
  ],
}

const SPENDING: Record<string, Play> = {
  spend: ({ spending }, { a, b, c }) => spending.insertSpend(spendFor(a, b, c)),
  respend: ({ spending }, { a, b, c }) => spending.saveSpend(spendFor(a, b, c)),
  version: ({ spending }, { a, b, c }) => spending.insertVersion(versionFor(a, b, c)),
  reversion: ({ spending }, { a, b, c }) => spending.saveVersion(versionFor(a, b, c)),
  spends: async ({ spending }, { a, b, c }) => [
    await spending.lockSpends([c, a, b].map(spendIdOf)),
    await spending.listSpends({
      limit: c + 1,
      ...some('wallet', a % 2 === 0, walletIdOf(b % 2)),
      ...some('wallets', a % 3 === 0, [walletIdOf(0), walletIdOf(1)]),
      ...some('purpose', b > 3, 'payout' as const),
      ...some('status', b % 2 === 0, 'open' as const),
      ...some('before', c > 3, spendIdOf(a)),
    }),
    await spending.liveSpends(c > 3 ? spendIdOf(a) : undefined, b),
    await spending.settledAbove(a),
    await spending.dueBumps(a, b),
  ],
  versions: async ({ spending }, { a, b, c }) => [
    await spending.version(psbtIdOf(a)),
    await spending.versionsOf([b, a].map(spendIdOf)),
    await spending.versionByTxid(txidOf(b)),
    await spending.listVersions({
      limit: c + 1,
      ...some('wallet', a % 2 === 0, walletIdOf(b % 2)),
      ...some('status', b % 2 === 0, 'created' as const),
      ...some('before', c > 3, psbtIdOf(a)),
    }),
    await spending.dueVersions(['broadcast', 'created', 'finalized'], a, b + 1),
  ],
}

const WITHDRAWALS: Record<string, Play> = {
  withdraw: ({ withdrawals }, { a, b, c }) => withdrawals.insert(withdrawalFor(a, b, c)),
  progress: ({ withdrawals }, { a, b, c }) =>
    withdrawals.save([withdrawalFor(a, b, c), withdrawalFor(a, c, b)]),
  withdrawals: async ({ withdrawals }, { a, b, c }) => [
    await withdrawals.lock([c, a, b].map(withdrawalIdOf)),
    await withdrawals.byExternalId(`ext${b}`),
    await withdrawals.list({
      limit: c + 1,
      ...some('wallet', a % 2 === 0, walletIdOf(b % 2)),
      ...some('wallets', a % 3 === 0, [walletIdOf(0), walletIdOf(1)]),
      ...some('status', b % 2 === 0, 'approved' as const),
      ...some('customer', c === 2, `cus${a % 2}`),
      ...some('user', c === 3, 'usr'),
      ...some('metadata', b > 3, { key: 'k', value: `v${b}` }),
      ...some('before', c > 3, withdrawalIdOf(a)),
      ...some('createdFrom', a === 5, withdrawalOf(b).createdAt),
      ...some('createdUntil', a === 4, withdrawalOf(b).createdAt),
    }),
    await withdrawals.plannable(walletIdOf(b % 2), a, c + 1),
    await withdrawals.plannableWallets(a),
    await withdrawals.ofSpends([b, a].map(spendIdOf)),
  ],
}

/** Calls on coins, spends and withdrawals. */
export const PAYOUTS: Record<string, Play> = { ...COINS, ...SPENDING, ...WITHDRAWALS }
