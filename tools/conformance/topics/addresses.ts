import {
  AssertionError,
  fromHex,
  isNetwork,
  NETWORKS,
  type Network,
  Secret,
  toHex,
} from '@kaccy/bitcoin/kernel'
import {
  addressOf,
  checkDestination,
  decodeBase58,
  decodeBase58Check,
  encodeBase58,
  encodeBase58Check,
  parseAddress,
} from '@kaccy/bitcoin/protocol/address'
import { parseWif, printWif } from '@kaccy/bitcoin/protocol/keys'
import { classifyOutput } from '@kaccy/bitcoin/protocol/script'
import { assemble } from '../asm.ts'
import {
  type CaseRecord,
  differs,
  isRecord,
  isTable,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  under,
  type Verdict,
} from '../cases.ts'

export const topic = 'addresses'

interface KeyIoFacts {
  readonly chain: string
  readonly isPrivkey: boolean
  readonly isCompressed?: boolean
  readonly tryCaseFlip?: boolean
}
type KeyIoRow = readonly [text: string, hex: string, facts: KeyIoFacts]

const flipCase = (text: string): string =>
  text.replaceAll(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()))

function checkKeyIo([text, hex, facts]: KeyIoRow): Verdict {
  const { chain, isPrivkey, isCompressed, tryCaseFlip = false } = facts
  if (!isNetwork(chain)) return `the chain ${chain} is not known`
  if (isPrivkey) {
    const wif = must(parseWif(text))
    return differs({
      key: [toHex(wif.privateKey.reveal()), hex],
      isCompressed: [wif.isCompressed, isCompressed],
      network: [wif.network, chain === 'main' ? 'main' : 'test'],
      written: [printWif(wif).reveal(), text],
      address: [parseAddress(text, chain).ok, false],
    })
  }
  const flipped = parseAddress(flipCase(text), chain)
  return differs({
    script: [toHex(must(parseAddress(text, chain)).script), hex],
    address: [must(addressOf(fromHex(hex), chain)), text],
    'case flip': [flipped.ok && toHex(flipped.value.script), tryCaseFlip ? hex : false],
    'private key': [parseWif(text).ok, false],
  })
}

/** No network takes it, neither as address nor as key. */
function checkInvalid(text: string): Verdict {
  const taken = NETWORKS.find((network) => parseAddress(text, network).ok)
  if (taken) return `taken as an address of ${taken}`
  return parseWif(text).ok ? 'taken as a private key' : undefined
}

const JS_NETWORKS: Readonly<Record<string, Network>> = {
  bitcoin: 'main',
  testnet: 'test',
  regtest: 'regtest',
  signet: 'signet',
}

interface StandardRow {
  readonly network: string
  readonly version: number
  readonly hash?: string
  readonly base58check?: string
  readonly bech32?: string
  readonly data?: string
  readonly script: string
}

function checkStandard({
  network: name,
  version,
  hash,
  base58check,
  bech32,
  data,
  script,
}: StandardRow): Verdict {
  const network = JS_NETWORKS[name]
  const text = base58check ?? bech32 ?? ''
  // Another coin: its addresses must not pass for ours.
  if (!network) return checkInvalid(text)
  const parsed = must(parseAddress(text, network))
  const output = classifyOutput(parsed.script)
  const wrong = NETWORKS.filter((other) => parseAddress(text, other).ok)
  const isMain = network === 'main'
  return differs({
    script: [toHex(parsed.script), toHex(assemble(script))],
    address: [must(addressOf(assemble(script), network)), bech32?.toLowerCase() ?? text],
    ...(hash === undefined
      ? {}
      : { hash: ['hash' in output && toHex(output.hash), hash] as const }),
    ...(data === undefined
      ? {}
      : { data: ['program' in output && toHex(output.program), data] as const }),
    ...(bech32 === undefined
      ? {}
      : { version: ['version' in output && output.version, version] as const }),
    'other networks': [wrong.includes('main'), isMain],
  })
}

interface BechRow {
  readonly address: string
  readonly version: number
  readonly prefix: string
  readonly data: string
}
function checkBech({ address, version, prefix, data }: BechRow): Verdict {
  const network = { bc: 'main', tb: 'test', bcrt: 'regtest' }[prefix] as Network | undefined
  if (!network) return checkInvalid(address)
  const { script } = must(parseAddress(address, network))
  const output = classifyOutput(script)
  return differs({
    version: ['version' in output && output.version, version],
    data: ['program' in output && toHex(output.program), data],
    written: [must(addressOf(script, network)), address.toLowerCase()],
  })
}

interface ToScriptRow {
  readonly address: string
  readonly exception?: string
  readonly paymentException?: string
  readonly network?: { readonly bech32: string }
}
/**
 * `paymentException`: the address is well formed, and paying to it has to be refused. `network`: the prefix that
 * the reader was told; where it is none of ours, every network with another prefix than the address has is asked.
 */
