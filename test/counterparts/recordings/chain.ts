import { expect } from 'vitest'
import { type Cases, H110, H111, refusedWith, same } from './cases.ts'

/** Blocks, headers, and how errors look. */
export const CHAIN_CASES: Cases = {
  'batch-mixed': {
    play: (client) =>
      client.rpc.askAll([
        { method: 'getblockcount', params: [] },
        { method: 'getblockhash', params: [999999] },
      ]),
    check: (replies: { ok: boolean; error?: unknown }[]) => {
      expect(replies.map((reply) => reply.ok)).toEqual([true, false])
      expect(replies[1]?.error).toEqual({ code: -8, message: 'Block height out of range' })
    },
  },
  'error-block-height-out-of-range': {
    play: (client) => client.getBlockHash(999999),
    check: same(undefined),
  },
  'error-block-not-found': {
    play: (client) => client.call('getblock', ['0'.repeat(64)]),
    throws: refusedWith(-5),
  },
  'error-invalid-params': {
    play: (client) => client.call('getblockhash', ['x']),
    throws: refusedWith(-3),
  },
  'error-method-not-found': {
    play: (client) => client.call('nosuchmethod'),
    throws: { code: 'NODE_METHOD_MISSING', remedy: 'human' },
  },
  'error-parse': {
    play: (client) => client.call('anything'),
    throws: refusedWith(-32700),
  },
  'error-tx-not-found': {
    play: (client) => client.call('getrawtransaction', ['1'.repeat(64)]),
    throws: refusedWith(-5),
  },
  'error-unauthorized': {
    play: (client) => client.getBlockCount(),
    throws: { code: 'NODE_UNAUTHORIZED', remedy: 'human' },
  },
  'error-wallet-not-specified': {
    play: (client) => client.call('getwalletinfo'),
    throws: refusedWith(-19),
  },
  'error-warming-up': {
    play: (client) => client.getBlockCount(),
    throws: { code: 'NODE_WARMING_UP', remedy: 'retry' },
  },
  getbestblockhash: { play: (client) => client.getBestBlockHash(), check: same(H110) },
  'getblock-0': {
    play: (client) => client.getRawBlock(H111),
    check: (bytes: Uint8Array) => expect(bytes).toHaveLength(783),
  },
  'getblock-1': {
    play: (client) => client.getBlock(H111),
    gives: { height: 111, confirmations: 1, previousBlockHash: H110, weight: 2370 },
  },
  'getblock-2': {
    play: (client) => client.getBlockTransactions(H111),
    check: (block: { transactions: { outputs: { amount: bigint }[] }[] }) => {
      expect(block.transactions).toHaveLength(3)
      expect(block.transactions[0]?.outputs[0]?.amount).toBe(5000004426n)
    },
  },
  'getblock-3': {
    play: (client) => client.getBlockWithSpent(H111),
    check: (block: { transactions: { inputs: { spent?: { amount: bigint } }[] }[] }) =>
      expect(block.transactions[1]?.inputs[0]?.spent?.amount).toBeTypeOf('bigint'),
  },
  'getblockchaininfo-before-reorg': {
    play: (client) => client.getBlockchainInfo(),
    gives: { chain: 'regtest', blocks: 111, bestBlockHash: H111 },
  },
  getblockchaininfo: {
    play: (client) => client.getBlockchainInfo(),
    gives: { blocks: 110, headers: 110, initialBlockDownload: false, pruned: false, warnings: [] },
  },
  getblockcount: { play: (client) => client.getBlockCount(), check: same(110) },
  getblockfilter: {
    play: (client) => client.getBlockFilter(H111),
    check: (answer: { filter: Uint8Array }) => expect(answer.filter).toHaveLength(19),
  },
  getblockhash: { play: (client) => client.getBlockHash(111), check: same(H111) },
  'getblockheader-hex': {
    play: (client) => client.getRawBlockHeader(H111),
    check: (bytes: Uint8Array) => expect(bytes).toHaveLength(80),
  },
  'getblockheader-stale': {
    play: (client) => client.getBlockHeader(H111),
    gives: { confirmations: -1, height: 111 },
  },
  getblockheader: {
    play: (client) => client.getBlockHeader(H111),
    gives: { confirmations: 1, height: 111, previousBlockHash: H110, time: 1795370850 },
  },
  getblockstats: {
    play: (client) => client.getBlockStats(H111),
    gives: { totalFee: 4426n, subsidy: 5000000000n, feeRatePercentiles: [10, 10, 10, 15, 15] },
  },
  'getchaintips-after-invalidate': {
    play: (client) => client.getChainTips(),
    gives: [{ status: 'invalid', branchLength: 1 }, { status: 'active' }],
  },
  'getchaintips-after-reorg': {
    play: (client) => client.getChainTips(),
    gives: [{ height: 112 }, { height: 111 }],
  },
  getchaintips: { play: (client) => client.getChainTips(), gives: [{ hash: H110 }] },
  'jsonrpc2-error': { play: (client) => client.getBlockHash(999999), check: same(undefined) },
  'jsonrpc2-ok': { play: (client) => client.getBlockCount(), check: same(115) },
}
