import { readdirSync } from 'node:fs'
import { addressOf, createDevnet, type Devnet, namedKey } from '@kaccy/devnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ask, compareWith, folder, type Recording, recording } from './recording.ts'

const NOW = 1_795_370_832_000
let devnet: Devnet
/** What the scenes below refer to. */
let scene: Scene
interface Scene {
  readonly low: string
  readonly high: string
  readonly replaced: string
  readonly block: string
  readonly address: string
  readonly stale: string
}

const right = () => `${devnet.auth.user}:${devnet.auth.password}`
const rpc = (method: string, ...params: readonly unknown[]) =>
  ask(devnet, '/', JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }), right())

/** The recorded request again: for answers that do not depend on the chain. */
const again = (name: string) => {
  const { path, request: recorded, requestBody } = recording(name)
  return ask(devnet, path, requestBody ?? JSON.stringify(recorded), right())
}

const outsideWallet = () => namedKey('fixture receiver')
const addressFor = (script: Uint8Array): string => addressOf(script) ?? ''

/** Two payments like the recorded ones: two P2WPKH outputs, and P2SH, P2TR, P2PKH, P2TR outputs. */
function twoPayments(): { readonly low: string; readonly high: string } {
  const wpkh = outsideWallet().script
  const hash = wpkh.subarray(2)
  const x = outsideWallet().publicKey.subarray(1)
  const outs = [
    Uint8Array.of(0xa9, 20, ...hash, 0x87),
    Uint8Array.of(0x51, 32, ...x),
    Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac),
    Uint8Array.of(0x51, 32, ...x),
  ].map((script) => ({ script, amount: 100_000n }))
  const two = [wpkh, wpkh].map((script) => ({ script, amount: 200_000n }))
  const fee = 2310n
  const more = { change: false, rbf: true }
  const coinA = devnet.strangerCoin('fixture a').value - 200_000n - 1410n
  const coinB = devnet.strangerCoin('fixture b').value - 300_000n - fee
  const low = devnet.spend({
    from: 'fixture a',
    outs: [{ script: wpkh, amount: coinA }, ...two.slice(1)],
    ...more,
  })
  const high = devnet.spend({
    from: 'fixture b',
    outs: [...outs.slice(0, 3), { script: outs[3]?.script ?? wpkh, amount: coinB }],
    ...more,
  })
  return { low: low.raw, high: high.raw }
}

type Make = () => Promise<Answer> | Answer

beforeAll(async () => {
  // The recorded node publishes three topics on one address.
  const zmq = { topics: ['hashblock', 'rawtx', 'sequence'] } as const
  devnet = await createDevnet({ clock: () => NOW, zmq })
  devnet.posture.feeRate = 5000n
  const raw = twoPayments()
  const replaced = devnet.spend({
    from: 'fixture c',
    outs: [{ script: outsideWallet().script, amount: 50_000n }],
    rbf: true,
  })
  const address = addressFor(Uint8Array.of(0x51, 32, ...outsideWallet().publicKey.subarray(1)))
  scene = { ...raw, replaced: replaced.raw, block: '', stale: '', address }
}, 60_000)
afterAll(() => devnet.close())

/** Compared in wallet-recordings.test.ts, which holds that none of them is left out. */
const isWalletCall = ({ path, request }: Recording): boolean => {
  const { method = '' } = (request ?? {}) as { readonly method?: string }
  return path.startsWith('/wallet/') || /psbt|wallet/.test(method)
}
const served = new Set<string>()
/** Runs one recording against its scene and compares everything but the values. */
async function compare(name: string, make: Make): Promise<void> {
  served.add(name)
  const answer = await make()
  const { responseText } = recording(name)
  await compareWith(recording(name), () => answer)
  if (FIXED.includes(name)) expect(answer.text).toBe(responseText)
  expect({ name, constants: constants(answer.text) }).toEqual({
    name,
    constants: constants(responseText),
  })
}

/** Answers in which nothing depends on the chain, the clock or the machine: the same to the byte. */
const FIXED: readonly string[] = [
  'deriveaddresses',
  'estimatesmartfee-bad-target',
  'estimatesmartfee-economical',
  'estimatesmartfee-ok',
  'getconnectioncount',
  'getdescriptorinfo',
  'getdescriptorinfo-bad-checksum',
  'getnetworkinfo',
  'getpeerinfo',
  'scantxoutset-status',
]
/** Members that mean the same on every regtest chain: of these the values are compared too. */
const CONSTANT =
  /"(?:chain|difficulty|bits|version|versionHex|pruned|warnings|initialblockdownload|verificationprogress|loaded|maxmempool|mempoolminfee|minrelaytxfee|incrementalrelayfee|fullrbf|uploadtarget|synced|type|hwm|bip125-replaceable|unbroadcast|success|in_active_chain|subsidy|package_msg|allowed|reject-reason)":(?:"[^"]*"|\[\]|\{[^}]*\}|[^,}\]]+)/g
