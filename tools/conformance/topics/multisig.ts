import { fromHex, type Network, toHex } from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import {
  parseDescriptor,
  parseKeyExpression,
  rootKey,
  scriptAt,
} from '@kaccy/bitcoin/protocol/descriptor'
import {
  derivePublic,
  parseExtendedPublicKey,
  parseKeyPath,
  parseWif,
} from '@kaccy/bitcoin/protocol/keys'
import {
  type MultisigType,
  multisigInput,
  parseMultisigInput,
  sortedMultisigOutput,
  sortKeys,
} from '@kaccy/bitcoin/protocol/multisig'
import { multisigScript, parseMultisigScript } from '@kaccy/bitcoin/protocol/script'
import { assemble } from '../asm.ts'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'multisig'

const NETWORK_NAMES: Readonly<Record<string, Network>> = {
  mainnet: 'main',
  testnet: 'test',
  regtest: 'regtest',
  signet: 'signet',
}

interface SortedRow {
  readonly network?: string
  readonly kind?: MultisigType
  readonly m: number
  readonly n?: number
  readonly keys: readonly string[]
  readonly sorted: readonly string[]
  readonly script?: string
  readonly multisig_script?: string
  readonly scriptPubKey?: string
  readonly address: string
}

/** Without network and kind: BIP 67, P2SH on main. */
function checkSorted(row: SortedRow): Verdict {
  const { network: name = 'mainnet', kind = 'p2sh', m, n = row.keys.length, keys } = row
  const network = NETWORK_NAMES[name]
  if (!network) return `the network ${name} is not known`
  const publicKeys = keys.map(fromHex)
  const output = must(sortedMultisigOutput({ threshold: m, publicKeys }, kind))
  const script = row.multisig_script ?? row.script
  const parsed = must(parseMultisigScript(output.multisigScript))
  const others = sortedMultisigOutput({ threshold: m, publicKeys: publicKeys.toReversed() }, kind)
  return differs({
    sorted: [sortKeys(publicKeys).map(toHex).join(), row.sorted.join()],
    script: [toHex(output.multisigScript), script],
    scriptPubKey: [toHex(output.outputScript), row.scriptPubKey ?? toHex(output.outputScript)],
    address: [must(addressOf(output.outputScript, network)), row.address],
    'm and n read': [`${parsed.threshold} of ${parsed.publicKeys.length}`, `${m} of ${n}`],
    'another order': [toHex(must(others).outputScript), toHex(output.outputScript)],
  })
}

interface P2msArguments {
  readonly m?: number
  readonly n?: number
  readonly pubkeys?: readonly string[]
  readonly signatures?: readonly (string | 0)[]
  readonly output?: string
  readonly input?: string
}
interface P2msRow {
  readonly description?: string
  readonly arguments: P2msArguments
  readonly options?: { readonly allowIncomplete?: boolean }
  readonly expected?: {
    readonly m: number
    readonly n: number
    readonly output: string
    readonly pubkeys: readonly string[]
    readonly signatures: readonly (string | 0)[] | null
    readonly input: string | null
  }
}
interface P2ms {
  readonly m: number
  readonly pubkeys: readonly string[]
  readonly output: string
  readonly signatures?: readonly string[]
  readonly input?: string
}

