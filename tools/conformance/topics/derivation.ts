import { type Network, toHex } from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { descriptorFromXpub, scriptAt } from '@kaccy/bitcoin/protocol/descriptor'
import {
  accountPath,
  derivePrivate,
  type ExtendedPrivateKey,
  fingerprintOf,
  HARDENED,
  KEY_VERSIONS,
  keyNetworkOf,
  masterFromSeed,
  nobleCurve,
  PURPOSES,
  parseExtendedKey,
  parseKeyPath,
  parseWif,
  printExtendedPrivateKey,
  printExtendedPublicKey,
  printKeyPath,
  publicNode,
  SCRIPT_TYPES,
  type ScriptType,
} from '@kaccy/bitcoin/protocol/keys'
import { seedFromMnemonic } from '@kaccy/bitcoin/protocol/keys/mnemonic'
import { hash160, p2wpkhScript } from '@kaccy/bitcoin/protocol/script'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  type Verdict,
} from '../cases.ts'

export const topic = 'derivation'

const NETWORK_NAMES: Readonly<Record<string, Network>> = {
  mainnet: 'main',
  main: 'main',
  testnet: 'test',
  test: 'test',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
}
const networkOf = (name = 'mainnet'): Network => {
  const network = NETWORK_NAMES[name]
  if (!network) throw new Error(`unknown network ${name}`)
  return network
}

/** Seeds take 2048 rounds of hashing; the files use each mnemonic many times. */
const seeds = new Map<string, Uint8Array>()
function masterOf(mnemonic: string, passphrase: string, network: Network): ExtendedPrivateKey {
  const name = JSON.stringify([mnemonic, passphrase])
  const seed = seeds.get(name) ?? must(seedFromMnemonic(mnemonic, passphrase)).reveal()
  seeds.set(name, seed)
  return must(masterFromSeed(seed, keyNetworkOf(network)))
}

interface BipAddress {
  readonly path: string
  readonly address: string
  readonly [fact: string]: string
}
interface BipFile {
  readonly mnemonic: string
  readonly network?: string
  readonly addresses: readonly BipAddress[]
  readonly account?: Readonly<Record<string, string>>
  readonly [fact: string]: unknown
}

/** Every extended key of the document, under whatever name, is read and compared by its key and its chain code. */
function checkKeyText(name: string, text: unknown, key: ExtendedPrivateKey): Verdict {
  if (typeof text !== 'string') return undefined
  const parsed = must(parseExtendedKey(text))
  return differs({
    [`${name} key`]: [toHex(parsed.publicKey), toHex(key.publicKey)],
    [`${name} chain code`]: [toHex(parsed.chainCode), toHex(key.chainCode)],
    [`${name} depth`]: [parsed.depth, key.depth],
    [`${name} parent`]: [parsed.parentFingerprint, key.parentFingerprint],
    [`${name} index`]: [parsed.index, key.index],
  })
}

function checkAddressFacts(row: BipAddress, key: ExtendedPrivateKey, script: Uint8Array): Verdict {
  const wif = row['wif'] ?? (row['privkey']?.length === 64 ? undefined : row['privkey'])
  const hexKey = row['privkey']?.length === 64 ? row['privkey'] : undefined
  const keyHash = hash160(key.publicKey)
  const expected = (name: string, actual: string) => [actual, row[name] ?? actual] as const
  return differs({
    pubkey: expected('pubkey', toHex(key.publicKey)),
    keyhash: expected('keyhash', toHex(keyHash)),
    redeem_script: expected('redeem_script', toHex(p2wpkhScript(keyHash))),
    script_hash: expected('script_hash', toHex(hash160(p2wpkhScript(keyHash)))),
    internal_key: expected('internal_key', toHex(key.publicKey.subarray(1))),
    output_key: expected(
      'output_key',
      toHex(nobleCurve.taprootKeys([key.publicKey])[0] ?? new Uint8Array()),
    ),
    scriptPubKey: expected('scriptPubKey', toHex(script)),
    xprv: expected('xprv', printExtendedPrivateKey(key).reveal()),
    xpub: expected('xpub', printExtendedPublicKey(key)),
    privkey: [toHex(key.privateKey.reveal()), hexKey ?? toHex(key.privateKey.reveal())],
    wif: [
      wif && toHex(must(parseWif(wif)).privateKey.reveal()),
      wif && toHex(key.privateKey.reveal()),
    ],
  })
}

function checkBipAddress(file: BipFile, row: BipAddress): Verdict {
  const network = networkOf(file.network)
  const master = masterOf(file.mnemonic, '', network)
  const path = must(parseKeyPath(row.path))
  const [branch = 0, index = 0] = path.slice(3)
  const account = must(derivePrivate(master, path.slice(0, 3)))
  const type = SCRIPT_TYPES.find(
    (candidate) => printKeyPath(accountPath(candidate, network)) === printKeyPath(path.slice(0, 3)),
  )
  if (!type) return `no purpose for ${row.path}`
  for (const [name, text] of Object.entries(file)) {
    if (!/^(root|account_)/.test(name) || name === 'account_path') continue
    const wrong = checkKeyText(name, text, name.startsWith('root') ? master : account)
    if (wrong !== undefined) return wrong
  }
  for (const [name, text] of Object.entries(file.account ?? {})) {
    const wrong = checkKeyText(name, text, account)
    if (wrong !== undefined) return wrong
  }
  const given = file.account?.['xpub'] ?? file['account_upub']
  const xpub = typeof given === 'string' ? given : printExtendedPublicKey(account)
  const implied = must(parseExtendedKey(xpub)).version.scriptType
  const descriptor = must(
    descriptorFromXpub({ xpub, network, ...(implied ? {} : { scriptType: type }) }),
  )
  const script = scriptAt(descriptor, branch, index)
  const address = differs({ address: [must(addressOf(script, network)), row.address] })
  return address ?? checkAddressFacts(row, must(derivePrivate(master, path)), script)
}