function checkToScript({ address, paymentException, network: told }: ToScriptRow): Verdict {
  const prefix = told?.bech32 ?? 'bc'
  const known = NETWORKS.filter((network) => segwitPrefix(network) === prefix)
  const others = NETWORKS.filter(
    (network) => !address.toLowerCase().startsWith(`${segwitPrefix(network)}1`),
  )
  const asked = known.length > 0 ? known : others
  if (paymentException === undefined) {
    const taken = asked.find((network) => parseAddress(address, network).ok)
    return taken && `taken as an address of ${taken}`
  }
  const parsed = asked.map((network) => parseAddress(address, network)).find((result) => result.ok)
  return parsed?.ok ? refused(checkDestination(parsed.value)) : undefined
}
const segwitPrefix = (network: Network): string =>
  network === 'main' ? 'bc' : network === 'regtest' ? 'bcrt' : 'tb'

const invalidAddress = ({ address }: { address: string }): Verdict => checkInvalid(address)

interface AddressFile {
  readonly standard: readonly StandardRow[]
  readonly bech32: readonly BechRow[]
  readonly invalid: object
}

const shapes = [
  jsonShape<readonly KeyIoRow[]>(
    (data) =>
      isTable(data) &&
      data.every((row) => row.length === 3 && isRecord(row[2], 'chain', 'isPrivkey')),
    (rows) =>
      rows.map(
        (row, i) => [`${i} ${row[2].chain} ${row[0].slice(0, 8)}`, () => checkKeyIo(row)] as const,
      ),
  ),
  jsonShape<readonly (readonly [string])[]>(
    (data) => isTable(data) && data.every((row) => row.length === 1 && typeof row[0] === 'string'),
    (rows) =>
      rows.map(([text], i) => [`${i} ${text.slice(0, 20)}`, () => checkInvalid(text)] as const),
  ),
  jsonShape<readonly (readonly [string, string])[]>(
    (data) =>
      isTable(data) && data.every((row) => row.length === 2 && /^([0-9a-f]{2})*$/.test(row[0])),
    (rows) =>
      rows.map(
        ([hex, text], i) =>
          [
            `${i} ${text.slice(0, 20)}`,
            () =>
              differs({
                encoded: [encodeBase58(fromHex(hex)), text],
                decoded: [toHex(decodeBase58(text) ?? Uint8Array.of(255)), hex],
              }),
          ] as const,
      ),
  ),
  jsonShape<AddressFile>(
    (data) => isRecord(data, 'standard', 'invalid'),
    function* (file) {
      yield* sections(file, { standard: checkStandard, bech32: checkBech }, ['invalid'])
      yield* under(
        'invalid',
        sections(file.invalid, {
          bech32: invalidAddress,
          fromBase58Check: invalidAddress,
          fromOutputScript: ({ script }: { script: string }) =>
            refused(addressOf(assemble(script), 'main')),
          toOutputScript: checkToScript,
        }),
      )
    },
  ),
  jsonShape<{ readonly valid: readonly object[]; readonly invalid: object }>(
    (data) => isRecord(data, 'valid', 'invalid') && isTable(data.valid, 'WIF'),
    function* (file) {
      yield* sections(file, { valid: checkWif }, ['invalid'])
      yield* under(
        'invalid',
        sections(file.invalid, {
          decode: ({ WIF, version }: { WIF: string; version: number }) => {
            const wif = parseWif(WIF)
            const isWanted = wif.ok && (wif.value.network === 'main' ? 128 : 239) === version
            return isWanted ? 'was taken, has to be refused' : undefined
          },
          encode: ({ privateKeyHex }: { privateKeyHex: string }) => {
            const privateKey = new Secret(fromHex(privateKeyHex))
            try {
              printWif({ network: 'main', isCompressed: true, privateKey })
            } catch (error) {
              return error instanceof AssertionError ? undefined : String(error)
            }
            return 'was written, has to be refused'
          },
        }),
      )
    },
  ),
  jsonShape<object>(
    (data) =>
      isRecord(data, 'valid', 'invalid') &&
      isTable((data as { valid: unknown }).valid, 'string', 'payload'),
    (file) =>
      sections(file, {
        valid: ({ string, payload }: { string: string; payload: string }) =>
          differs({
            decoded: [toHex(must(decodeBase58Check(string))), payload],
            encoded: [encodeBase58Check(fromHex(payload)), string],
          }),
        invalid: ({ string }: { string: string }) => refused(decodeBase58Check(string)),
      }),
  ),
]

interface WifRow {
  readonly WIF: string
  readonly compressed: boolean
  readonly privateKeyHex: string
  readonly version: number
}
function checkWif({ WIF, compressed, privateKeyHex, version }: WifRow): Verdict {
  const wif = must(parseWif(WIF))
  return differs({
    key: [toHex(wif.privateKey.reveal()), privateKeyHex],
    compressed: [wif.isCompressed, compressed],
    network: [wif.network, version === 128 ? 'main' : 'test'],
    written: [printWif(wif).reveal(), WIF],
  })
}

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
