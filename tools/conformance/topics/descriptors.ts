import { toHex } from '@kaccy/bitcoin/kernel'
import {
  branchDescriptor,
  type Descriptor,
  expandPolicy,
  parseDescriptor,
  parseKeyExpression,
  policyOf,
  printDescriptor,
  scriptAt,
  withChecksum,
} from '@kaccy/bitcoin/protocol/descriptor'
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

export const topic = 'descriptors'

/** What the engine promises to read, said independently of its parser. */
const SUPPORTED = [
  /^(pkh|wpkh|tr)\([^(),{}]*\)$/,
  /^sh\(wpkh\([^(),{}]*\)\)$/,
  /^wsh\(sortedmulti\([^(){}]*\)\)$/,
  /^sh\(wsh\(sortedmulti\([^(){}]*\)\)\)$/,
  /^(addr|raw)\([^(),{}]*\)$/,
]
const bodyOf = (text: string): string => text.split('#')[0] ?? ''
const isSupported = (text: string): boolean => SUPPORTED.some((shape) => shape.test(bodyOf(text)))

/** The descriptor; or the verdict when it is refused: right only for other functions, and by their name. */
function read(text: string): { readonly descriptor: Descriptor } | { readonly verdict: Verdict } {
  const parsed = parseDescriptor(text)
  if (parsed.ok) {
    return isSupported(text)
      ? { descriptor: parsed.value }
      : { verdict: 'a kind was taken that is not promised' }
  }
  const { code, message, details } = parsed.error
  if (isSupported(text)) return { verdict: `refused: ${message}` }
  if (code !== 'DESCRIPTOR_UNSUPPORTED') return { verdict: `${code} instead of a refusal by name` }
  const name = String(details['function'])
  const isNamed = bodyOf(text).includes(`${name}(`) && message.includes(`${name}()`)
  return { verdict: isNamed ? undefined : `the refusal names ${name}` }
}

/** Printed and read again it makes the same scripts, and printing is stable. */
function checkPrinting(descriptor: Descriptor, indexes: readonly number[]): Verdict {
  const printed = printDescriptor(descriptor)
  const again = parseDescriptor(printed, { requireChecksum: true })
  if (/prv|[(,\]][5KLc9][1-9A-HJ-NP-Za-km-z]{50,51}[),]/.test(printed))
    return 'a private key was printed'
  if (!again.ok) {
    // The public form of a hardened wildcard can be written and not derived.
    const isHardened = again.error.code === 'KEY_HARDENED' && descriptor.hasPrivateKeys
    return isHardened ? undefined : `the printed form is refused: ${again.error.message}`
  }
  return differs({
    'printed twice': [printDescriptor(again.value), printed],
    ...Object.fromEntries(
      indexes.map((i) => [
        `script ${i}`,
        [toHex(scriptAt(again.value, 0, i)), toHex(scriptAt(descriptor, 0, i))],
      ]),
    ),
  })
}

interface ValidRow {
  readonly descriptor: string
  readonly scripts?: readonly string[]
  readonly expands_to?: readonly string[]
}

function checkExpansion(descriptor: Descriptor, expansion: readonly string[]): Verdict {
  if (descriptor.branches !== expansion.length)
    return `${descriptor.branches} branches instead of ${expansion.length}`
  const pairs = expansion.map((text, branch) => {
    const expected = must(parseDescriptor(text))
    const own = branchDescriptor(descriptor, branch)
    return [
      `branch ${branch}`,
      [
        `${printDescriptor(own)} ${toHex(scriptAt(descriptor, branch, 0))} ${toHex(scriptAt(own, 0, 0))}`,
        `${printDescriptor(expected)} ${toHex(scriptAt(expected, 0, 0))} ${toHex(scriptAt(expected, 0, 0))}`,
      ],
    ] as const
  })
  return differs(Object.fromEntries(pairs))
}

function checkValid({ descriptor: text, scripts, expands_to }: ValidRow): Verdict {
  const result = read(text)
  if ('verdict' in result) {
    const others = (expands_to ?? [])
      .map(read)
      .map((other) => ('verdict' in other ? other.verdict : 'was taken'))
    return result.verdict ?? others.find((verdict) => verdict !== undefined)
  }
  const { descriptor } = result
  if (expands_to) return checkExpansion(descriptor, expands_to)
  if (!scripts) return 'neither scripts nor expansion are given'
  if (scripts.length > 1 && !descriptor.isRanged) return 'several scripts and no wildcard'
  const pairs = scripts.map(
    (script, i) => [`script ${i}`, [toHex(scriptAt(descriptor, 0, i)), script]] as const,
  )
  return (
    differs(Object.fromEntries(pairs)) ??
    checkPrinting(
      descriptor,
      scripts.map((_, i) => i),
    )
  )
}

