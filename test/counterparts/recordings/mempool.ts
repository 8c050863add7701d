import { type Txid, toHex } from '@kaccy/bitcoin/kernel'
import { expect } from 'vitest'
import { A, B, type Cases, H111, R, same } from './cases.ts'

/** Mempool, transactions, coins and the node itself. */
export const MEMPOOL_CASES: Cases = {
  getconnectioncount: { play: (client) => client.getConnectionCount(), check: same(0) },
  getindexinfo: {
    play: (client) => client.getIndexInfo(),
    gives: [
      { name: 'txindex', synced: true, bestBlockHeight: 109 },
      { name: 'basic block filter index' },
    ],
  },
  getmempoolancestors: { play: (client) => client.getMempoolAncestors(A), check: same([]) },
  getmempooldescendants: { play: (client) => client.getMempoolDescendants(R), check: same([]) },
  'getmempoolentry-missing': {
    play: (client) => client.getMempoolEntry(A),
    check: same(undefined),
  },
  'getmempoolentry-replaced': {
    play: (client) => client.getMempoolEntry(R),
    check: same(undefined),
  },
  getmempoolentry: {
    play: (client) => client.getMempoolEntry(R),
    gives: { fee: 1410n, vsize: 141, replaceable: true, unbroadcast: true, depends: [] },
  },
  'getmempoolinfo-empty': {
    play: (client) => client.getMempoolInfo(),
    gives: { loaded: true, size: 0, totalFee: 0n },
  },
  getmempoolinfo: {
    play: (client) => client.getMempoolInfo(),
    gives: { size: 2, totalFee: 3720n, minRate: 1000n, fullReplacement: true },
  },
  getmininginfo: {
    play: (client) => client.getMiningInfo(),
    gives: { chain: 'regtest', difficulty: 4.656542373906925e-10 },
  },
  getnettotals: {
    play: (client) => client.getNetTotals(),
    check: same({ bytesReceived: 0, bytesSent: 0, time_ms: 1795370831231 }),
  },
  getnetworkinfo: {
    play: (client) => client.getNetworkInfo(),
    gives: { version: 280100, subversion: '/Satoshi:28.1.0()/', relayRate: 1000n },
  },
  getpeerinfo: { play: (client) => client.getPeerInfo(), check: same([]) },
  'getrawmempool-after-reorg': { play: (client) => client.getRawMempool(), check: same([B, A]) },
  'getrawmempool-sequence': {
    play: (client) => client.getRawMempoolWithSequence(),
    check: same({ txids: [R, A], sequence: 3 }),
  },
  'getrawmempool-verbose': {
    play: (client) => client.getRawMempoolEntries(),
    check: (entries: Map<Txid, { fee: bigint }>) => {
      expect([...entries.keys()]).toEqual([R, A])
      expect(entries.get(A)?.fee).toBe(2310n)
    },
  },
  getrawmempool: { play: (client) => client.getRawMempool(), check: same([R, A]) },
  'getrawtransaction-confirmed': {
    play: (client) => client.getTransaction(A),
    gives: {
      txid: A,
      confirmations: 1,
      blockHash: H111,
      outputs: [{ amount: 20000000n }, {}, {}, {}],
    },
  },
  'getrawtransaction-hex': {
    play: (client) => client.getRawTransaction(A),
    check: (bytes: Uint8Array) => expect(bytes).toHaveLength(312),
  },
  'getrawtransaction-mempool-verbose': {
    play: (client) => client.getTransactionWithSpent(A),
    check: (transaction: object) => {
      expect(transaction).toMatchObject({ txid: A, vsize: 231 })
      expect(transaction).not.toHaveProperty('blockHash')
    },
  },
  'gettxout-confirmed': {
    play: (client) => client.getTxOut({ txid: A, vout: 0 }),
    gives: { amount: 20000000n, confirmations: 1, coinbase: false },
  },
  'gettxout-mempool': {
    play: (client) => client.getTxOut({ txid: R, vout: 0 }),
    gives: { amount: 29000000n, confirmations: 0 },
  },
  'gettxout-spent': {
    play: (client) => client.getTxOut({ txid: R, vout: 0 }),
    check: same(undefined),
  },
  gettxoutproof: {
    play: (client) => client.getTxOutProof([A]),
    check: (bytes: Uint8Array) => expect(toHex(bytes.subarray(0, 4))).toBe('00000020'),
  },
  getzmqnotifications: {
    play: (client) => client.getZmqNotifications(),
    gives: [{ type: 'pubhashblock', highWaterMark: 1000 }, {}, {}],
  },
  uptime: { play: (client) => client.uptime(), check: same(2) },
}