const constants = (text: string): readonly string[] => [...(text.match(CONSTANT) ?? [])].sort()

describe("Core's recorded answers", () => {
  it('are the same for calls that the chain does not decide', async () => {
    for (const name of [
      'error-block-height-out-of-range',
      'error-block-not-found',
      'error-invalid-params',
      'error-method-not-found',
      'error-parse',
      'error-tx-not-found',
      'error-wallet-not-found',
      'estimatesmartfee-bad-target',
      'estimatesmartfee-economical',
      'estimatesmartfee-ok',
      'getbestblockhash',
      'getblockcount',
      'getchaintips',
      'getconnectioncount',
      'getmempoolinfo-empty',
      'getmininginfo',
      'getnettotals',
      'getnetworkinfo',
      'getpeerinfo',
      'jsonrpc2-error',
      'jsonrpc2-ok',
      'scantxoutset-status',
      'sendrawtransaction-decode-failed',
      'batch-mixed',
      'deriveaddresses',
      'getdescriptorinfo',
      'getdescriptorinfo-bad-checksum',
      'getindexinfo',
      'getzmqnotifications',
      'uptime',
    ]) {
      await compare(name, () => again(name))
    }
    await compare('error-unauthorized', () => ask(devnet, '/', '{}', 'devnet:wrong'))
    await compare('getblockhash', () => rpc('getblockhash', 110))
    await compare('getblockchaininfo', () => rpc('getblockchaininfo'))
    devnet.posture.feeRate = undefined
    await compare('estimatesmartfee-no-data', () => again('estimatesmartfee-no-data'))
    await devnet.up({ warmingUp: true })
    await compare('error-warming-up', () => again('error-warming-up'))
    await devnet.up()
  })

  it('are the same for refused transactions', async () => {
    const send = (raw: string) => rpc('sendrawtransaction', raw)
    const { script } = outsideWallet()
    const paying = (from: string, amount: bigint, more: { fee?: bigint; locktime?: number } = {}) =>
      devnet.spend({ from, outs: [{ script, amount }], ...more }).raw
    const funds = devnet.strangerCoin('free').value
    const burn = { from: 'free', outs: [{ script, amount: funds }], change: false }
    const free = devnet.spend(burn).raw
    await compare('sendrawtransaction-min-relay-fee', () => send(free))
    const child = devnet.spend({
      from: `${txidOf(free)}:0`,
      outs: [{ script, amount: 50_000n }],
      keys: [outsideWallet().secret],
    })
    await compare('submitpackage-parent-zero-fee', () => rpc('submitpackage', [free, child.raw]))
    await compare('sendrawtransaction-dust', () => send(paying('dust', 100n)))
    const dear = paying('dear', 50_000n, { fee: 10_000_000n })
    await compare('sendrawtransaction-max-fee-exceeded', () => send(dear))
    await compare('testmempoolaccept-max-fee', () => rpc('testmempoolaccept', [dear]))
    const later = paying('later', 50_000n, { locktime: 215 })
    await compare('sendrawtransaction-non-final', () => send(later))
    const unsigned = stripWitness(paying('unsigned', 50_000n))
    await compare('sendrawtransaction-unsigned', () => send(unsigned))
    const early = spendYoungCoinbase()
    await compare('sendrawtransaction-immature-coinbase', () => send(early))
    const good = paying('good', 50_000n, { fee: 100_000n })
    await compare('testmempoolaccept-ok', () => rpc('testmempoolaccept', [good]))
    await compare('sendrawtransaction-ok', () => send(good))
    await compare('sendrawtransaction-already-in-mempool', () => send(good))
    const poor = paying('good', 50_000n, { fee: 50_000n })
    await compare('sendrawtransaction-rbf-insufficient-fee', () => send(poor))
    devnet.mine()
    await compare('sendrawtransaction-already-in-utxo-set', () => send(good))
    await compare('sendrawtransaction-missing-inputs', () => send(poor))
  })

  it('are the same for the mempool', async () => {
    const low = devnet.call('sendrawtransaction', [scene.low])
    const high = devnet.call('sendrawtransaction', [scene.high])
    await compare('getrawmempool', () => rpc('getrawmempool'))
    await compare('getrawmempool-sequence', () => rpc('getrawmempool', false, true))
    await compare('getrawmempool-verbose', () => rpc('getrawmempool', true))
    await compare('getmempoolinfo', () => rpc('getmempoolinfo'))
    await compare('getmempoolentry', () => rpc('getmempoolentry', low))
    await compare('getmempoolancestors', () => rpc('getmempoolancestors', high))
    await compare('getmempooldescendants', () => rpc('getmempooldescendants', low))
    await compare('gettxout-mempool', () => rpc('gettxout', low, 0, true))
    await compare('getrawtransaction-hex', () => rpc('getrawtransaction', high))
    await compare('getrawtransaction-mempool-verbose', () => rpc('getrawtransaction', high, 2))
    devnet.send(scene.replaced)
    const better = devnet.spend({ from: 'fixture c', outs: [] })
    const gone = devnet.view.mempool()[2]
    devnet.send(better.raw)
    await compare('getmempoolentry-replaced', () => rpc('getmempoolentry', gone))
    devnet.evict(better.txid)
  })

  it('are the same for blocks and their transactions, and after a reorganisation', async () => {
    const low = devnet.view.mempool()[0]
    const high = devnet.view.mempool()[1]
    const script = outsideWallet().script
    devnet.mineBlock({ txids: [low ?? '', high ?? ''], coinbaseTo: addressFor(script) })
    const block = devnet.tip.hash
    for (const level of [0, 1, 2, 3]) {
      await compare(`getblock-${level}`, () => rpc('getblock', block, level))
    }
    await compare('getblockchaininfo-before-reorg', () => rpc('getblockchaininfo'))
    await compare('getblockheader', () => rpc('getblockheader', block))
    await compare('getblockstats', () => rpc('getblockstats', block))
    await compare('getblockheader-hex', () => rpc('getblockheader', block, false))
    await compare('getrawtransaction-confirmed', () => rpc('getrawtransaction', high, true))
    await compare('gettxout-confirmed', () => rpc('gettxout', high, 0))
    await compare('getmempoolentry-missing', () => rpc('getmempoolentry', high))
    await compare('getblockfilter', () => rpc('getblockfilter', block))
    await compare('gettxoutproof', () => rpc('gettxoutproof', [high]))
    await compare('scantxoutset', () => rpc('scantxoutset', 'start', [lonely()]))
    await rpc('invalidateblock', block)
    await compare('getrawmempool-after-reorg', () => rpc('getrawmempool'))
    await compare('getblockheader-stale', () => rpc('getblockheader', block))
    await compare('getchaintips-after-invalidate', () => rpc('getchaintips'))
    devnet.mine(2)
    await compare('getchaintips-after-reorg', () => rpc('getchaintips'))
    await compare('gettxout-spent', () => rpc('gettxout', ...spentCoin(low ?? '')))
  })

  it('cover every recording but those of wallets', () => {
    const open = readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''))
      .filter((name) => !served.has(name) && !isWalletCall(recording(name)))
    expect(open).toEqual([])
  })
})