function* bipCases(file: BipFile): Generator<Case> {
  for (const row of file.addresses) yield [row.path, () => checkBipAddress(file, row)]
}

interface Account {
  readonly mnemonic: string
  readonly passphrase: string
  readonly network: string
  readonly kind: ScriptType
  readonly master_fingerprint: string
  readonly account_path: string
  readonly account_xpub: string
  readonly addresses: readonly AccountAddress[]
}
interface AccountAddress {
  readonly change: number
  readonly index: number
  readonly pubkey: string
  readonly scriptPubKey: string
  readonly address: string
}

function checkAccount(account: Account, row: AccountAddress): Verdict {
  const network = networkOf(account.network)
  const master = masterOf(account.mnemonic, account.passphrase, network)
  const path = must(parseKeyPath(account.account_path))
  const key = must(derivePrivate(master, path))
  const number = path[2] ?? HARDENED
  const origin = `[${account.master_fingerprint}/${printKeyPath(path)}]`
  const descriptor = must(
    descriptorFromXpub({ xpub: account.account_xpub, scriptType: account.kind, origin, network }),
  )
  const script = scriptAt(descriptor, row.change, row.index)
  const branch = publicNode(must(parseExtendedKey(account.account_xpub))).child(row.change)
  return differs({
    master_fingerprint: [fingerprintOf(master.publicKey), account.master_fingerprint],
    account_path: [
      printKeyPath(accountPath(account.kind, network, number - HARDENED)),
      printKeyPath(path),
    ],
    account_xpub: [printExtendedPublicKey(key), account.account_xpub],
    pubkey: [toHex(branch.deriveMany(row.index, 1)[0] ?? new Uint8Array()), row.pubkey],
    scriptPubKey: [toHex(script), row.scriptPubKey],
    address: [must(addressOf(script, network)), row.address],
  })
}

function* accountCases(accounts: readonly Account[]): Generator<Case> {
  for (const [i, account] of accounts.entries()) {
    for (const row of account.addresses) {
      const name = `${i} ${account.network} ${account.kind} ${row.change}/${row.index}`
      yield [name, () => checkAccount(account, row)]
    }
  }
}

interface VersionRow {
  readonly coin: string
  readonly pub_version: string
  readonly pub_prefix: string
  readonly prv_version: string
  readonly prv_prefix: string
  readonly address: string
  readonly path: string
}
const ADDRESS_WORDS: Readonly<Record<string, string>> = {
  'P2PKH or P2SH': 'plain',
  'P2WPKH in P2SH': 'p2sh-p2wpkh',
  P2WPKH: 'p2wpkh',
  'Multi-signature P2WSH in P2SH': 'multisig p2sh-p2wsh',
  'Multi-signature P2WSH': 'multisig p2wsh',
}
const ACCOUNT_KEY =
  'xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ'

/** The table row, and what an import of such a key does: imply the type, ask for it, or refuse multisig by name. */
function checkVersion(row: VersionRow): Verdict {
  const isMain = row.coin === 'Bitcoin'
  if (!isMain && row.coin !== 'Bitcoin Testnet')
    return { skip: `the coin ${row.coin} is not Bitcoin` }
  const version = KEY_VERSIONS.find((known) => known.bytes === Number(row.pub_version))
  const secret = KEY_VERSIONS.find((known) => known.bytes === Number(row.prv_version))
  if (!version || !secret) return 'the version is not known'
  const text = printExtendedPublicKey(must(parseExtendedKey(ACCOUNT_KEY)), version)
  const imported = descriptorFromXpub({ xpub: text })
  const purpose = Number(/^m\/(\d+)'/.exec(row.path)?.[1])
  const use = version.multisig ? `multisig ${version.multisig}` : (version.scriptType ?? 'plain')
  const outcome = imported.ok ? 'imported' : imported.error.code
  const expected = version.multisig
    ? 'KEY_MULTISIG'
    : version.scriptType
      ? 'imported'
      : 'KEY_SCRIPT_TYPE'
  return differs({
    pub_prefix: [version.prefix, row.pub_prefix],
    prv_prefix: [secret.prefix, row.prv_prefix],
    written: [text.slice(0, 4), row.pub_prefix],
    network: [version.network, isMain ? 'main' : 'test'],
    'private network': [secret.network, isMain ? 'main' : 'test'],
    address: [use, ADDRESS_WORDS[row.address]],
    import: [outcome, expected],
    ...(version.scriptType ? { purpose: [PURPOSES[version.scriptType], purpose] as const } : {}),
  })
}

const shapes = [
  jsonShape<readonly Account[]>(
    (data) => isTable(data, 'kind', 'account_xpub', 'addresses'),
    accountCases,
  ),
  jsonShape<readonly VersionRow[]>(
    (data) => isTable(data, 'coin', 'pub_version', 'prv_version'),
    (rows) =>
      rows.map((row) => [`${row.coin} ${row.pub_prefix}`, () => checkVersion(row)] as const),
  ),
  jsonShape<readonly { readonly path: string }[]>(
    (data) => isTable(data, 'root', 'path', 'derived_entropy'),
    (rows) =>
      rows.map(
        ({ path }) =>
          [
            path,
            () => ({ skip: 'BIP 85 derives secrets from a private root; the engine has none' }),
          ] as const,
      ),
  ),
  jsonShape<BipFile>(
    (data) => isRecord(data, 'mnemonic', 'addresses') && isTable(data.addresses, 'path', 'address'),
    bipCases,
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
