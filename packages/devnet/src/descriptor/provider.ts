import { toHex } from '../chain/bytes.ts'
import { hash160 } from '../script/script.ts'
import type { DerivedKey } from './key.ts'
import type { KeyOrigin } from './keypath.ts'
import type { TaprootTree } from './taproot.ts'

/** The hash under which keys and scripts stand in maps. */
export const hashKey = (bytes: Uint8Array): string => toHex(hash160(bytes))
const bothKeys = (xOnly: Uint8Array): readonly string[] =>
  [2, 3].map((prefix) => hashKey(Uint8Array.of(prefix, ...xOnly)))

/** What is known for spending: keys, where they come from, inner scripts, trees. All by hash in hex. */
export class Provider {
  readonly secrets = new Map<string, Uint8Array>()
  readonly publicKeys = new Map<string, Uint8Array>()
  readonly origins = new Map<string, KeyOrigin>()
  readonly scripts = new Map<string, Uint8Array>()
  /** By output key. */
  readonly trees = new Map<string, TaprootTree>()

  addKey({ publicKey, origin, secret }: DerivedKey): void {
    const id = hashKey(publicKey)
    this.publicKeys.set(id, publicKey)
    this.origins.set(id, origin)
    if (secret) this.secrets.set(id, secret)
  }
  addScript(script: Uint8Array): void {
    this.scripts.set(hashKey(script), script)
  }
  addTree(tree: TaprootTree): void {
    this.trees.set(toHex(tree.outputKey), tree)
  }
  merge(other: Provider): this {
    for (const [id, secret] of other.secrets) this.secrets.set(id, secret)
    for (const [id, key] of other.publicKeys) this.publicKeys.set(id, key)
    for (const [id, origin] of other.origins) this.origins.set(id, origin)
    for (const [id, script] of other.scripts) this.scripts.set(id, script)
    for (const [id, tree] of other.trees) this.trees.set(id, tree)
    return this
  }
  /** The same knowledge without secrets, or without origins. */
  hiding(what: { readonly secrets?: boolean; readonly origins?: boolean }): Provider {
    const copy = new Provider().merge(this)
    if (what.secrets) copy.secrets.clear()
    if (what.origins) copy.origins.clear()
    return copy
  }
  originOfXOnly(xOnly: Uint8Array): KeyOrigin | undefined {
    for (const id of bothKeys(xOnly)) {
      const origin = this.origins.get(id)
      if (origin) return origin
    }
    return undefined
  }
  secretOfXOnly(xOnly: Uint8Array): Uint8Array | undefined {
    for (const id of bothKeys(xOnly)) {
      const secret = this.secrets.get(id)
      if (secret) return secret
    }
    return undefined
  }
}
