import { sat } from '@kaccy/bitcoin/kernel'
import { expect } from 'vitest'
import { A, B, type Cases, H110, H111, R, refusedWith, same } from './cases.ts'

/** Calls to a wallet of the node. */
export const WALLET_CASES: Cases = {
  bumpfee: {
    play: (client) => client.wallet('w').bumpFee(R),
    gives: { txid: B, originalFee: 1410n, fee: 2116n, errors: [] },
  },
  'error-listsinceblock-target-zero': {
    play: async (client) => {
      expect(() =>
        client.wallet('w').listSinceBlock({ block: H110, targetConfirmations: 0 }),
      ).toThrow('at least 1')
      return client.call('listsinceblock', [H110, 0], { wallet: 'w' })
    },
    throws: refusedWith(-8),
  },
  'error-wallet-not-found': {
    play: (client) => client.wallet('none').getWalletInfo(),
    throws: refusedWith(-18),
  },
  getbalances: {
    play: (client) => client.wallet('w').getBalances(),
    check: same({
      trusted: 54999995574n,
      untrustedPending: 0n,
      immature: 500000004426n,
      block: { hash: H111, height: 111 },
    }),
  },
  'getreceivedbyaddress-not-mine': {
    play: (client, [address = '']) => client.wallet('w').getReceivedByAddress(address, 0),
    throws: refusedWith(-4),
  },
  'gettransaction-confirmed': {
    play: (client) => client.wallet('w').getTransaction(A),
    gives: { confirmations: 1, fee: -2310n, block: { hash: H111, height: 111 }, amount: 0n },
  },
  'gettransaction-replaced': {
    play: (client) => client.wallet('w').getTransaction(R),
    gives: { confirmations: 0, replacedBy: B, conflicts: [B], replaceable: 'yes' },
  },
  importdescriptors: {
    play: (client, [imports]) => {
      const [first] = imports as unknown as { desc: string }[]
      return client.wallet('watch').importDescriptors([
        {
          descriptor: first?.desc ?? '',
          timestamp: 'now',
          range: [0, 99],
          active: true,
          internal: false,
        },
      ])
    },
    check: same([{ ok: true, warnings: [] }]),
  },
  'listsinceblock-after-reorg': {
    play: (client) => client.wallet('w').listSinceBlock({ block: H111 }),
    check: (history: { transactions: unknown[] }) =>
      expect(history.transactions.length).toBeGreaterThan(1),
  },
  'listsinceblock-confirmed': {
    play: (client) => client.wallet('w').listSinceBlock({ block: H110, targetConfirmations: 6 }),
    check: (history: { transactions: { amount: bigint; confirmations: number }[] }) =>
      expect(history.transactions[0]).toMatchObject({ amount: -29000000n, confirmations: 1 }),
  },
  'listsinceblock-removed': {
    play: (client) => client.wallet('w').listSinceBlock({ block: H111 }),
    check: (history: { removed: unknown[] }) => expect(history.removed.length).toBeGreaterThan(0),
  },
  'listsinceblock-unconfirmed': {
    play: (client) => client.wallet('w').listSinceBlock({ block: H110 }),
    check: (history: { transactions: { block?: unknown }[] }) =>
      expect(history.transactions.every((entry) => entry.block === undefined)).toBe(true),
  },
  listtransactions: {
    play: (client) => client.wallet('w').listTransactions(10),
    check: (entries: unknown[]) => {
      expect(entries).toHaveLength(10)
      expect(entries[0]).toMatchObject({ confirmations: -1, replacedBy: B, category: 'send' })
    },
  },
  listunspent: {
    play: (client, [, , addresses]) =>
      client.wallet('w').listUnspent({ addresses: addresses as unknown as string[] }),
    gives: [{ txid: B, vout: 1, amount: 29000000n, spendable: true, safe: true }],
  },
  walletcreatefundedpsbt: {
    play: (client, [, outputs]) => {
      const [address = ''] = Object.keys((outputs as unknown as object[])[0] ?? {})
      return client.wallet('w').walletCreateFundedPsbt([{ address, amount: sat(50_000_000n) }], '5')
    },
    gives: { fee: 655n, changePosition: 1 },
  },
  walletprocesspsbt: {
    play: (client, [psbt = '']) => client.wallet('w').walletProcessPsbt(psbt),
    gives: { complete: true },
  },
}
