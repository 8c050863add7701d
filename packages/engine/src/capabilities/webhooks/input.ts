import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import type { WebhookChanges, WebhookSettings } from './ports.ts'
import { checkWebhookUrl, type TargetRules } from './target.ts'

const MOST_TYPES = 100
const PAIRS = 50
const TYPE = /^(?:\*|[a-z][a-z0-9_]{0,63}\.(?:\*|[a-z0-9_.]{1,64}))$/
/** Line breaks and tabs are text; what no database and no terminal takes kindly is not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNFIT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|\p{Cs}/u

const isText = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value.length <= longest && !UNFIT.test(value)

type Invalid = Refusal<'WEBHOOK_URL_REFUSED' | 'FIELD_INVALID'>

/** Everything about settings that can be judged without the store. The URL comes back normalised, types without repetition. */
export function checkSettings(
  changes: WebhookChanges,
  rules: TargetRules,
): Result<Partial<WebhookSettings>, Invalid> {
  const { url, eventTypes, description, metadata } = changes
  const target = url === undefined ? undefined : checkWebhookUrl(url, rules)
  if (target && !target.ok) return target
  const invalid =
    (eventTypes && whyNotTypes(eventTypes)) ??
    whyNotDescribed(description) ??
    (metadata && whyNotMetadata(metadata))
  if (invalid) return refuse('FIELD_INVALID', invalid[1], { param: invalid[0] })
  return ok({
    ...(target ? { url: target.value.url } : {}),
    ...(eventTypes ? { eventTypes: [...new Set(eventTypes)] } : {}),
    ...(description === undefined ? {} : { description }),
    ...(metadata ? { metadata } : {}),
  })
}

type Fault = readonly [param: string, message: string]

function whyNotTypes(types: readonly string[]): Fault | undefined {
  if (types.length === 0 || types.length > MOST_TYPES)
    return ['event_types', `event_types has 1 to ${MOST_TYPES} entries; "*" means all`]
  if (types.every((type) => TYPE.test(type))) return undefined
  return ['event_types', 'event_types has an entry that is no type, no "area.*" and not "*"']
}
const whyNotDescribed = (description: string | undefined): Fault | undefined =>
  description === undefined || isText(description, 1000)
    ? undefined
    : ['description', 'description is longer than 1000 characters or has control characters']

function whyNotMetadata(metadata: Readonly<Record<string, string>>): Fault | undefined {
  const pairs = Object.entries(metadata)
  if (pairs.length > PAIRS) return ['metadata', `metadata has more than ${PAIRS} pairs`]
  const fit = pairs.every(([key, value]) => key !== '' && isText(key, 40) && isText(value, 500))
  return fit ? undefined : ['metadata', 'metadata has a key or a value that is too long or no text']
}
