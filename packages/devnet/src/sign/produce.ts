import { ripemd160 } from '@noble/hashes/legacy.js'
import { ByteWriter, toHex, tryFromHex } from '../chain/bytes.ts'
import { hashKey, type Provider } from '../descriptor/provider.ts'
import { classifyScript, parseScript, pushData, type ScriptKind } from '../script/script.ts'
import { tapLeafHash } from '../script/taproot.ts'
import { multisigParts } from './check.ts'
import { addLeaf, EMPTY, type LeafScript, type SignatureData, sortedByKey } from './data.ts'
import type { Signer } from './signer.ts'

interface Context {
  readonly provider: Provider
  readonly signer: Signer
  readonly data: SignatureData
}
interface Step {
  readonly solved: boolean
  readonly kind: ScriptKind
  readonly items: readonly Uint8Array[]
}

/** A signature that is there already, or a new one; notes what is missing. */
function signatureOf(
  { provider, signer, data }: Context,
  publicKey: Uint8Array,
  code: Uint8Array,
  segwit: boolean,
): Uint8Array | undefined {
  const id = hashKey(publicKey)
  const known = data.signatures.get(id)
  if (known) return known.signature
  const origin = provider.origins.get(id)
  if (origin && !data.keys.has(id)) data.keys.set(id, { publicKey, origin })
  const made = signer.ecdsa(provider, id, code, segwit)
  if (made) data.signatures.set(id, { publicKey, signature: made })
  else data.missing.signatures.push(id)
  return made
}
function publicKeyOf({ provider, data }: Context, id: string): Uint8Array | undefined {
  const own =
    data.signatures.get(id)?.publicKey ??
    data.keys.get(id)?.publicKey ??
    provider.publicKeys.get(id)
  if (own) return own
  for (const hex of data.tap.origins.keys()) {
    const key = Uint8Array.of(2, ...(tryFromHex(hex) ?? EMPTY))
    if (hashKey(key) === id) return key
  }
  return undefined
}
function scriptOfHash({ provider, data }: Context, id: string): Uint8Array | undefined {
  const known = provider.scripts.get(id)
  if (known) return known
  return [data.redeemScript, data.witnessScript].find(
    (script) => script !== undefined && hashKey(script) === id,
  )
}
function multiStep(context: Context, script: Uint8Array, segwit: boolean): Step {
  const { least, keys } = multisigParts(script)
  // OP_CHECKMULTISIG takes one item more than it needs.
  const items: Uint8Array[] = [EMPTY]
  for (const key of keys) {
    // Every key is tried, so that others find all signatures that could be made here.
    const signature = signatureOf(context, key, script, segwit)
    if (signature && items.length < least + 1) items.push(signature)
  }
  const solved = items.length === least + 1
  while (items.length < least + 1) items.push(EMPTY)
  return { solved, kind: 'multisig', items }
}
function step(context: Context, script: Uint8Array, segwit: boolean): Step {
  const { kind, data } = classifyScript(script)
  const failed: Step = { solved: false, kind, items: [] }
  switch (kind) {
    case 'pubkey': {
      const signature = signatureOf(context, data, script, segwit)
      return signature ? { solved: true, kind, items: [signature] } : failed
    }
    case 'pubkeyhash': {
      const id = toHex(data)
      const key = publicKeyOf(context, id)
      if (!key) {
        context.data.missing.publicKeys.push(id)
        return failed
      }
      const signature = signatureOf(context, key, script, segwit)
      return signature ? { solved: true, kind, items: [signature, key] } : failed
    }
    case 'scripthash': {
      const inner = scriptOfHash(context, toHex(data))
      if (!inner) context.data.missing.redeemScript = toHex(data)
      return inner ? { solved: true, kind, items: [inner] } : failed
    }
    case 'witness_v0_scripthash': {
      const inner = scriptOfHash(context, toHex(ripemd160(data)))
      if (!inner) context.data.missing.witnessScript = toHex(data)
      return inner ? { solved: true, kind, items: [inner] } : failed
    }
    case 'multisig':
      return multiStep(context, script, segwit)
    case 'witness_v0_keyhash':
      return { solved: true, kind, items: [data] }
    case 'witness_v1_taproot':
      return taprootStep(context, data)
    case 'anchor':
      return { solved: true, kind, items: [] }
    default:
      return failed
  }
}
function taprootStep(context: Context, output: Uint8Array): Step {
  const { provider, signer, data } = context
  const { tap } = data
  const kind = 'witness_v1_taproot'
  const tree = provider.trees.get(toHex(output))
  if (tree) {
    tap.internalKey ??= tree.internalKey
    tap.merkleRoot ??= tree.merkleRoot
    tap.tree = tree
    for (const leaf of tree.leaves) addLeaf(tap.scripts, leaf.script, leaf.version, leaf.control)
  }
  const internal = tap.internalKey
  const origin = internal && provider.originOfXOnly(internal)
  if (internal && origin && !tap.origins.has(toHex(internal))) {
    tap.origins.set(toHex(internal), { leafHashes: new Set(), origin })
  }
  tap.keySignature ??=
    (internal && signer.schnorr(provider, internal, tap.merkleRoot ?? EMPTY)) ??
    signer.schnorr(provider, output, undefined)
  if (tap.keySignature) return { solved: true, kind, items: [tap.keySignature] }
  const spends = sortedByKey(tap.scripts)
    .map(([, leaf]) => leafSpend(context, leaf))
    .filter((items) => items !== undefined)
  const size = (items: readonly Uint8Array[]) => items.reduce((sum, { length }) => sum + length, 0)
  const [best] = spends.sort((a, b) => size(a) - size(b))
  return best ? { solved: true, kind, items: best } : { solved: false, kind, items: [] }
}
/** The witness of one leaf: signatures, script, control block. Every key is tried, so that others find all signatures. */
function leafSpend(context: Context, leaf: LeafScript): readonly Uint8Array[] | undefined {
  const { script, version, controls } = leaf
  if (version !== 0xc0) return undefined
  const hash = tapLeafHash(script, version)
  const { keys, least } = leafParts(script)
  const made = keys.map((key) => leafSignature(context, key, hash))
  let left = least
  const items = made.map((signature) => {
    if (!signature || left === 0) return EMPTY
    left -= 1
    return signature
  })
  const [control] = [...controls].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  if (left > 0 || keys.length === 0 || control === undefined) return undefined
  // The first key of the script finds its signature on top of the stack.
  return [...items.reverse(), script, tryFromHex(control) ?? EMPTY]
}
function leafSignature(
  { provider, signer, data: { tap } }: Context,
  key: Uint8Array,
  hash: Uint8Array,
): Uint8Array | undefined {
  const id = toHex(key)
  const origin = provider.originOfXOnly(key)
  if (origin) {
    const known = tap.origins.get(id)
    if (known) known.leafHashes.add(toHex(hash))
    else tap.origins.set(id, { leafHashes: new Set([toHex(hash)]), origin })
  }
  const place = id + toHex(hash)
  const signature =
    tap.scriptSignatures.get(place) ?? signer.schnorr(provider, key, undefined, hash)
  if (signature) tap.scriptSignatures.set(place, signature)
  return signature
}
/** Keys and threshold of `pk(KEY)` and `multi_a(...)` leaves; no keys for any other. */
function leafParts(script: Uint8Array): {
  readonly keys: readonly Uint8Array[]
  readonly least: number
} {
  const none = { keys: [], least: 0 }
  const pieces = parseScript(script) ?? []
  const body = pieces.length === 2 ? pieces : pieces.slice(0, -2)
  const keys = body.flatMap(({ data }) => (data?.length === 32 ? [data] : []))
  const checks = body.filter((_, at) => at % 2 === 1).map(({ opcode }) => opcode)
  const right = checks.every((opcode, at) => opcode === (at === 0 ? 0xac : 0xba))
  if (!right || keys.length !== checks.length || body.length !== 2 * keys.length) return none
  if (pieces.length === 2) return { keys, least: 1 }
  const [least, last] = pieces.slice(-2)
  if (last?.opcode !== 0x9c || !least) return none
  const small = least.opcode >= 0x51 && least.opcode <= 0x60
  return { keys, least: small ? least.opcode - 0x50 : (least.data?.[0] ?? keys.length + 1) }
}
const pushAll = (items: readonly Uint8Array[]): Uint8Array => {
  const writer = new ByteWriter()
  for (const item of items) {
    const [only] = item
    const small = item.length === 1 && only !== undefined && only >= 1 && only <= 16
    if (item.length === 0) writer.u8(0)
    else if (small) writer.u8(0x50 + only)
    else if (item.length === 1 && only === 0x81) writer.u8(0x4f)
    else writer.put(pushData(item))
  }
  return writer.done()
}

