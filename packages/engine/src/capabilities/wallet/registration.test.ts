import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { blockHash, type Network } from '../../kernel/index.ts'
import { createWallets, type WalletInput } from './index.ts'

const vectors = process.env['KACCY_SHARED'] ?? '../shared'
interface Account {
  readonly network: 'mainnet' | 'testnet' | 'regtest'
  readonly kind: 'p2pkh' | 'p2sh-p2wpkh' | 'p2wpkh' | 'p2tr'
  readonly master_fingerprint: string
  readonly account_path: string
  readonly account_xpub: string
  readonly addresses: readonly { change: number; index: number; address: string }[]
}
const accounts: readonly Account[] = JSON.parse(
  readFileSync(`${vectors}/vectors/derivation/generated_accounts.json`, 'utf8'),
)
const NETWORK: Readonly<Record<Account['network'], Network>> = {
  mainnet: 'main',
  testnet: 'test',
  regtest: 'regtest',
}
const TPUB = accounts.find((one) => one.network === 'regtest')?.account_xpub ?? ''
const XPUB = accounts.find((one) => one.network === 'mainnet')?.account_xpub ?? ''
// The public test keys of BIP 84, in the document itself.
const ZPUB =
  'zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs'
const ZPRV =
  'zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE'

function setUp(network: Network = 'regtest') {
  const store = createMemoryStore()
  let now = 1_700_000_000_000
  let seed = 7
  const clock = { now: () => now++ }
  const entropy = {
    bytes: (length: number) =>
      Uint8Array.from({ length }, () => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
        return seed >>> 24
      }),
  }
  const wallets = createWallets({ store, clock, entropy, network })
  return { store, wallets }
}
const small = { gapLimit: 5, lookahead: 20 }
const plain: WalletInput = { name: 'shop', xpub: TPUB, scriptType: 'p2wpkh', ...small }

async function tipAt(store: ReturnType<typeof setUp>['store'], height: number) {
  const hash = blockHash(height.toString(16).padStart(64, '0'))
  const prev = blockHash((height - 1).toString(16).padStart(64, '0'))
  await store.transact((tx) => tx.chain.append([{ height, hash, prev, time: 0 }]))
}

test('every account of the derivation vectors becomes a wallet with its addresses', async () => {
  for (const account of accounts) {
    const { store, wallets } = setUp(NETWORK[account.network])
    const origin = `[${account.master_fingerprint}${account.account_path.slice(1)}]`
    const lookahead = 20
    const registered = await wallets.register(
      { name: 'vector', xpub: account.account_xpub, scriptType: account.kind, origin, ...small },
      'operator:test',
    )
    if (!registered.ok) throw new Error(registered.error.message)
    const { id } = registered.value.wallet
    const near = account.addresses.filter(
      ({ change, index }) => index < (change === 0 ? lookahead : lookahead / 5),
    )
    expect(near.length).toBeGreaterThan(2)
    for (const { change, index, address } of near) {
      const row = await store.read((tx) => tx.wallet.address(id, change, index))
      expect(row).toMatchObject({ address, state: 'watched', shown: false })
    }
  }
})

test('a registration is one commit: wallet, keychains, scripts, event, audit entry', async () => {
  const { store, wallets } = setUp()
  const registered = await wallets.register(plain, 'operator:ann')
  if (!registered.ok) throw new Error(registered.error.message)
  const { wallet, created } = registered.value
  expect(created).toBe(true)
  expect(wallet.id).toMatch(/^wal_[0-9a-f]{32}$/)
  expect(wallet).toMatchObject({ status: 'active', gapLimit: 5, lookahead: 20, birthday: 0 })
  await store.read(async (tx) => {
    expect(await tx.wallet.keychains(wallet.id)).toMatchObject([
      { branch: 0, nextIndex: 0, watchedTo: 20, lastUsed: -1, reach: -1 },
      { branch: 1, nextIndex: 0, watchedTo: 4, lastUsed: -1, reach: -1 },
    ])
    const events = await tx.events.list({ after: 0, limit: 10 })
    expect(events).toMatchObject([{ type: 'wallet.registered', subject: wallet.id }])
    expect(JSON.stringify(events)).not.toContain('tpub')
    const audit = await tx.audit.list({ limit: 10 })
    expect(audit).toMatchObject([{ actor: 'operator:ann', action: 'wallet.register' }])
  })
})

test('asking again gives the same wallet; anything else about the same keys is refused by name', async () => {
  const { wallets } = setUp()
  const first = await wallets.register(plain, 'a')
  const again = await wallets.register(plain, 'a')
  if (!first.ok || !again.ok) throw new Error('refused')
  expect(again.value).toEqual({ ...first.value, created: false })
  const other = await wallets.register({ ...plain, name: 'other' }, 'a')
  expect(other).toMatchObject({
    ok: false,
    error: {
      code: 'WALLET_KEYS_REGISTERED',
      details: { wallet: first.value.wallet.id, name: 'shop' },
    },
  })
  // The same scripts under another text: one branch of it, with another way to say it.
  const branch = await wallets.register(
    { name: 'shop', descriptor: `wpkh(${TPUB}/0/*)`, ...small },
    'a',
  )
  expect(branch).toMatchObject({ ok: false, error: { code: 'WALLET_KEYS_REGISTERED' } })
  expect(await wallets.wallets()).toHaveLength(1)
})

