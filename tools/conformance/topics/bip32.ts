import { fromHex, toHex, tryFromHex } from '@kaccy/bitcoin/kernel'
import {
  derivePrivate,
  derivePublic,
  type ExtendedPrivateKey,
  isHardened,
  isPrivateKey,
  masterFromSeed,
  parseExtendedKey,
  parseKeyPath,
  parsePathStep,
  printExtendedPrivateKey,
  printExtendedPublicKey,
} from '@kaccy/bitcoin/protocol/keys'
import { seedFromMnemonic } from '@kaccy/bitcoin/protocol/keys/mnemonic'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'bip32'

interface Chain {
  readonly path: string
  readonly xpub: string
  readonly xprv: string
}
interface OfficialFile {
  readonly valid: readonly {
    readonly vector: number
    readonly seed: string
    readonly chains: readonly Chain[]
  }[]
  readonly invalid: readonly { readonly key: string; readonly reason: string }[]
}

function privateKey(text: string): ExtendedPrivateKey {
  const key = must(parseExtendedKey(text))
  if (!isPrivateKey(key)) throw new Error('is not private')
  return key
}

function checkChain(master: ExtendedPrivateKey, { path, xpub, xprv }: Chain): Verdict {
  const steps = must(parseKeyPath(path))
  const key = must(derivePrivate(master, steps))
  const parsed = must(parseExtendedKey(xpub))
  const last = steps.at(-1)
  const parent = last === undefined ? undefined : must(derivePrivate(master, steps.slice(0, -1)))
  const isPublicStep = parent !== undefined && last !== undefined && !isHardened(last)
  const child = isPublicStep ? must(derivePublic(parent, [last])).key : key
  return differs({
    xprv: [printExtendedPrivateKey(key).reveal(), xprv],
    xpub: [printExtendedPublicKey(key), xpub],
    'xpub read and written': [printExtendedPublicKey(parsed), xpub],
    'xprv read and written': [printExtendedPrivateKey(privateKey(xprv)).reveal(), xprv],
    'public derivation': [printExtendedPublicKey(child), xpub],
  })
}

function* officialCases(file: OfficialFile): Generator<Case> {
  for (const { vector, seed, chains } of file.valid) {
    for (const chain of chains) {
      yield [
        `vector ${vector} ${chain.path}`,
        () => checkChain(must(masterFromSeed(fromHex(seed), 'main')), chain),
      ]
    }
  }
  for (const [i, { key, reason }] of file.invalid.entries()) {
    yield [`invalid ${i} (${reason})`, () => refused(parseExtendedKey(key))]
  }
}

const ANY_KEY =
  'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8'

const refusalCases = (file: object): Iterable<Case> =>
  sections(file, {
    fromBase58: ({ string, network = 'bitcoin' }: { string: string; network?: string }) => {
      const key = parseExtendedKey(string)
      const wanted =
        network === 'bitcoin' ? 'main' : network === 'testnet' ? 'test' : 'none of ours'
      return key.ok && key.value.version.network === wanted
        ? 'was taken, has to be refused'
        : undefined
    },
    fromSeed: ({ seed }: { seed: string }) =>
      refused(masterFromSeed(tryFromHex(seed) ?? new Uint8Array(), 'main')),
    deriveHardened: ({ index }: { index: unknown }) => refused(parsePathStep(`${String(index)}h`)),
    derive: ({ index }: { index: number }) =>
      refused(derivePublic(must(parseExtendedKey(ANY_KEY)), [index])),
    derivePath: ({ derivationPath }: { derivationPath: unknown }) =>
      refused(parseKeyPath(derivationPath)),
  })

interface HwiMnemonic {
  readonly mnemonic: string
  readonly xprv: string
  readonly xpub: string
  readonly master_xpub: string
  readonly vectors: readonly { readonly path: string; readonly xpub: string }[]
}

function* mnemonicCases(rows: readonly HwiMnemonic[]): Generator<Case> {
  for (const [i, row] of rows.entries()) {
    // The seed takes 2048 rounds of hashing; the paths of one row share it.
    let known: ExtendedPrivateKey | undefined
    const masterOf = () => {
      known ??= must(masterFromSeed(must(seedFromMnemonic(row.mnemonic)).reveal(), 'main'))
      return known
    }
    for (const { path, xpub } of row.vectors) {
      yield [
        `${i} ${path}`,
        () => {
          const master = masterOf()
          return differs({
            master: [printExtendedPrivateKey(master).reveal(), row.xprv],
            'master public': [printExtendedPublicKey(master), row.xpub],
            [path]: [
              printExtendedPublicKey(must(derivePrivate(master, must(parseKeyPath(path))))),
              xpub,
            ],
          })
        },
      ]
    }
  }
}

interface Serialized {
  readonly xpub: string
  readonly xprv?: string
  readonly deser: Readonly<Record<string, unknown>>
}

function checkSerialized({ xpub, xprv, deser }: Serialized): Verdict {
  const key = must(parseExtendedKey(xpub))
  const secret = xprv === undefined ? undefined : privateKey(xprv)
  const version = (bytes: number | undefined) => bytes?.toString(16).toUpperCase().padStart(8, '0')
  return differs({
    pub_version: [version(key.version.bytes), deser['pub_version']],
    ...(secret
      ? { priv_version: [version(secret.version.bytes), deser['priv_version']] as const }
      : {}),
    is_testnet: [key.version.network === 'test', deser['is_testnet']],
    depth: [key.depth, deser['depth']],
    parent_fingerprint: [key.parentFingerprint, deser['parent_fingerprint']],
    child_num: [key.index, deser['child_num']],
    chaincode: [toHex(key.chainCode), deser['chaincode']],
    pubkey: [toHex(key.publicKey), deser['pubkey']],
    ...(secret ? { privkey: [toHex(secret.privateKey.reveal()), deser['privkey']] as const } : {}),
    written: [printExtendedPublicKey(key), xpub],
  })
}

interface Step {
  readonly parent_xpub: string
  readonly parent_xprv: string
  readonly child_xpub: string
  readonly index?: number
  readonly path?: string
}

function checkStep({ parent_xpub, parent_xprv, child_xpub, index, path }: Step): Verdict {
  const steps = path === undefined ? [index ?? -1] : must(parseKeyPath(path))
  return differs({
    public: [
      printExtendedPublicKey(must(derivePublic(must(parseExtendedKey(parent_xpub)), steps)).key),
      child_xpub,
    ],
    private: [
      printExtendedPublicKey(must(derivePrivate(privateKey(parent_xprv), steps))),
      child_xpub,
    ],
  })
}

const shapes = [
  jsonShape<OfficialFile>(
    (data) => isRecord(data, 'valid', 'invalid') && isTable(data.valid, 'seed', 'chains'),
    officialCases,
  ),
  jsonShape<object>((data) => isRecord(data, 'fromBase58'), refusalCases),
  jsonShape<readonly HwiMnemonic[]>(
    (data) => isTable(data, 'mnemonic', 'vectors', 'xprv'),
    mnemonicCases,
  ),
  jsonShape<object>(
    (data) => isRecord(data, 'serialization'),
    (data) =>
      sections(data, { serialization: checkSerialized, deriv: checkStep, deriv_path: checkStep }),
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
