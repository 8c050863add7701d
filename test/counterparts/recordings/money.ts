import { expect } from 'vitest'
import { A, type Cases, type Play, refusedWith, SENT, same } from './cases.ts'

/** The txid that a send claims: the one the recordings name. */
const send: Play = (client, [hex]) =>
  client.sendRawTransaction({ txid: SENT, raw: Buffer.from(hex ?? '', 'hex') })
const refused = (verdict: string, code: number) => ({ status: 'refused', verdict, code })

/** Publishing, PSBTs, descriptors, scans and fees. */
export const MONEY_CASES: Cases = {
  analyzepsbt: {
    play: (client, [psbt = '']) => client.analyzePsbt(psbt),
    gives: { fee: 655n, estimatedRate: 5038n, estimatedVsize: 130, next: 'updater' },
  },
  decodepsbt: {
    play: (client, [psbt = '']) => client.decodePsbt(psbt),
    gives: { version: 0, outputCount: 2, fee: 655n, inputs: [{ amount: 4939997690n }] },
  },
  deriveaddresses: {
    play: (client, [descriptor = '']) => client.deriveAddresses(descriptor, [0, 4]),
    check: (addresses: string[]) => expect(addresses).toHaveLength(5),
  },
  'estimatesmartfee-bad-target': {
    play: (client) => client.estimateSmartFee(0),
    throws: refusedWith(-8),
  },
  'estimatesmartfee-economical': {
    play: (client) => client.estimateSmartFee(6, 'economical'),
    check: same({ ok: true, rate: 5000n, blocks: 6 }),
  },
  'estimatesmartfee-no-data': {
    play: (client) => client.estimateSmartFee(6),
    check: same({ ok: false, errors: ['Insufficient data or no feerate found'] }),
  },
  'estimatesmartfee-ok': {
    play: (client) => client.estimateSmartFee(6),
    check: same({ ok: true, rate: 5000n, blocks: 6 }),
  },
  finalizepsbt: {
    play: (client, [psbt = '']) => client.finalizePsbt(psbt),
    gives: { complete: true },
  },
  'getdescriptorinfo-bad-checksum': {
    play: (client, [descriptor = '']) => client.getDescriptorInfo(descriptor),
    throws: refusedWith(-5),
  },
  getdescriptorinfo: {
    play: (client, [descriptor = '']) => client.getDescriptorInfo(descriptor),
    gives: { checksum: '23tt3t28', isRange: true, hasPrivateKeys: false },
  },
  'scantxoutset-status': { play: (client) => client.scanTxOutSetStatus(), check: same(undefined) },
  scantxoutset: {
    play: (client, [, descriptors]) => client.scanTxOutSet(descriptors as unknown as string[]),
    gives: { height: 115, total: 30000000n, coins: [{ txid: A, vout: 1, amount: 30000000n }] },
  },
  'sendrawtransaction-already-in-mempool': {
    play: send,
    check: same({ status: 'accepted', txid: SENT }),
  },
  'sendrawtransaction-already-in-utxo-set': {
    play: send,
    check: same({ status: 'already_known', txid: SENT }),
  },
  'sendrawtransaction-decode-failed': { play: send, gives: refused('never', -22) },
  'sendrawtransaction-dust': { play: send, gives: refused('replace', -26) },
  'sendrawtransaction-immature-coinbase': { play: send, gives: refused('retry_same', -26) },
  'sendrawtransaction-max-fee-exceeded': { play: send, gives: refused('ask_human', -25) },
  'sendrawtransaction-min-relay-fee': { play: send, gives: refused('replace', -26) },
  'sendrawtransaction-missing-inputs': { play: send, gives: refused('retry_same', -25) },
  'sendrawtransaction-non-final': { play: send, gives: refused('retry_same', -26) },
  'sendrawtransaction-ok': { play: send, check: same({ status: 'accepted', txid: SENT }) },
  'sendrawtransaction-rbf-insufficient-fee': { play: send, gives: refused('replace', -26) },
  'sendrawtransaction-unsigned': { play: send, gives: refused('never', -26) },
  'submitpackage-parent-zero-fee': {
    play: (client, [raws]) =>
      client.submitPackage((raws as unknown as string[]).map((raw) => Buffer.from(raw, 'hex'))),
    gives: {
      message: 'transaction failed',
      transactions: [{ verdict: 'replace' }, { verdict: 'retry_same' }],
    },
  },
  'testmempoolaccept-max-fee': {
    play: (client, [raws]) =>
      client.testMempoolAccept((raws as unknown as string[]).map((raw) => Buffer.from(raw, 'hex'))),
    gives: [{ allowed: false, rejectReason: 'max-fee-exceeded' }],
  },
  'testmempoolaccept-ok': {
    play: (client, [raws]) =>
      client.testMempoolAccept((raws as unknown as string[]).map((raw) => Buffer.from(raw, 'hex'))),
    gives: [{ allowed: true, txid: SENT, vsize: 110, fee: 100000n, effectiveRate: 909090n }],
  },
}
