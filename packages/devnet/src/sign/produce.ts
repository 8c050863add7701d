import { ripemd160 } from '@noble/hashes/legacy.js'
import { ByteWriter, toHex, tryFromHex } from '../chain/bytes.ts'
import { hashKey, type Provider } from '../descriptor/provider.ts'
import { leafHash } from '../descriptor/taproot.ts'
import { classifyScript, pushData, type ScriptKind } from '../script/script.ts'
import { multisigParts } from './check.ts'
import { addLeaf, EMPTY, type SignatureData } from './data.ts'
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
      if (!inner) context.data.missing.witnessScript = toHex(data.slice().reverse())
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
function taprootStep({ provider, signer, data }: Context, output: Uint8Array): Step {
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
  noteLeafKeys(provider, data)
  return { solved: false, kind, items: [] }
}
/** Keys inside leaves: where they come from, and which leaves they stand in. */
function noteLeafKeys(provider: Provider, { tap }: SignatureData): void {
  for (const { script, version } of tap.scripts.values()) {
    if (version !== 0xc0) continue
    const hash = toHex(leafHash(version, script))
    for (const key of leafKeys(script)) {
      const origin = provider.originOfXOnly(key)
      if (!origin) continue
      const known = tap.origins.get(toHex(key))
      if (known) known.leafHashes.add(hash)
      else tap.origins.set(toHex(key), { leafHashes: new Set([hash]), origin })
    }
  }
}
/** The keys of `pk(KEY)` and `multi_a(...)` leaves. */
function leafKeys(script: Uint8Array): readonly Uint8Array[] {
  const keys: Uint8Array[] = []
  for (let at = 0; script[at] === 32 && at + 33 < script.length; at += 34) {
    const opcode = script[at + 33]
    if (opcode !== 0xac && opcode !== 0xba) break
    keys.push(script.subarray(at + 1, at + 33))
  }
  return keys
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