/** A descriptor that finds exactly one coin. */
function lonely(): string {
  const { script } = outsideWallet()
  const address = addressFor(Uint8Array.of(0xa9, 20, ...script.subarray(2), 0x87))
  return `addr(${address})`
}
const spentCoin = (txid: string): readonly [txid: string, vout: number] => {
  const view = devnet.call('getrawtransaction', [txid, 1]) as {
    readonly vin: readonly { readonly txid: string; readonly vout: number }[]
  }
  const [input] = view.vin
  return [input?.txid ?? '', input?.vout ?? 0]
}
const txidOf = (raw: string): string =>
  (devnet.call('decoderawtransaction', [raw]) as { readonly txid: string }).txid
function stripWitness(raw: string): string {
  // Marker and flag, and the witness of the single input between outputs and lock time.
  const view = devnet.call('decoderawtransaction', [raw]) as {
    readonly vin: readonly { readonly txinwitness: readonly string[] }[]
  }
  const witness = view.vin[0]?.txinwitness ?? []
  const size = 1 + witness.reduce((sum, item) => sum + 1 + item.length / 2, 0)
  return raw.slice(0, 8) + raw.slice(12, raw.length - 8 - 2 * size) + raw.slice(-8)
}
function spendYoungCoinbase(): string {
  const [coinbase = ''] = devnet.view.blockTxids(devnet.tip.hash) ?? []
  const { script } = outsideWallet()
  return devnet.spend({ from: `${coinbase}:0`, outs: [{ script, amount: 50_000n }] }).raw
}