/** Builds the payment from the arguments; throws when one of our functions refuses or two arguments contradict. */
function buildP2ms(
  { m, n, pubkeys, signatures, output, input }: P2msArguments,
  isPartial: boolean,
): P2ms {
  const agree = (what: string, given: unknown, found: unknown) => {
    if (given !== undefined && given !== found) throw new Error(`${what} contradicts`)
  }
  const keys = pubkeys?.map(fromHex)
  const script =
    output === undefined
      ? must(multisigScript({ threshold: m ?? 0, publicKeys: keys ?? [] }))
      : assemble(output)
  const rule = must(parseMultisigScript(script))
  agree('m', m, rule.threshold)
  agree('n', n, rule.publicKeys.length)
  agree('the keys', pubkeys?.join(), rule.publicKeys.map(toHex).join())
  const given =
    signatures &&
    must(
      multisigInput(
        signatures.map((signature) => (signature === 0 ? undefined : fromHex(signature))),
      ),
    )
  const bytes = input === undefined ? given : assemble(input)
  agree('the number of signatures', signatures?.length, rule.threshold)
  agree('the input', given && toHex(given), bytes && toHex(bytes))
  const parsed = bytes && must(parseMultisigInput(bytes))
  const present = parsed?.filter((signature) => signature !== undefined).length
  if (present !== undefined && present < rule.threshold && !isPartial)
    throw new Error('signatures are missing')
  return {
    m: rule.threshold,
    pubkeys: rule.publicKeys.map(toHex),
    output: toHex(script),
    ...(parsed
      ? { signatures: parsed.map((signature) => (signature ? toHex(signature) : '0')) }
      : {}),
    ...(bytes ? { input: toHex(bytes) } : {}),
  }
}

function checkP2ms({ arguments: given, options, expected }: P2msRow): Verdict {
  if (!expected) return 'nothing is expected'
  const built = buildP2ms(given, options?.allowIncomplete ?? false)
  return differs({
    m: [built.m, expected.m],
    n: [built.pubkeys.length, expected.n],
    output: [built.output, toHex(assemble(expected.output))],
    pubkeys: [built.pubkeys.join(), expected.pubkeys.join()],
    signatures: [built.signatures?.join(), expected.signatures?.join()],
    input: [built.input, expected.input === null ? undefined : toHex(assemble(expected.input))],
  })
}

function checkP2msRefused({ arguments: given, options }: P2msRow): Verdict {
  try {
    buildP2ms(given, options?.allowIncomplete ?? false)
    return 'was taken, has to be refused'
  } catch {
    return undefined
  }
}

interface Caravan {
  readonly file: string
  readonly config: {
    readonly addressType: 'P2SH' | 'P2SH-P2WSH' | 'P2WSH'
    readonly network: string
    readonly quorum: { readonly requiredSigners: number; readonly totalSigners: number }
    readonly extendedPublicKeys: readonly {
      readonly bip32Path: string
      readonly xpub: string
      readonly xfp: string
    }[]
  }
}

/** The configuration as keys and descriptor, on its network and refused on another; the scripts built on two paths. */
function checkCaravan({ config }: Caravan): Verdict {
  const network = NETWORK_NAMES[config.network]
  if (!network) return `the network ${config.network} is not known`
  const kind = config.addressType.toLowerCase() as MultisigType
  const { requiredSigners: threshold, totalSigners } = config.quorum
  const keys = config.extendedPublicKeys
  const publicKeys = keys.map(({ xpub, bip32Path }) => {
    const key = must(parseExtendedPublicKey(xpub, network))
    const path = parseKeyPath(bip32Path)
    const depth = path.ok ? path.value.length : key.depth
    if (key.depth !== depth)
      throw new Error(`the key is at depth ${key.depth}, the path has ${depth} steps`)
    if (parseExtendedPublicKey(xpub, network === 'main' ? 'test' : 'main').ok)
      throw new Error('was taken on another network')
    return firstKey(xpub)
  })
  const output = must(sortedMultisigOutput({ threshold, publicKeys }, kind))
  const expressions = keys.map(
    ({ xfp, bip32Path, xpub }) => `${originOf(xfp, bip32Path)}${xpub}/0/*`,
  )
  const inner = `sortedmulti(${threshold},${expressions.join()})`
  const text = { p2sh: `sh(${inner})`, p2wsh: `wsh(${inner})`, 'p2sh-p2wsh': `sh(wsh(${inner}))` }[
    kind
  ]
  const parsed = parseDescriptor(text, { network })
  if (publicKeys.length !== totalSigners)
    return `${publicKeys.length} keys instead of ${totalSigners}`
  if (kind === 'p2sh') {
    // Sorted multisig directly in P2SH is built and addressed, and not yet read as a descriptor.
    return differs({
      descriptor: [parsed.ok ? 'taken' : parsed.error.details['function'], 'sortedmulti'],
    })
  }
  return differs({ script: [toHex(scriptAt(must(parsed), 0, 0)), toHex(output.outputScript)] })
}