const UNSPENDABLE_INSIDE: readonly ScriptKind[] = [
  'scripthash',
  'witness_v0_scripthash',
  'witness_v0_keyhash',
]
/**
 * Puts together the spend of an output from everything known, signing what can be signed. True when it is complete and holds.
 * What was found on the way stays in `data` either way.
 */
export function produceSignature(
  provider: Provider,
  signer: Signer,
  script: Uint8Array,
  data: SignatureData,
): boolean {
  if (data.complete) return true
  const context: Context = { provider, signer, data }
  let own = step(context, script, false)
  let redeem: Uint8Array | undefined
  if (own.solved && own.kind === 'scripthash') {
    redeem = own.items[0] ?? EMPTY
    data.redeemScript = redeem
    own = step(context, redeem, false)
    if (own.kind === 'scripthash') own = { ...own, solved: false }
  }
  let items = own.items
  let { solved } = own
  let stack: readonly Uint8Array[] = []
  if (solved && own.kind === 'witness_v0_keyhash') {
    const code = Uint8Array.of(0x76, 0xa9, 20, ...(items[0] ?? EMPTY), 0x88, 0xac)
    const inner = step(context, code, true)
    solved = inner.solved
    stack = inner.items
    data.witness = true
    items = []
  } else if (solved && own.kind === 'witness_v0_scripthash') {
    const inside = items[0] ?? EMPTY
    data.witnessScript = inside
    const inner = step(context, inside, true)
    solved = inner.solved && !UNSPENDABLE_INSIDE.includes(inner.kind)
    stack = [...inner.items, inside]
    data.witness = true
    items = []
  } else if (own.kind === 'witness_v1_taproot' && redeem === undefined) {
    data.witness = true
    if (solved) stack = items
    items = []
  }
  data.stack = stack
  data.scriptSig = pushAll(redeem === undefined ? items : [...items, redeem])
  data.complete = solved && signer.check(data.scriptSig, data.stack) === undefined
  return data.complete
}
