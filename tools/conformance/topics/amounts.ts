import {
  dustThreshold,
  feeForVsize,
  formatCoreAmount,
  parseCoreAmount,
  parseFeeRate,
  parseTypedMoney,
} from '@kaccy/bitcoin/protocol/amounts'
import { parseJson } from '@kaccy/bitcoin/protocol/json'
import {
  OP,
  opReturnScript,
  p2pkhScript,
  p2shScript,
  witnessScript,
} from '@kaccy/bitcoin/protocol/script'
import {
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  must,
  refused,
  runShapes,
  sections,
  type Verdict,
} from '../cases.ts'

export const topic = 'amounts'

interface Monetary {
  readonly btc: string
  readonly sats?: string
}
/** The text goes through the JSON reader first, as an answer of the node would. */
const parseCore = (text: string) => {
  const value = parseJson(text)
  return value.ok ? parseCoreAmount(value.value) : value
}

const monetary = jsonShape<object>(
  (data) => isRecord(data, 'parse', 'refuse', 'format'),
  (data) =>
    sections(
      data,
      {
        parse: ({ btc, sats }: Monetary) => differs({ sats: [String(must(parseCore(btc))), sats] }),
        refuse: ({ btc }: Monetary) => refused(parseCore(btc)),
        format: ({ btc, sats }: Monetary) =>
          differs({ btc: [formatCoreAmount(BigInt(sats ?? '')), btc] }),
      },
      ['note'],
    ),
)

interface Typed {
  readonly text: string
  readonly sats?: string
}
const typed = jsonShape<object>(
  (data) => isRecord(data, 'parse', 'refuse') && !('format' in data),
  (data) =>
    sections(data, {
      parse: ({ text, sats }: Typed) =>
        differs({ sats: [String(must(parseTypedMoney(text))), sats] }),
      refuse: ({ text }: Typed) => refused(parseTypedMoney(text)),
    }),
)

interface Fee {
  readonly sat_per_kvb: number
  readonly vsize: number
  readonly fee: number
}
function checkFee({ sat_per_kvb, vsize, fee }: Fee): Verdict {
  const rate = parseFeeRate(BigInt(sat_per_kvb))
  // A rate of ours cannot be negative: Core's negative rows pass when they are refused by name.
  if (sat_per_kvb < 0) {
    return differs({ refusal: [rate.ok ? 'none' : rate.error.code, 'FEE_RATE_INVALID'] })
  }
  return differs({ fee: [feeForVsize(must(rate), vsize), BigInt(fee)] })
}
const fees = jsonShape<object>(
  (data) => isRecord(data, 'core') || isRecord(data, 'by_rule_round_up'),
  (data) => sections(data, { core: checkFee, by_rule_round_up: checkFee }),
)

interface Dust {
  readonly type: string
  readonly output_size: number
  readonly dust_below: number
}
const hash = (length: number): Uint8Array => new Uint8Array(length).fill(0x11)
const SCRIPTS: Readonly<Record<string, () => Uint8Array>> = {
  p2pk: () => Uint8Array.of(33, 2, ...hash(32), OP.CHECKSIG),
  p2pkh: () => p2pkhScript(hash(20)),
  p2sh: () => p2shScript(hash(20)),
  p2wpkh: () => witnessScript(0, hash(20)),
  p2wsh: () => witnessScript(0, hash(32)),
  p2tr: () => witnessScript(1, hash(32)),
  p2a: () => Uint8Array.of(OP.OP_1, 2, 0x4e, 0x73),
  op_return: () => opReturnScript(hash(20)),
}
const dust = jsonShape<{ readonly cases: readonly Dust[] }>(
  (data) => isRecord(data, 'rule', 'cases'),
  function* ({ cases }) {
    for (const { type, output_size, dust_below } of cases) {
      yield [
        type,
        () => {
          const script = SCRIPTS[type]?.()
          if (!script) return 'no script of this type is known'
          return differs({
            size: [8 + 1 + script.length, output_size],
            dust: [dustThreshold(script), BigInt(dust_below)],
          })
        },
      ]
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> =>
  runShapes(dir, [monetary, typed, fees, dust])