test('two registrations at once make one wallet', async () => {
  const { wallets } = setUp()
  const answers = await Promise.all([wallets.register(plain, 'a'), wallets.register(plain, 'b')])
  const ids = answers.map((answer) => (answer.ok ? answer.value.wallet.id : answer.error.code))
  expect(new Set(ids).size).toBe(1)
  expect(answers.filter((answer) => answer.ok && answer.value.created)).toHaveLength(1)
})

const TPRV_FORM = ZPRV
const refusals: readonly (readonly [string, Network, Partial<WalletInput>, string])[] = [
  ['nothing', 'regtest', {}, 'WALLET_KEYS_MISSING'],
  ['both', 'regtest', { xpub: TPUB, descriptor: `wpkh(${TPUB}/*)` }, 'WALLET_KEYS_MISSING'],
  ['a private account key', 'main', { xpub: TPRV_FORM }, 'KEY_PRIVATE'],
  [
    'a private key with a typing error',
    'main',
    { xpub: `${ZPRV.slice(0, 60)}x${ZPRV.slice(61)}` },
    'KEY_PRIVATE',
  ],
  [
    'a private key in a descriptor',
    'main',
    { descriptor: 'wpkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)' },
    'KEY_PRIVATE',
  ],
  ['a key of main on regtest', 'regtest', { xpub: XPUB, scriptType: 'p2wpkh' }, 'KEY_NETWORK'],
  [
    'a descriptor of main on regtest',
    'regtest',
    { descriptor: `wpkh(${XPUB}/<0;1>/*)` },
    'KEY_NETWORK',
  ],
  [
    'another network in mind',
    'regtest',
    { xpub: TPUB, scriptType: 'p2wpkh', network: 'main' },
    'WALLET_NETWORK',
  ],
  [
    'a changed letter',
    'regtest',
    {
      xpub: `${TPUB.slice(0, 60)}${TPUB[60] === 'a' ? 'b' : 'a'}${TPUB.slice(61)}`,
      scriptType: 'p2wpkh',
    },
    'KEY_CHECKSUM',
  ],
  [
    'a wrong descriptor checksum',
    'regtest',
    { descriptor: `wpkh(${TPUB}/<0;1>/*)#qqqqqqqq` },
    'DESCRIPTOR_CHECKSUM',
  ],
  [
    'a master key',
    'main',
    {
      xpub: 'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8',
      scriptType: 'p2wpkh',
    },
    'KEY_DEPTH',
  ],
  ['no script type', 'regtest', { xpub: TPUB }, 'KEY_SCRIPT_TYPE'],
  [
    'a script type against the prefix',
    'main',
    { xpub: ZPUB, scriptType: 'p2tr' },
    'KEY_SCRIPT_TYPE',
  ],
  [
    'one key of a multisig wallet',
    'main',
    {
      xpub: 'Zpub74Jru6aftwwHxCUCWEvP6DgrfFsdA4U6ZRtQ5i8qJpMcC39yZGv3egBhQfV3MS9pZtH5z8iV5qWkJsK6ESs6mSzt4qvGhzJxPeeVS2e1zUG',
    },
    'KEY_MULTISIG',
  ],
  [
    'an unsupported function',
    'regtest',
    { descriptor: `combo(${TPUB}/*)` },
    'DESCRIPTOR_UNSUPPORTED',
  ],
  ['no range', 'regtest', { descriptor: `wpkh(${TPUB}/0/5)` }, 'WALLET_NOT_RANGED'],
  [
    'an address',
    'regtest',
    { descriptor: 'addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)' },
    'WALLET_NOT_RANGED',
  ],
  ['a hardened step', 'regtest', { descriptor: `wpkh(${TPUB}/0h/*)` }, 'KEY_HARDENED'],
  ['a hardened range', 'regtest', { descriptor: `wpkh(${TPUB}/0/*h)` }, 'KEY_HARDENED'],
  ['no descriptor at all', 'regtest', { descriptor: 'hello' }, 'DESCRIPTOR_INVALID'],
  [
    'an origin that contradicts the key',
    'regtest',
    { xpub: TPUB, scriptType: 'p2wpkh', origin: '[d34db33f/84h]' },
    'KEY_ORIGIN',
  ],
  ['an empty name', 'regtest', { xpub: TPUB, scriptType: 'p2wpkh', name: ' ' }, 'FIELD_INVALID'],
  [
    'a name with a line break',
    'regtest',
    { xpub: TPUB, scriptType: 'p2wpkh', name: 'a\nb' },
    'FIELD_INVALID',
  ],
  ['no gap', 'regtest', { xpub: TPUB, scriptType: 'p2wpkh', gapLimit: 0 }, 'FIELD_INVALID'],
  [
    'a window below the gap limit',
    'regtest',
    { xpub: TPUB, scriptType: 'p2wpkh', lookahead: 4 },
    'FIELD_INVALID',
  ],
]
test.each(refusals)('refuses %s', async (_, network, input, code) => {
  const { store, wallets } = setUp(network)
  const answer = await wallets.register({ name: 'shop', ...small, ...input }, 'a')
  expect(answer).toMatchObject({ ok: false, error: { code } })
  // No refusal repeats a key.
  expect(JSON.stringify(answer)).not.toMatch(/[xtzZ](prv|pub)[0-9A-Za-z]{20}|L4rK1y/)
  expect(await store.read((tx) => tx.wallet.wallets())).toEqual([])
  expect(await store.read((tx) => tx.events.head())).toBe(0)
})

