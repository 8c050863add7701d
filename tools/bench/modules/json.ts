import { toHex } from '@kaccy/bitcoin/kernel'
import { parseJson } from '@kaccy/bitcoin/protocol/json'
import { costLine, type Report, rates } from '../measure.ts'
import { seeded } from '../synthetic.ts'

export const name = 'json'

const TXIDS = 100_000

export async function run(report: Report): Promise<void> {
  const random = seeded(3)
  const ids = Array.from({ length: TXIDS }, () => toHex(random.bytes(32)))
  const bytes = new TextEncoder().encode(JSON.stringify({ result: ids, error: null, id: 1 }))
  const measured = await rates({
    strict: () => (parseJson(bytes).ok ? 1 : 0),
    native: () => (JSON.parse(new TextDecoder().decode(bytes)) === null ? 0 : 1),
  })
  report(
    costLine(
      'read a mempool list of 100,000 ids, strictly',
      'ms',
      1000 / measured.strict,
      'JSON.parse, which loses digits',
      1000 / measured.native,
    ),
  )
}
