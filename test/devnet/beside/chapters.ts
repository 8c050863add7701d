import { ALICE } from './keys.ts'
import { mine, type Point, psbt, send, type Story, SPENDABLE, spend, take } from './story.ts'

type Chapter = (story: Story) => Promise<void>

/** Blocks of both nodes, until there are coins to spend. */
const coins: Chapter = async (story) => {
  const { pair } = story
  const hashes = [...(await mine(story, 'core', 60)), ...(await mine(story, 'devnet', 60))]
  for (const hash of hashes.slice(0, 20)) {
    const block = await pair.ask<{ tx: string[] }>('getblock', [hash])
    story.coins.push({ txid: block.tx[0] ?? '', vout: 0 })
  }
  await pair.travel(600)
}

/** One output of every form, data, a bare multisig and a future witness; then all of them spent. */
const forms: Chapter = async (story) => {
  const { pair, addresses } = story
  const { txid, hex } = await spend(
    story,
    [take(story)],
    [...addresses.map((address) => ({ [address]: '1.5' })), { data: '68656c6c6f' }],
  )
  await send(story, hex)
  await mine(story, 'devnet')
  const spent = addresses.map((_, vout): Point => ({ txid, vout }))
  const first = await psbt(story, spent, [{ [story.home]: '16.499' }, { data: '00' }])
  let signed = first
  for (const descriptor of SPENDABLE) {
    const { descriptor: bare, checksum } = await pair.ask<Record<string, string>>(
      'getdescriptorinfo',
      [descriptor],
    )
    if (bare === undefined) continue
    const options = [signed, [`${descriptor}#${checksum}`], 'DEFAULT', true, false]
    const next = await pair.ask<{ psbt: string }>('descriptorprocesspsbt', options)
    signed = next.psbt
    story.psbts.push(signed)
  }
  const done = await pair.ask<{ hex: string; psbt: string }>('finalizepsbt', [signed])
  await pair.ask('finalizepsbt', [signed, false])
  if (done.hex === undefined) throw new TypeError('not every form could be spent')
  const { txid: last } = await pair.ask<{ txid: string }>('decoderawtransaction', [done.hex])
  story.txids.push(last)
  story.raws.push(done.hex)
  await send(story, done.hex)
  await mine(story, 'core')
}

/** Chained, replaced and conflicting transactions, and packages. */
const mempool: Chapter = async (story) => {
  const { pair, home, addresses } = story
  const [, other = '', , taproot = ''] = addresses
  const coin = take(story)
  const replaceable = { ...coin, sequence: 0xfffffffd }
  const first = await spend(story, [replaceable], [{ [home]: '49.999' }])
  await send(story, first.hex)
  const child = await spend(story, [{ txid: first.txid, vout: 0 }], [{ [other]: '49.998' }])
  await send(story, child.hex)
  // Pays too little, pays enough, and comes too late.
  for (const amount of ['49.9985', '49.99', '49.9995']) {
    await send(story, (await spend(story, [replaceable], [{ [taproot]: amount }])).hex)
  }
  const parent = await spend(story, [take(story)], [{ [taproot]: '24' }, { [home]: '25.999' }])
  await send(story, parent.hex)
  for (const vout of [0, 1]) {
    const outs = [{ [home]: vout === 0 ? '23.99' : '25.99' }]
    await send(story, (await spend(story, [{ txid: parent.txid, vout }], outs)).hex)
  }
  // A parent without a fee, which only its child brings in.
  const poor = await spend(story, [take(story)], [{ [home]: '50' }])
  const rich = await spend(story, [{ txid: poor.txid, vout: 0 }], [{ [home]: '49.99' }])
  await pair.ask('testmempoolaccept', [[poor.hex, rich.hex]])
  await pair.ask('submitpackage', [[rich.hex, poor.hex]])
  await pair.ask('submitpackage', [[poor.hex, rich.hex]])
  await pair.ask('submitpackage', [[poor.hex]])
  // Refused for what it is.
  await send(story, (await spend(story, [take(story)], [{ [home]: '0.00000200' }])).hex)
  await send(story, (await spend(story, [take(story)], [{ [home]: '1' }], [4_000_000])).hex)
  await send(story, (await spend(story, [{ txid: coin.txid, vout: 7 }], [{ [home]: '1' }])).hex)
  await pair.ask('prioritisetransaction', [parent.txid, 0, 5000])
  await pair.ask('sendrawtransaction', [parent.hex])
  await pair.settle()
}