const checkInvalid = ({ descriptor }: { readonly descriptor: string }): Verdict =>
  refused(parseDescriptor(descriptor))

interface PolicyRow {
  readonly template: string
  readonly keys: readonly string[]
  readonly descriptor: string
}
function checkPolicy({ template, keys, descriptor: text }: PolicyRow): Verdict {
  const expanded = must(expandPolicy({ template, keys }))
  if (expanded !== text) return `expanded to ${expanded}`
  const result = read(text)
  if ('verdict' in result) return result.verdict
  const policy = must(policyOf(result.descriptor))
  return differs({
    template: [policy.template, template],
    keys: [policy.keys.join(), keys.join().replaceAll("'", 'h')],
  })
}

const sectionCases = (file: object): Iterable<Case> =>
  sections(file, {
    valid: (row: ValidRow & PolicyRow) => ('template' in row ? checkPolicy(row) : checkValid(row)),
    invalid: (row: { descriptor: string; template?: string }) =>
      row.template === undefined
        ? checkInvalid(row)
        : refused(
            expandPolicy({
              template: row.template,
              keys: ['xpub-a', 'xpub-b'].slice(0, placeholders(row.template)),
            }),
          ),
    checksum: ({ descriptor, valid }: { descriptor: string; valid: boolean }) =>
      differs({
        taken: [parseDescriptor(descriptor).ok, valid],
        'with checksum': [
          parseDescriptor(
            valid && !descriptor.includes('#') ? withChecksum(descriptor) : descriptor,
            {
              requireChecksum: true,
            },
          ).ok,
          valid,
        ],
      }),
    key_valid: ({ key }: { key: string }) => {
      const parsed = parseKeyExpression(key)
      return parsed.ok ? undefined : `refused: ${parsed.error.message}`
    },
    key_invalid: ({ key }: { key: string }) => refused(parseKeyExpression(key)),
  })

/** As many keys as the template has placeholders, so that only the fault itself can be the reason. */
const placeholders = (template: string): number => new Set(template.match(/@\d+/g)).size

interface CoreRow {
  readonly private: string
  readonly public: string
  readonly normalised: string
  readonly flags: string
  readonly scripts_per_index: readonly (readonly string[])[]
}

function checkCore(row: CoreRow): Verdict {
  const flags = row.flags.split('|').map((flag) => flag.trim())
  const result = read(row.private)
  if ('verdict' in result) {
    const open = read(row.public)
    return result.verdict ?? ('verdict' in open ? open.verdict : 'the public form was taken')
  }
  const { descriptor } = result
  const isHardened = flags.includes('HARDENED')
  const open = parseDescriptor(row.public)
  const scripts = row.scripts_per_index.map(
    (list, i) => [`script ${i}`, [toHex(scriptAt(descriptor, 0, i)), list.join()]] as const,
  )
  const publicScripts = open.ok
    ? row.scripts_per_index.map(
        (list, i) =>
          [`public script ${i}`, [toHex(scriptAt(open.value, 0, i)), list.join()]] as const,
      )
    : []
  return (
    differs({
      isRanged: [descriptor.isRanged, flags.includes('RANGE')],
      hasPrivateKeys: [descriptor.hasPrivateKeys, row.private !== row.public],
      'public form': [open.ok ? 'taken' : open.error.code, isHardened ? 'KEY_HARDENED' : 'taken'],
      normalised: [printDescriptor(descriptor), withChecksum(row.normalised)],
      ...Object.fromEntries([...scripts, ...publicScripts]),
    }) ??
    checkPrinting(
      descriptor,
      row.scripts_per_index.map((_, i) => i),
    )
  )
}

const shapes = [
  jsonShape<object>(
    (data) => isRecord(data, 'cases', 'flags'),
    (file) => sections(file, { cases: checkCore }),
  ),
  jsonShape<readonly { readonly descriptor: string }[]>(
    (data) => isTable(data, 'descriptor', 'core_error'),
    (rows) =>
      rows.map(
        (row, i) => [`${i} ${row.descriptor.slice(0, 24)}`, () => checkInvalid(row)] as const,
      ),
  ),
  jsonShape<object>(
    (data) => isRecord(data, 'valid') || isRecord(data, 'invalid') || isRecord(data, 'checksum'),
    sectionCases,
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
