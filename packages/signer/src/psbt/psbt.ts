import { join, Malformed, Reader, sized, size, toHex } from '../bytes.ts'
import { readTx, type Tx } from '../bitcoin/transaction.ts'

/** One map of a PSBT: key type, key data and value of each pair, in the order of the file. */
export interface Pair {
  readonly type: number
  readonly keyData: Uint8Array
  readonly value: Uint8Array
}
export type PairMap = readonly Pair[]

/** A PSBT of version 0 (BIP 174). Pairs that nobody here knows are kept. */
export interface Psbt {
  readonly tx: Tx
  readonly global: PairMap
  readonly inputs: readonly PairMap[]
  readonly outputs: readonly PairMap[]
}

/** Another version than 0. Caught where reading began. */
export class UnknownVersion extends Error {
  override readonly name = 'UnknownVersion'
}

const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff)
export const GLOBAL = { unsignedTx: 0x00, xpub: 0x01, version: 0xfb } as const
export const IN = {
  nonWitnessUtxo: 0x00,
  witnessUtxo: 0x01,
  partialSig: 0x02,
  sighashType: 0x03,
  redeemScript: 0x04,
  witnessScript: 0x05,
  derivation: 0x06,
  finalScript: 0x07,
  finalWitness: 0x08,
  tapKeySig: 0x13,
  tapScriptSig: 0x14,
  tapLeafScript: 0x15,
  tapDerivation: 0x16,
  tapInternalKey: 0x17,
  tapMerkleRoot: 0x18,
} as const
export const OUT = {
  redeemScript: 0x00,
  witnessScript: 0x01,
  derivation: 0x02,
  tapInternalKey: 0x05,
  tapTree: 0x06,
  tapDerivation: 0x07,
} as const

function readMap(reader: Reader): PairMap {
  const pairs: Pair[] = []
  const seen = new Set<string>()
  for (;;) {
    const key = reader.sized()
    if (key.length === 0) return pairs
    const name = toHex(key)
    if (seen.has(name)) throw new Malformed('a key stands twice in a map')
    seen.add(name)
    const inner = new Reader(key)
    const type = inner.size()
    pairs.push({ type, keyData: inner.take(inner.left), value: reader.sized() })
  }
}

/** The values of a type that may stand once and has no key data. @throws Malformed when it has. */
export function single(map: PairMap, type: number): Uint8Array | undefined {
  const found = map.filter((pair) => pair.type === type)
  if (found.some(({ keyData }) => keyData.length > 0)) {
    throw new Malformed(`type ${type} with key data`)
  }
  return found[0]?.value
}
export const several = (map: PairMap, type: number): readonly Pair[] =>
  map.filter((pair) => pair.type === type)

function checkVersion(global: PairMap): void {
  const version = single(global, GLOBAL.version)
  if (version === undefined) return
  if (version.length !== 4) throw new Malformed('a version that is not 32 bits')
  if (new Reader(version).u32() !== 0) throw new UnknownVersion('a PSBT of another version')
}

/** @throws Malformed, UnknownVersion */
export function readPsbt(bytes: Uint8Array): Psbt {
  const reader = new Reader(bytes)
  if (reader.left < 5 || toHex(reader.take(5)) !== toHex(MAGIC)) throw new Malformed('no PSBT')
  const global = readMap(reader)
  checkVersion(global)
  const unsigned = single(global, GLOBAL.unsignedTx)
  if (!unsigned) throw new Malformed('no unsigned transaction')
  const tx = readTx(unsigned, 'unsigned')
  if (tx.inputs.length === 0 || tx.outputs.length === 0) {
    throw new Malformed('a transaction without inputs or outputs')
  }
  if (tx.inputs.some(({ script }) => script.length > 0)) {
    throw new Malformed('an unsigned transaction that holds an input script')
  }
  const inputs = tx.inputs.map(() => readMap(reader))
  const outputs = tx.outputs.map(() => readMap(reader))
  reader.end()
  return { tx, global, inputs, outputs }
}

const writeMap = (map: PairMap): Uint8Array =>
  join(
    ...map.map(({ type, keyData, value }) => join(sized(join(size(type), keyData)), sized(value))),
    0,
  )

export const writePsbt = ({ global, inputs, outputs }: Psbt): Uint8Array =>
  join(MAGIC, writeMap(global), ...inputs.map(writeMap), ...outputs.map(writeMap))
