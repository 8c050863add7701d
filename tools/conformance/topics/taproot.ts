import { fromHex, sat, toHex } from '@kaccy/bitcoin/kernel'
import { addressOf, parseAddress } from '@kaccy/bitcoin/protocol/address'
import { SignatureHasher, verifySchnorr as verifyOurs } from '@kaccy/bitcoin/protocol/sighash'
import { decodeTransaction } from '@kaccy/bitcoin/protocol/transaction'
import {
  commitsToLeaf,
  encodeControlBlock,
  LEAF_TAPSCRIPT,
  parseControlBlock,
  signatureHasher,
  tapBranchHash,
  tapLeafHash,
  taprootOutputKey,
  verifyInput,
  verifySchnorr,
} from '@kaccy/devnet/script'
import { schnorr } from '@noble/curves/secp256k1.js'
import { assemble } from '../asm.ts'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  must,
  runShapes,
  type Verdict,
} from '../cases.ts'
import { agree, Contradiction, isCurvePoint, leaves, NO_BUILDER } from '../leafscripts.ts'

export const topic = 'taproot'

/** A script with its leaf version, or a fork of two. */
interface Leaf {
  readonly script?: string
  readonly output?: string
  readonly leafVersion?: number
  readonly version?: number
}
type Tree = Leaf | readonly [Tree, Tree]
interface Placed {
  readonly script: Uint8Array
  readonly version: number
  readonly hash: Uint8Array
  readonly path: readonly Uint8Array[]
}
const isFork = (tree: Tree): tree is readonly [Tree, Tree] => Array.isArray(tree)
function leafOf(leaf: Leaf): Placed {
  const script = leaf.script === undefined ? assemble(leaf.output ?? '') : fromHex(leaf.script)
  if (leaf.script === undefined && leaf.output === undefined) throw new TypeError('no script')
  const version = leaf.leafVersion ?? leaf.version ?? LEAF_TAPSCRIPT
  return { script, version, hash: tapLeafHash(script, version), path: [] }
}
/** The root of a tree, and its leaves in order with their paths. */
function build(tree: Tree): { readonly root: Uint8Array; readonly leaves: readonly Placed[] } {
  if (!isFork(tree)) {
    const leaf = leafOf(tree)
    return { root: leaf.hash, leaves: [leaf] }
  }
  const [left, right] = [build(tree[0]), build(tree[1])]
  const below = (leaves: readonly Placed[], other: Uint8Array) =>
    leaves.map((leaf) => ({ ...leaf, path: [...leaf.path, other] }))
  return {
    root: tapBranchHash(left.root, right.root),
    leaves: [...below(left.leaves, right.root), ...below(right.leaves, left.root)],
  }
}
const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes)
const p2tr = (key: Uint8Array): Uint8Array => Uint8Array.of(0x51, 32, ...key)

interface OutputRow {
  readonly given: { readonly internalPubkey: string; readonly scriptTree: Tree | null }
  readonly intermediary: {
    readonly leafHashes?: readonly string[]
    readonly merkleRoot?: string | null
    readonly tweak?: string
    readonly tweakedPubkey: string
  }
  readonly expected: {
    readonly scriptPubKey: string
    readonly bip350Address: string
    readonly scriptPathControlBlocks?: readonly string[]
  }
}
function checkControl(row: OutputRow, leaf: Placed, hex: string | undefined, isOdd: boolean) {
  const internalKey = fromHex(row.given.internalPubkey)
  const { version: leafVersion, path, hash } = leaf
  const made = encodeControlBlock({ leafVersion, isOdd, internalKey, path })
  const read = parseControlBlock(fromHex(hex ?? ''))
  const outputKey = fromHex(row.intermediary.tweakedPubkey)
  return differs({
    'control block': [toHex(made), hex],
    commits: [read !== undefined && commitsToLeaf(outputKey, read, hash), true],
  })
}
function checkOutput(row: OutputRow): Verdict {
  const { given, intermediary, expected } = row
  const tree = given.scriptTree === null ? undefined : build(given.scriptTree)
  const key = taprootOutputKey(fromHex(given.internalPubkey), tree?.root)
  const script = key && p2tr(key.key)
  const address = script && addressOf(script, 'main')
  const verdict = differs({
    root: [hexOf(tree?.root), intermediary.merkleRoot ?? undefined],
    leaves: [tree?.leaves.map(({ hash }) => toHex(hash)).join(), intermediary.leafHashes?.join()],
    key: [hexOf(key?.key), intermediary.tweakedPubkey],
    script: [hexOf(script), expected.scriptPubKey],
    address: [address?.ok && address.value, expected.bip350Address],
  })
  if (verdict !== undefined || !tree || !key) return verdict
  for (const [i, leaf] of tree.leaves.entries()) {
    const fault = checkControl(row, leaf, expected.scriptPathControlBlocks?.[i], key.isOdd)
    if (fault !== undefined) return fault
  }
  return undefined
}