/** Coordinators write words where they do not know the origin. */
const originOf = (fingerprint: string, path: string): string =>
  /^[0-9a-f]{8}$/i.test(fingerprint) && parseKeyPath(path).ok
    ? `[${fingerprint}/${path.slice(2)}]`
    : ''

/** The public key at 0/0 below an account. */
const firstKey = (xpub: string): Uint8Array =>
  must(derivePublic(must(parseExtendedPublicKey(xpub)), [0, 0])).key.publicKey

interface BsmsItem {
  readonly text?: string
  readonly content?: string
  readonly round?: string
}
interface Bsms {
  readonly mode: string
  readonly items: readonly BsmsItem[]
}

const sorted = (texts: readonly string[]): string => [...texts].sort().join()

/** Key records, private keys of the signers, the descriptor record and its first address. */
function checkBsms({ mode, items }: Bsms): Verdict {
  const records = items.flatMap(({ content }) =>
    content === undefined ? [] : [content.split('\n')],
  )
  const wifs = items.flatMap(({ text }) => /^PRIVATE_KEY [^:]*: (\S+)$/.exec(text ?? '')?.[1] ?? [])
  const keyRecords = records.filter((lines) => lines.length === 5)
  const signers = keyRecords.map((lines) => must(parseKeyExpression(lines[2] ?? '')))
  const [, text = '', restriction = '', address = ''] =
    records.find((lines) => lines.length === 4) ?? []
  if (signers.length === 0 || text === '') return 'a key record or the descriptor record is missing'
  const publicKeys = wifs.map((wif) => toHex(must(parseWif(wif)).publicKey))
  const roots = signers.map((signer) => toHex(rootKey(signer)))
  const branches = restriction.startsWith('/')
    ? restriction.split(',').map((path) => /^\/(\d+)\/\*$/.exec(path)?.[1])
    : []
  const steps = `/<${branches.length > 0 ? branches.join(';') : '0;1'}>/*`
  const descriptor = must(parseDescriptor(text.replaceAll('/**', steps), { network: 'main' }))
  const wrong = differs({
    'private keys': [sorted(publicKeys), sorted(roots)],
    'keys of the descriptor': [
      sorted(descriptor.keys.map((key) => toHex(rootKey(key)))),
      sorted(roots),
    ],
    origins: [signers.every(({ origin }) => origin?.path.length === 4), true],
    address: [must(addressOf(scriptAt(descriptor, 0, 0), 'main')), address],
  })
  if (wrong !== undefined || !/encryption/i.test(mode) || mode.startsWith('NO_')) return wrong
  return {
    skip: 'keys, descriptor and address are right; the encrypted exchange of BIP 129 is not built yet',
  }
}

const table = <T>(name: (row: T, i: number) => string, check: (row: T) => Verdict) =>
  function* (rows: readonly T[]): Generator<Case> {
    for (const [i, row] of rows.entries()) yield [`${i} ${name(row, i)}`, () => check(row)]
  }

const shapes = [
  jsonShape<readonly SortedRow[]>(
    (data) => isTable(data, 'm', 'keys', 'sorted', 'address'),
    table((row) => `${row.m} of ${row.keys.length} ${row.kind ?? 'p2sh'}`, checkSorted),
  ),
  jsonShape<object>(
    (data) =>
      isRecord(data, 'valid', 'invalid') &&
      isTable((data as { valid: unknown }).valid, 'arguments'),
    (file) => sections(file, { valid: checkP2ms, invalid: checkP2msRefused }),
  ),
  jsonShape<readonly Caravan[]>(
    (data) => isTable(data, 'file', 'config'),
    table((row) => row.file, checkCaravan),
  ),
  jsonShape<readonly Bsms[]>(
    (data) => isTable(data, 'mode', 'items'),
    table((row) => row.mode, checkBsms),
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
