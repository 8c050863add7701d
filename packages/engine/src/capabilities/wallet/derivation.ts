import {
  AssertionError,
  assert,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  toHex,
} from '../../kernel/index.ts'
import { addressOf } from '../../protocol/address/index.ts'
import {
  type Descriptor,
  deriveScripts,
  descriptorFromXpub,
  parseDescriptor,
  printDescriptor,
} from '../../protocol/descriptor/index.ts'
import { refusePrivate, type ScriptType } from '../../protocol/keys/index.ts'
import { holdsPrivateKey } from './secrets.ts'

/** The keys of a wallet as people give them: a descriptor, or an extended public key with what it does not say itself. */
export interface KeyInput {
  readonly descriptor?: string
  /** xpub, ypub, zpub, tpub, upub or vpub; `[d34db33f/84h/0h/0h]` may stand before it. */
  readonly xpub?: string
  /** Needed for xpub and tpub. */
  readonly scriptType?: ScriptType
  /** Fingerprint of the master key and path from there. */
  readonly origin?: string
  /** Takes a key that is not at the depth of an account. */
  readonly anyDepth?: boolean
  readonly allowFixed?: boolean
}

export interface Keys {
  /** Canonical text with checksum. */
  readonly descriptor: string
  readonly ranged: boolean
}

/** Reads the keys of a wallet. Every reason to refuse them has its own code; none repeats the text. */
export function readKeys(input: KeyInput, network: Network): Result<Keys, Refusal> {
  if ((input.descriptor === undefined) === (input.xpub === undefined))
    return refuse('WALLET_KEYS_MISSING', 'give either a descriptor or an xpub', {
      param: 'descriptor',
    })
  const text = input.descriptor ?? input.xpub ?? ''
  const parsed = readText(input, text, network)
  if (!parsed.ok) {
    // Also a damaged private key is a secret that was shown: say that before anything else.
    return holdsPrivateKey(text) ? refusePrivate() : parsed
  }
  const descriptor = parsed.value
  if (descriptor.hasPrivateKeys) return refusePrivate()
  if (!descriptor.isRanged && input.allowFixed !== true)
    return refuse(
      'WALLET_NOT_RANGED',
      'the descriptor stands for one script only; orders need an address each: end the key with /*',
      { param: 'descriptor' },
    )
  return ok({ descriptor: printDescriptor(descriptor), ranged: descriptor.isRanged })
}

function readText(input: KeyInput, text: string, network: Network): Result<Descriptor, Refusal> {
  if (typeof text !== 'string')
    return refuse('WALLET_KEYS_MISSING', 'the keys are not text', { param: 'descriptor' })
  if (input.descriptor !== undefined) {
    if (input.origin !== undefined || input.scriptType !== undefined)
      return refuse('FIELD_INVALID', 'a descriptor says script type and origin itself', {
        param: input.origin === undefined ? 'script_type' : 'origin',
      })
    return parseDescriptor(text.trim(), { network })
  }
  const bracketed = /^(\[[^\]]*\])(.*)$/s.exec(text.trim())
  const origin = input.origin ?? bracketed?.[1]
  if (input.origin !== undefined && bracketed)
    return refuse('FIELD_INVALID', 'the origin stands before the xpub already', { param: 'origin' })
  return descriptorFromXpub({
    xpub: bracketed?.[2] ?? text,
    network,
    ...(input.scriptType === undefined ? {} : { scriptType: input.scriptType }),
    ...(origin === undefined ? {} : { origin }),
    ...(input.anyDepth === undefined ? {} : { anyDepth: input.anyDepth }),
  })
}

/** True when a canonical descriptor stands for a range of scripts: only a wildcard writes a star. */
export const isRanged = (descriptor: string): boolean => descriptor.includes('*')

export interface DerivedScript {
  readonly script: Uint8Array
  /** Its address; `raw(<hex>)` where the script has none. */
  readonly address: string
}
/** A stored descriptor, open for derivation. */
export interface ScriptSource {
  /** 0 receives; 1, where there is one, takes change. */
  readonly branches: readonly number[]
  readonly ranged: boolean
  derive(branch: number, from: number, count: number): readonly DerivedScript[]
}

/** Opens the descriptor of a registered wallet. @throws AssertionError when it does not parse: it was checked when it was stored. */
export function openDescriptor(text: string, network: Network): ScriptSource {
  const parsed = parseDescriptor(text, { network, requireChecksum: true })
  if (!parsed.ok) throw new AssertionError(`stored descriptor: ${parsed.error.message}`)
  const descriptor = parsed.value
  assert(!descriptor.hasPrivateKeys, 'a stored descriptor has a private key')
  return {
    branches: Array.from({ length: descriptor.branches }, (_, branch) => branch),
    ranged: descriptor.isRanged,
    derive: (branch, from, count) =>
      deriveScripts(descriptor, branch, from, count).map((script) => {
        const address = addressOf(script, network)
        return { script, address: address.ok ? address.value : `raw(${toHex(script)})` }
      }),
  }
}