interface Spending {
  readonly given: {
    readonly rawUnsignedTx: string
    readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[]
  }
  readonly inputSpending: readonly {
    readonly given: {
      readonly txinIndex: number
      readonly internalPrivkey: string
      readonly merkleRoot: string | null
      readonly hashType: number
    }
    readonly intermediary: { readonly tweakedPrivkey: string; readonly sigHash: string }
    readonly expected: { readonly witness: readonly [string] }
  }[]
  readonly auxiliary?: { readonly fullySignedTx?: string }
}
/** The digest of each input, its signature, and the same signature made by the audited library. */
function checkInput(spending: Spending, row: Spending['inputSpending'][number]): Verdict {
  const { txinIndex, hashType, internalPrivkey, merkleRoot } = row.given
  const spent = spending.given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
    script: fromHex(scriptPubKey),
    value: BigInt(amountSats),
  }))
  const hasher = signatureHasher(fromHex(spending.given.rawUnsignedTx), spent)
  const digest = hasher.taproot(txinIndex, hashType)
  const coins = spent.map(({ value, script }) => ({ amount: sat(value), script }))
  const transaction = must(decodeTransaction(fromHex(spending.given.rawUnsignedTx)))
  const own = new SignatureHasher(transaction, coins).taproot(txinIndex, hashType)
  const witness = fromHex(row.expected.witness[0])
  const output = spent[txinIndex]?.script.subarray(2)
  const secret = fromHex(row.intermediary.tweakedPrivkey)
  const internal = schnorr.getPublicKey(fromHex(internalPrivkey))
  const root = merkleRoot === null ? undefined : fromHex(merkleRoot)
  if (!digest || !output) return 'there is no digest'
  return differs({
    digest: [toHex(digest), row.intermediary.sigHash],
    key: [hexOf(taprootOutputKey(internal, root)?.key), toHex(output)],
    'key of the secret': [toHex(schnorr.getPublicKey(secret)), toHex(output)],
    'hash type': [witness.length === 65 ? witness[64] : 0, hashType],
    'digest of the engine': [own && toHex(own), toHex(digest)],
    verified: [verifySchnorr(witness.subarray(0, 64), digest, output), true],
    'verified by the engine': [verifyOurs(witness.subarray(0, 64), digest, output), true],
    signed: [
      toHex(schnorr.sign(digest, secret, new Uint8Array(32))),
      toHex(witness.subarray(0, 64)),
    ],
  })
}
/** The whole transaction spends every coin, the ones that are not taproot too. */
function checkSigned({ given, auxiliary }: Spending): Verdict {
  const hex = auxiliary?.fullySignedTx
  if (hex === undefined) return undefined
  const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
    script: fromHex(scriptPubKey),
    value: BigInt(amountSats),
  }))
  for (const input of spent.keys()) {
    const verdict = verifyInput({ transaction: fromHex(hex), input, spent })
    if (!verdict.ok) return `input ${input}: ${verdict.error}`
  }
  return undefined
}
const wallet = jsonShape<{
  readonly scriptPubKey: readonly OutputRow[]
  readonly keyPathSpending: readonly Spending[]
}>(
  (data) => isRecord(data, 'scriptPubKey', 'keyPathSpending'),
  function* ({ scriptPubKey, keyPathSpending }): Generator<Case> {
    for (const [i, row] of scriptPubKey.entries()) {
      yield [`scriptPubKey ${i}`, () => checkOutput(row)]
    }
    for (const [i, spending] of keyPathSpending.entries()) {
      for (const row of spending.inputSpending) {
        const check = () => checkInput(spending, row) ?? checkSigned(spending)
        yield [`keyPathSpending ${i} input ${row.given.txinIndex}`, check]
      }
    }
  },
)