test('any depth is taken when it is meant', async () => {
  const { wallets } = setUp('main')
  const xpub =
    'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8'
  const answer = await wallets.register(
    { name: 'deep', xpub, scriptType: 'p2wpkh', anyDepth: true, ...small },
    'a',
  )
  expect(answer).toMatchObject({ ok: true })
})

test('a birthday above the tip is refused; below it the blocks since are to be read again', async () => {
  const { store, wallets } = setUp()
  await tipAt(store, 100)
  const high = await wallets.register({ ...plain, birthday: 101 }, 'a')
  expect(high).toMatchObject({
    ok: false,
    error: { code: 'WALLET_BIRTHDAY_ABOVE_TIP', details: { height: 101, tip: 100 } },
  })
  const low = await wallets.register({ ...plain, birthday: 40 }, 'a')
  expect(low).toMatchObject({
    ok: true,
    value: { wallet: { birthday: 40, rescan: { from: 40, next: 40, to: 100 } } },
  })
})

test('keys without a stated past are read from the tip on, with no block left out', async () => {
  const { store, wallets } = setUp()
  await tipAt(store, 100)
  const answer = await wallets.register(plain, 'a')
  expect(answer).toMatchObject({
    ok: true,
    value: { wallet: { birthday: 100, rescan: { from: 100, next: 100, to: 100 } } },
  })
})

test('a fixed script is watched when that is meant, and never given to an order', async () => {
  const { store, wallets } = setUp()
  const registered = await wallets.register(
    { name: 'cold', descriptor: `wpkh(${TPUB}/0/5)`, allowFixed: true, ...small },
    'a',
  )
  if (!registered.ok) throw new Error(registered.error.message)
  const { id } = registered.value.wallet
  const revealed = await store.transact((tx) =>
    wallets.revealAddress(tx, { wallet: id, at: 1, shown: true }),
  )
  expect(revealed).toMatchObject({ ok: false, error: { code: 'WALLET_NOT_RANGED' } })
  const row = await store.read((tx) => tx.wallet.address(id, 0, 0))
  if (!row) throw new Error('not watched')
  const used = await store.transact((tx) => wallets.markUsed(tx, [row], 2))
  expect(used.watched).toEqual([])
})

test('rename, retire and rescan are written down; a second time changes nothing', async () => {
  const { store, wallets } = setUp()
  const registered = await wallets.register(plain, 'a')
  if (!registered.ok) throw new Error(registered.error.message)
  const { id } = registered.value.wallet
  expect(await wallets.requestRescan(id, 0, 'a')).toMatchObject({
    ok: false,
    error: { code: 'WALLET_CHAIN_UNKNOWN' },
  })
  await tipAt(store, 100)
  await wallets.rename(id, 'till', 'operator:bob')
  await wallets.rename(id, 'till', 'operator:bob')
  expect(await wallets.requestRescan(id, 101, 'operator:bob')).toMatchObject({ ok: false })
  expect(await wallets.requestRescan(id, 50, 'operator:bob')).toMatchObject({
    ok: true,
    value: { rescan: { from: 50, next: 50, to: 100 }, birthday: 0 },
  })
  expect(await wallets.requestRescan(id, 70, 'operator:bob')).toMatchObject({
    ok: true,
    value: { rescan: { from: 50, next: 50, to: 100 } },
  })
  await wallets.retire(id, 'operator:bob')
  await wallets.retire(id, 'operator:bob')
  const audit = await store.read((tx) => tx.audit.list({ actor: 'operator:bob', limit: 10 }))
  expect(audit.map((entry) => entry.action)).toEqual([
    'wallet.rename',
    'wallet.rescan',
    'wallet.rescan',
    'wallet.retire',
  ])
  const revealed = await store.transact((tx) =>
    wallets.revealAddress(tx, { wallet: id, at: 1, shown: true }),
  )
  expect(revealed).toMatchObject({ ok: false, error: { code: 'WALLET_RETIRED' } })
  expect(await wallets.rename('wal_x' as typeof id, 'y', 'a')).toMatchObject({
    ok: false,
    error: { code: 'WALLET_NOT_FOUND' },
  })
})
