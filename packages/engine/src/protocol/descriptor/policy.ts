import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { printDescriptor } from './print.ts'
import type { Descriptor } from './descriptor.ts'

/** A descriptor template and its keys, as hardware wallets register them. Source: BIP 388. */
export interface WalletPolicy {
  readonly template: string
  /** `[fingerprint/path]xpub`, without the steps of the template. */
  readonly keys: readonly string[]
}
type PolicyRefusal = Refusal<'DESCRIPTOR_INVALID'>

const no = (reason: string) =>
  refuse('DESCRIPTOR_INVALID', `the wallet policy ${reason}`, {
    param: 'template',
    details: { reason },
  })

const PLACEHOLDER = /@(\d{1,4})(\/\*\*|\/<\d+;\d+>\/\*)?/g

/** The descriptor text of a policy; it still has to be parsed. */
export function expandPolicy({ template, keys }: WalletPolicy): Result<string, PolicyRefusal> {
  if (/[xt](pub|prv)/.test(template)) return no('has a key where only placeholders belong')
  let next = 0
  const used = new Set<string>()
  for (const [whole, digits = '', tail] of template.matchAll(PLACEHOLDER)) {
    const index = Number(digits)
    if (tail === undefined) return no(`has ${whole} without a path after it`)
    if (index > next) return no(`uses @${index} before @${next}`)
    if (index === next) next += 1
    for (const step of (tail === '/**' ? '<0;1>' : tail).match(/\d+/g) ?? []) {
      // One key on one branch twice would make the same public keys again.
      const place = `@${index}/${step}`
      if (used.has(place)) return no(`uses ${place} twice`)
      used.add(place)
    }
  }
  if (next === 0) return no('has no key')
  if (next !== keys.length) return no(`has ${next} placeholders and ${keys.length} keys`)
  if (template.replaceAll(PLACEHOLDER, '').includes('@'))
    return no('has an @ that is no placeholder')
  if (new Set(keys).size !== keys.length) return no('has a key twice')
  const text = template.replaceAll(PLACEHOLDER, (_, digits: string, tail: string) => {
    const steps = tail === '/**' ? '/<0;1>/*' : tail
    return `${keys[Number(digits)]}${steps}`
  })
  return ok(text)
}

/** The policy of a ranged descriptor with `<0;1>/*` after every key; key texts mark hardened steps with h. */
export function policyOf(descriptor: Descriptor): Result<WalletPolicy, PolicyRefusal> {
  if (descriptor.keys.length === 0) return no('needs keys')
  const keys: string[] = []
  const [body = ''] = printDescriptor(descriptor).split('#')
  const template = body.replaceAll(
    /((?:\[[^\]]*\])?[xt]pub[1-9A-Za-z]+)\/<0;1>\/\*/g,
    (_, key: string) => {
      keys.push(key)
      return `@${keys.length - 1}/**`
    },
  )
  return keys.length === descriptor.keys.length
    ? ok({ template, keys })
    : no('needs <0;1>/* after every key')
}