interface Facts {
  readonly address?: string | null
  readonly output?: string | null
  readonly pubkey?: string | null
  readonly internalPubkey?: string | null
  readonly hash?: string | null
  readonly signature?: string | null
  readonly scriptTree?: Tree | null
  readonly witness?: readonly string[] | null
  readonly redeem?: Leaf & { readonly redeemVersion?: number }
}
interface PaymentRow {
  readonly description?: string
  readonly exception?: string
  readonly arguments: Facts
  readonly expected?: Facts
}
function programOf(script: Uint8Array): Uint8Array {
  if (script.length !== 34 || script[0] !== 0x51 || script[1] !== 32) {
    throw new Contradiction('no P2TR output')
  }
  return script.subarray(2)
}
interface Shown {
  readonly key?: string | undefined
  readonly internal?: string | undefined
  readonly root?: string | undefined
  readonly signature?: string | undefined
  readonly leaf?: string | undefined
  readonly version?: number | undefined
}
/** What a witness says of its output: a signature, or a script with its control block. */
function readWitness(items: readonly string[] | null | undefined): Shown {
  if (!items || items.length === 0) return {}
  const hasAnnex = items.length > 1 && (items.at(-1) ?? '').startsWith('50')
  const own = hasAnnex ? items.slice(0, -1) : items
  if (own.length === 1) return { signature: own[0] }
  const control = parseControlBlock(fromHex(own.at(-1) ?? ''))
  if (!control) throw new Contradiction('control block')
  const leaf = own.at(-2) ?? ''
  const hash = tapLeafHash(fromHex(leaf), control.leafVersion)
  const root = control.path.reduce(tapBranchHash, hash)
  const output = taprootOutputKey(control.internalKey, root)
  if (!output) throw new Contradiction('internal key')
  if (output.isOdd !== control.isOdd || !commitsToLeaf(output.key, control, hash)) {
    throw new Contradiction('parity')
  }
  const internal = toHex(control.internalKey)
  const { leafVersion: version } = control
  return { key: toHex(output.key), internal, root: toHex(root), leaf, version }
}
/** Everything that follows from the given facts. @throws Contradiction where they do not fit together. */
function derive(facts: Facts): { readonly key: string; readonly root?: string | undefined } {
  const { address, output, pubkey, hash, redeem } = facts
  const tree = facts.scriptTree ? build(facts.scriptTree) : undefined
  const shown = readWitness(facts.witness)
  const alone = redeem?.output === undefined || tree ? undefined : leafRoot(redeem)
  const root = hexOf(tree?.root) ?? shown.root ?? alone ?? hash ?? undefined
  agree('hash', root, hash ?? undefined)
  agree('internal key', shown.internal, facts.internalPubkey ?? undefined)
  agree('signature', shown.signature, facts.signature ?? undefined)
  checkRedeem(facts, shown)
  const internal = facts.internalPubkey ?? shown.internal
  if (internal !== undefined && !isCurvePoint(internal)) throw new Contradiction('no point')
  const made =
    internal === undefined
      ? undefined
      : taprootOutputKey(fromHex(internal), root === undefined ? undefined : fromHex(root))
  const parsed = address ? parseAddress(address, 'main') : undefined
  if (parsed && !parsed.ok) throw new Contradiction('address')
  const keys = [
    hexOf(made?.key),
    parsed?.ok ? toHex(programOf(parsed.value.script)) : undefined,
    output ? toHex(programOf(assemble(output))) : undefined,
    pubkey ?? undefined,
    shown.key,
  ].filter((key) => key !== undefined)
  const [key] = keys
  if (key === undefined) throw new Contradiction('not enough data')
  if (new Set(keys).size > 1) throw new Contradiction('key')
  if (!isCurvePoint(key)) throw new Contradiction('no point')
  return { key, root }
}
const leafRoot = ({ output, redeemVersion }: NonNullable<Facts['redeem']>): string =>
  toHex(tapLeafHash(assemble(output ?? ''), redeemVersion ?? LEAF_TAPSCRIPT))
function checkRedeem({ redeem }: Facts, { leaf, version }: Shown): void {
  if (!redeem || leaf === undefined) return
  if (redeem.output !== undefined && toHex(assemble(redeem.output)) !== leaf) {
    throw new Contradiction('redeem script')
  }
  if (redeem.redeemVersion !== undefined && redeem.redeemVersion !== version) {
    throw new Contradiction('redeem version')
  }
}
function checkPayment({ arguments: facts, expected = {} }: PaymentRow): Verdict {
  const { key, root } = derive(facts)
  const script = p2tr(fromHex(key))
  const address = addressOf(script, 'main')
  const verdict = differs({
    key: [key, expected.pubkey ?? key],
    output: [toHex(script), toHex(expected.output ? assemble(expected.output) : script)],
    address: [address.ok && address.value, expected.address ?? (address.ok && address.value)],
    root: [root, expected.hash ?? root],
  })
  if (verdict !== undefined || !expected.witness || expected.witness.length < 2) return verdict
  // The path that bitcoinjs shows for the redeem script leads to the same output.
  return differs({ 'key of the witness': [readWitness(expected.witness).key, key] })
}
function refusePayment({ arguments: facts }: PaymentRow): Verdict {
  try {
    derive(facts)
  } catch {
    return undefined
  }
  return { skip: NO_BUILDER }
}
const payments = jsonShape<{
  readonly valid: readonly PaymentRow[]
  readonly invalid: readonly PaymentRow[]
}>(
  (data) =>
    isRecord(data, 'valid', 'invalid') &&
    data.valid.every(({ expected }) => (expected as { name?: string }).name === 'p2tr'),
  function* ({ valid, invalid }): Generator<Case> {
    for (const [i, row] of valid.entries()) yield [`valid ${i}`, () => checkPayment(row)]
    for (const [i, row] of invalid.entries()) yield [`invalid ${i}`, () => refusePayment(row)]
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [wallet, payments, leaves])