/** A block taken back, a longer branch, blocks invalidated and reconsidered. */
const reorganisation: Chapter = async (story) => {
  const { pair, blocks } = story
  await mine(story, 'core')
  const kept = blocks.at(-1) ?? ''
  const late = await spend(story, [take(story)], [{ [story.home]: '49.9999' }])
  await send(story, late.hex)
  await mine(story, 'devnet', 2)
  const dropped = blocks.at(-2) ?? ''
  await pair.ask('invalidateblock', [dropped])
  await pair.settle()
  await mine(story, 'core')
  await pair.ask('reconsiderblock', [dropped])
  await pair.settle()
  await pair.ask('preciousblock', [kept])
  await pair.ask('invalidateblock', [dropped])
  await mine(story, 'devnet', 2)
  await pair.ask('reconsiderblock', [dropped])
  await pair.ask('preciousblock', [blocks.at(-4) ?? ''])
  await pair.settle()
}

/** Wallets with the same keys and the same view of the coins. */
const wallets: Chapter = async (story) => {
  const { pair, home, addresses } = story
  const to = await pair.ask<string>('getnewaddress', ['shop', 'bech32'], 'w')
  const old = await pair.ask<string>('getnewaddress', ['', 'legacy'], 'w')
  const nested = await pair.ask<string>('getnewaddress', ['shop', 'p2sh-segwit'], 'w')
  const taproot = await pair.ask<string>('getnewaddress', ['vault', 'bech32m'], 'w')
  const own = [to, old, nested, taproot]
  story.addresses.push(...own)
  await pair.ask('setlabel', [to, 'the shop'], 'w')
  const outs = own.map((address) => ({ [address]: '2' }))
  const paid = await spend(story, [take(story)], [...outs, { [home]: '41.999' }])
  await send(story, paid.hex)
  await pair.ask('listsinceblock', [], 'w')
  await pair.ask('listunspent', [0], 'w')
  await mine(story, 'core')
  const change = await pair.ask<string>('getrawchangeaddress', ['bech32'], 'w')
  const funded = await pair.ask<{ psbt: string }>(
    'walletcreatefundedpsbt',
    [
      own.map((_, vout) => ({ txid: paid.txid, vout })),
      [{ [addresses[1] ?? '']: '3' }],
      0,
      { add_inputs: false, changeAddress: change, changePosition: 1, fee_rate: 5 },
      true,
    ],
    'w',
  )
  story.psbts.push(funded.psbt)
  await pair.ask('walletprocesspsbt', [funded.psbt, false], 'watch')
  await pair.ask('walletprocesspsbt', [funded.psbt, true, 'ALL', false, false], 'w')
  type Processed = { readonly psbt: string; readonly hex: string }
  const done = await pair.ask<Processed>('walletprocesspsbt', [funded.psbt], 'w')
  story.psbts.push(done.psbt)
  await send(story, done.hex)
  const { txid } = await pair.ask<{ txid: string }>('decoderawtransaction', [done.hex])
  story.txids.push(txid)
  await pair.ask('psbtbumpfee', [paid.txid, { fee_rate: 25 }], 'w')
  await pair.ask('bumpfee', [txid, { fee_rate: 1 }], 'w')
  await pair.ask('lockunspent', [false, [{ txid, vout: 1 }]], 'w')
  await pair.ask('listlockunspent', [], 'w')
  await pair.ask('signmessage', [old, 'hello'], 'w')
  await pair.ask('signrawtransactionwithwallet', [done.hex], 'w')
}

/** Descriptors for both wallets, with the chain that is there already. */
export async function importWallets(story: Story, importing: readonly object[][]): Promise<void> {
  const { pair } = story
  await pair.ask('createwallet', ['w', false, true])
  await pair.ask('createwallet', ['watch', true, true])
  const [own = [], watched = []] = importing
  await pair.ask('importdescriptors', [own], 'w')
  await pair.ask('importdescriptors', [watched], 'watch')
  await pair.ask('signmessagewithprivkey', [ALICE.wif, 'hello'])
}

export const CHAPTERS: readonly (readonly [name: string, chapter: Chapter])[] = [
  ['blocks of both nodes', coins],
  ['every form of output', forms],
  ['wallets with the same descriptors', wallets],
  ['chains, replacements and packages in the mempool', mempool],
  ['reorganisations', reorganisation],
]
